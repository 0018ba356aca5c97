"""Simulated customers over three channels: how many are recognised, and whether anybody is joined with a stranger.

    python -m tests.simulations.customers --customers 500 --seed 1

Everybody enters at the inbox, on a real PostgreSQL, several at once. The truth is the simulation's own: who wrote
each message, whose each address is. A number is whoever's holds it: what a guest writes on a shared phone counts as
its holder's.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from pydantic import SecretStr

from shared.db.migrate import migrate
from shared.db.pool import Database
from shared.local.postgres import APP, OWNER, EmbeddedPostgres
from shared.local.server_process import free_port
from shared.observability.logs import configure_logging
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.conftest import make_settings
from tests.simulations import lives
from tests.simulations.world import Person, Truth, World

_AT_ONCE = 8


@dataclass(frozen=True)
class Figures:
    """What came out. `tied`: messages that lie with the one customer their writer is at the end."""

    messages: int
    tied: int
    #: Of what came after somebody's first message ever: those recognised on arrival.
    returning: int
    recognised: int
    by_channel: dict[str, Counter[str]]
    wrongly_joined: int
    attacks: int
    customers: int
    seconds: float

    @property
    def share(self) -> float:
        """Of all that customers wrote, how much lies with their one customer."""
        return self.tied / self.messages


async def simulate(world: World, customers: int, seed: int) -> Figures:
    """Let them all live, and count."""
    began, chance = time.perf_counter(), Random(seed)
    people = _people(world, customers, chance)
    started = [life(world, person) for life, person in zip(_lives(customers, chance), people, strict=True)]
    await _all([*started, *_pairs(world, customers, chance)])
    attacks = _strangers(world, people, chance)
    await _all(attacks)
    return await count(world, len(attacks), time.perf_counter() - began)


def _people(world: World, count: int, chance: Random) -> list[Person]:
    made = zip(lives.addresses(count, chance), lives.numbers(count), strict=True)
    people = [Person(f"customer {at}", email, phone, Random(chance.random())) for at, (email, phone) in enumerate(made)]
    for person in people:
        world.holds(person, "email", person.email)
        world.holds(person, "phone", person.phone)
    return people


def _lives(count: int, chance: Random) -> list[lives.Life]:
    kinds, weights = zip(*lives.LIVES, strict=True)
    return chance.choices(kinds, weights, k=count)


def _pairs(world: World, customers: int, chance: Random) -> list[Awaitable[None]]:
    """Two in a hundred share a phone with somebody, two inherit a number."""
    count = max(1, customers // 50)
    made = list(zip(range(4 * count), list(lives.numbers(customers + 4 * count))[customers:], strict=True))
    people = [Person(f"pair {at}", f"pair{at}@example.org", phone, Random(chance.random())) for at, phone in made]
    for person in people:
        world.holds(person, "email", person.email)
        world.holds(person, "phone", person.phone)
    shared, inherited = people[: 2 * count], people[2 * count :]
    return [
        *(lives.shares_a_phone(world, *pair) for pair in zip(shared[::2], shared[1::2], strict=True)),
        *(lives.inherits_a_number(world, *pair) for pair in zip(inherited[::2], inherited[1::2], strict=True)),
    ]


def _strangers(world: World, people: list[Person], chance: Random) -> list[Awaitable[None]]:
    """One in ten customers is somebody's victim."""
    victims = chance.sample(people, max(3, len(people) // 10))
    phones = list(lives.numbers(2 * len(people) + len(victims)))[-len(victims) :]
    tries: list[Awaitable[None]] = []
    for at, (victim, phone) in enumerate(zip(victims, phones, strict=True)):
        stranger = Person(f"stranger {at}", "", phone, Random(chance.random()))
        world.truth.strangers.add(stranger.name)
        world.holds(stranger, "phone", phone)
        attack = (lives.types_a_known_address, lives.forges, lives.guesses)[at % 3]
        tries.append(attack(world, stranger, victim))
    return tries


async def _all(tasks: list[Awaitable[None]]) -> None:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(task: Awaitable[None]) -> None:
        async with gate:
            await task

    await asyncio.gather(*(one(task) for task in tasks))


async def count(world: World, attacks: int = 0, seconds: float = 0.0) -> Figures:
    """What the database says now, against the truth."""
    truth = world.truth
    rows = await world.db.fetch(
        "SELECT provider_message_id AS id, customer_id, channel, trust, known FROM messages"
        " WHERE author = 'customer' ORDER BY seq"
    )
    identifiers = await world.db.fetch("SELECT customer_id, lookup FROM customer_identifiers WHERE trust = 'verified'")
    owners: dict[object, set[str]] = defaultdict(set)
    for row in rows:
        owners[row["customer_id"]].add(truth.writers[row["id"]])
    homes: dict[str, Counter[object]] = defaultdict(Counter)
    for row in identifiers:
        holder = truth.holders[row["lookup"]]
        owners[row["customer_id"]].add(holder)
        homes[holder][row["customer_id"]] += 0
    genuine = [row for row in rows if truth.writers[row["id"]] not in truth.strangers]
    for row in genuine:
        if row["customer_id"] in homes[truth.writers[row["id"]]]:
            homes[truth.writers[row["id"]]][row["customer_id"]] += 1
    home = {name: found.most_common(1)[0][0] for name, found in homes.items() if found}
    by_channel: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        by_channel[row["channel"]][row["known"]] += 1
    seen: set[str] = set()
    later = [row for row in genuine if truth.writers[row["id"]] in seen or seen.add(truth.writers[row["id"]])]
    return Figures(
        messages=len(genuine),
        tied=sum(row["customer_id"] == home.get(truth.writers[row["id"]]) for row in genuine),
        returning=len(later),
        recognised=sum(row["known"] == "yes" for row in later),
        by_channel=by_channel,
        wrongly_joined=sum(len(found) > 1 for found in owners.values()),
        attacks=attacks,
        customers=len(owners),
        seconds=seconds,
    )


def table(figures: Figures) -> str:
    """What is printed."""
    lines = [f"{'channel':10} {'known':>7} {'new':>7} {'claimed':>8}"]
    for channel, counts in sorted(figures.by_channel.items()):
        lines.append(f"{channel:10} {counts['yes']:7} {counts['no']:7} {counts['claimed']:8}")
    return "\n".join(
        [
            *lines,
            f"messages of customers, first contacts among them   {figures.messages}",
            f"recognised: with the one customer who wrote them   {figures.tied} ({figures.share:.1%})",
            f"known on arrival, after somebody's first message   {figures.recognised} of {figures.returning}"
            f" ({figures.recognised / figures.returning:.1%})",
            f"attempts of strangers                              {figures.attacks}",
            f"customers who hold two people's, wrongly joined    {figures.wrongly_joined} of {figures.customers}",
            f"took                                               {figures.seconds:.1f} s",
        ]
    )


async def _main(customers: int, seed: int) -> int:
    configure_logging("simulation", "ERROR")
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder), free_port(), options={"fsync": "off"})
        await server.start()
        try:
            await server.create_database("simulation")
            await migrate(server.dsn(OWNER, "simulation"))
            settings = simulated(server.dsn(APP, "simulation"))
            db = Database.from_settings(settings)
            figures = await simulate(World(db, Vault.from_settings(settings), settings, Truth()), customers, seed)
            await db.close()
        finally:
            await server.stop()
    print(table(figures))
    return 0 if figures.share > 0.95 and not figures.wrongly_joined else 1


def simulated(dsn: str) -> Settings:
    """Settings with a form to link to."""
    return make_settings(
        database_url=SecretStr(dsn), form_public_url="https://form.example.com", conversation_idle_h=72.0
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.exit(asyncio.run(_main(given.customers, given.seed)))
