"""The operators' reads on a real PostgreSQL: who an address belongs to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

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
from tests.builders import email, form, whatsapp


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
    customer = (await link(db, vault, "ada@example.org", "+12015550123")).customer_id
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
    refused = await desk.post("/customers/find", json=asked)
    assert (refused.status_code, refused.json()["error"]["reason"]) == (404, "unconfirmed-address")
    assert "nobody has confirmed" in refused.json()["error"]["message"]
    assert "eve@" not in refused.text
    ada = str((await inbox.store(db, vault, settings, email(), "e0")).customer_id)
    merged = await desk.post("/customers/merge", json={"winner": ada, "loser": "eve@example.org"})
    assert merged.json() == refused.json()
    await inbox.store(db, vault, settings, email(sender="eve@example.org"), "e2")
    assert (await desk.post("/customers/find", json=asked)).status_code == 200


async def test_customers_are_merged_shown_and_parted(
    desk: httpx.AsyncClient, db: Database, vault: Vault, settings: Settings
) -> None:
    """By address or id; the merge is shown with its id; who was merged is shown as who they went into."""
    ada = str((await inbox.store(db, vault, settings, email(), "e1")).customer_id)
    bob = str((await inbox.store(db, vault, settings, whatsapp(), "e2")).customer_id)
    merged = await desk.post("/customers/merge", json={"winner": "ADA@example.org", "loser": bob})
    assert (merged.status_code, merged.json()["customer_id"], merged.json()["merged"]) == (200, ada, bob)
    shown = (await desk.get(f"/customers/{bob}")).json()
    assert (shown["id"], shown["merged_from"]) == (ada, bob)
    assert [(one["kind"], one["trust"]) for one in shown["identifiers"]] == [
        ("email", "verified"),
        ("phone", "verified"),
    ]
    assert [(one["id"], one["cause"], one["loser"]) for one in shown["merges"]] == [
        (merged.json()["merge_id"], "operator", bob)
    ]
    (listed,) = (await desk.get("/customers")).json()
    assert listed["addresses"] == ["ada@example.org", "+12015550123"]
    parted = await desk.post("/customers/unmerge", json={"what": str(merged.json()["merge_id"])})
    assert (parted.status_code, parted.json()["restored"]) == (200, bob)
    assert (await desk.get(f"/customers/{bob}")).json()["merged_from"] is None
    again = await desk.post("/customers/merge", json={"winner": ada, "loser": "+1 201 555 0123"})
    assert again.status_code == 200
    assert (await desk.post("/customers/unmerge", json={"what": bob})).status_code == 200


async def test_what_cannot_be_merged_is_refused_with_its_reason(
    desk: httpx.AsyncClient, db: Database, vault: Vault, settings: Settings
) -> None:
    """Oneself, nobody, no address; a merge that is none."""
    ada = str((await inbox.store(db, vault, settings, email(), "e1")).customer_id)
    nobody = "00000000-0000-4000-8000-000000000000"
    for winner, loser, status, reason in [
        (ada, "ada@example.org", 409, "self-merge"),
        (ada, nobody, 404, "unknown-customer"),
        (ada, "bob@example.net", 404, "unknown-customer"),
        (ada, "x", 422, "bad-phone"),
    ]:
        refused = await desk.post("/customers/merge", json={"winner": winner, "loser": loser})
        assert (refused.status_code, refused.json()["error"]["reason"]) == (status, reason)
    for what, status in [("7", 404), (ada, 404), (nobody, 404), ("bob@example.net", 404)]:
        assert (await desk.post("/customers/unmerge", json={"what": what})).status_code == status


async def test_customers_are_searched_by_address_also_where_it_is_claimed(
    desk: httpx.AsyncClient, db: Database, vault: Vault, settings: Settings
) -> None:
    """Who owns it and who typed it; nobody else."""
    owner = await inbox.store(db, vault, settings, email(), "e1")
    typed = await inbox.store(db, vault, settings, form(), "e2")
    await inbox.store(db, vault, settings, whatsapp(), "e3")
    rows = (await desk.post("/customers/search", json={"address": "Ada@example.org"})).json()
    assert {row["id"] for row in rows} == {str(owner.customer_id), str(typed.customer_id)}
    assert (await desk.post("/customers/search", json={"address": "bob@example.net"})).json() == []


async def test_the_status_tells_how_many_were_recognised(
    desk: httpx.AsyncClient, db: Database, vault: Vault, settings: Settings
) -> None:
    """Of all messages of the week but the ignored: from the rows, so that it survives a restart."""
    await inbox.store(db, vault, settings, email(), "e1")
    await inbox.store(db, vault, settings, email("again"), "e2")
    await inbox.store(db, vault, settings, form(), "e3")
    await inbox.store(db, vault, settings, email(ignored="auto-submitted"), "e4")
    status = (await desk.get("/status")).json()
    assert (status["recognised_week"], status["inbound_week"]) == (1, 3)
