"""The operators' reads on a real PostgreSQL: who an address belongs to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from shared.clock import SystemClock
from shared.conversations import inbox
from shared.db.pool import Database
from shared.dead_letters.api import build_api
from shared.dead_letters.office import Office
from shared.identity.link import link
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email, form


@pytest_asyncio.fixture
async def desk(db: Database, vault: Vault, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The desk's API over a database; what needs Kafka or the knowledge base is not asked."""
    nothing = cast(Any, None)
    office = Office(
        settings=settings,
        db=db,
        vault=vault,
        clock=SystemClock(),
        producer=nothing,
        box=nothing,
        sweep=nothing,
        desk=nothing,
        library=nothing,
    )
    token = settings.fte_operator_token.get_secret_value()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(build_api(office)),
        base_url="http://desk",
        headers={"Authorization": f"Bearer {token}"},
    ) as client:
        yield client


async def test_a_customer_is_found_by_either_address(desk: httpx.AsyncClient, db: Database, vault: Vault) -> None:
    """However it is typed, and the answer is the one that the id gives."""
    customer: UUID
    customer, _ = await link(db, vault, "ada@example.org", "+12015550123")
    by_id = (await desk.get(f"/customers/{customer}")).json()
    for typed in ("ADA@Example.org", "+1 201 555 0123", "whatsapp:+12015550123"):
        found = await desk.post("/customers/find", json={"address": typed})
        assert (found.status_code, found.json()) == (200, by_id)
    assert isinstance((await desk.get("/customers")).json(), list)


@pytest.mark.parametrize(("typed", "status"), [("nobody@example.org", 404), ("12", 422), ("a@b@c", 422), ("", 422)])
async def test_an_unknown_address_is_refused_without_repeating_it(
    desk: httpx.AsyncClient, typed: str, status: int
) -> None:
    """404 for nobody's, 422 for what is no address."""
    refused = await desk.post("/customers/find", json={"address": typed})
    assert refused.status_code == status
    assert not typed or typed not in refused.text.replace("+1 201 555 0123", "")


async def test_a_claimed_address_is_nobody_s(
    desk: httpx.AsyncClient, db: Database, vault: Vault, settings: Settings
) -> None:
    """What somebody typed into the form proves nothing; a verified mail from there does."""
    await inbox.store(db, vault, settings, form("hello", sender="eve@example.org"), "e1")
    asked = {"address": "eve@example.org"}
    assert (await desk.post("/customers/find", json=asked)).status_code == 404
    await inbox.store(db, vault, settings, email(sender="eve@example.org"), "e2")
    assert (await desk.post("/customers/find", json=asked)).status_code == 200
