"""The desk's routes for customers: who is who, and making two one or one two again."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from shared.dead_letters.customers import Customers
from shared.dead_letters.tickets_api import Limit


class FindRequest(BaseModel):
    """An e-mail address or a phone number."""

    address: str = Field(max_length=320)


class LinkRequest(BaseModel):
    """An e-mail address and a phone number of one customer."""

    email: str = Field(max_length=320)
    phone: str = Field(max_length=40)
    #: Say what it would come to, and change nothing.
    dry_run: bool = False


class UnlinkRequest(BaseModel):
    """E-mail addresses and phone numbers that are not their customers'."""

    addresses: list[Annotated[str, Field(max_length=320)]] = Field(min_length=1, max_length=20)


class MergeRequest(BaseModel):
    """Two customers, each by id, e-mail address or phone number."""

    winner: str = Field(min_length=1, max_length=320)
    loser: str = Field(min_length=1, max_length=320)


class UnmergeRequest(BaseModel):
    """A merge's id, or a customer's id, e-mail address or phone number."""

    what: str = Field(min_length=1, max_length=320)


def add_customers(router: APIRouter, desk: Customers) -> None:
    """Reads, and what joins and parts."""
    _reads(router, desk)
    _acts(router, desk)


def _reads(router: APIRouter, desk: Customers) -> None:
    @router.get("/customers")
    async def customers(limit: Limit = 100) -> Any:
        return await desk.list(limit)

    @router.post("/customers/search")
    async def search(request: FindRequest, limit: Limit = 100) -> Any:
        # In the body, here and below: a URL is written down by every proxy on the way.
        return await desk.list(limit, request.address)

    @router.post("/customers/find")
    async def find(request: FindRequest) -> Any:
        return await desk.at(request.address)

    @router.get("/customers/{customer_id}")
    async def customer(customer_id: UUID) -> Any:
        return await desk.show(customer_id)


def _acts(router: APIRouter, desk: Customers) -> None:
    @router.post("/customers/link")
    async def link_identifiers(request: LinkRequest) -> Any:
        return await desk.link(request.email, request.phone, dry_run=request.dry_run)

    @router.post("/customers/unlink")
    async def unlink_identifiers(request: UnlinkRequest) -> Any:
        return await desk.unlink(request.addresses)

    @router.post("/customers/merge")
    async def merge(request: MergeRequest) -> Any:
        return await desk.merge(request.winner, request.loser)

    @router.post("/customers/unmerge")
    async def unmerge(request: UnmergeRequest) -> Any:
        return await desk.unmerge(request.what)
