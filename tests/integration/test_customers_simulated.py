"""Five hundred simulated customers over three channels, with strangers among them, on a real PostgreSQL."""

from __future__ import annotations

import pytest

from shared.db.pool import Database
from shared.identity.link import merge_customers
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.simulations.customers import count, simulate, simulated, table
from tests.simulations.world import Truth, World


@pytest.fixture
def settings(dsn: str) -> Settings:
    """As the simulation sets them."""
    return simulated(dsn)


@pytest.fixture
def world(db: Database, vault: Vault, settings: Settings) -> World:
    """Nobody has written yet."""
    return World(db, vault, settings, Truth())


async def test_five_hundred_customers_are_recognised_and_nobody_is_joined_with_a_stranger(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over 95 % recognised, both on arrival and in the end; 0 wrongly joined; no deadlock on the way."""
    figures = await simulate(world, 500, seed=1)
    with capsys.disabled():
        print(f"\n{table(figures)}")
    assert figures.share > 0.95
    assert figures.recognised / figures.returning > 0.95
    assert figures.wrongly_joined == 0
    assert figures.attacks >= 50
    assert {channel for channel, counts in figures.by_channel.items() if counts["yes"]} == {"email", "whatsapp", "web"}
    row = await world.db.fetchrow("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert row is not None
    assert row["deadlocks"] == 0


async def test_the_simulation_would_see_a_wrong_join(world: World) -> None:
    """Its own check: two people joined by mistake are counted."""
    before = await simulate(world, 20, seed=2)
    rows = await world.db.fetch(
        "SELECT DISTINCT customer_id FROM customer_identifiers WHERE trust = 'verified' LIMIT 2"
    )
    await merge_customers(world.db, rows[0]["customer_id"], rows[1]["customer_id"])
    after = await count(world)
    assert (before.wrongly_joined, after.wrongly_joined) == (0, 1)
