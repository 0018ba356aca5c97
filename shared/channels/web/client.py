"""Whose request it is, as far as an address tells: the peer, or what trusted proxies say of it.

X-Forwarded-For grows to the right: each proxy appends whom it was asked by, and a client may begin it with
anything. So it is read from the right, as far as those who wrote it are trusted. Knative's chain is not of
one length (the activator is in the way or not), which is why networks may be given instead of a number.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from starlette.requests import HTTPConnection

from shared.errors import Permanent

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Clients:
    """`hops`: how many proxies are trusted, whoever they are; `proxies`: the networks of those that are."""

    hops: int
    proxies: tuple[_Network, ...]
    exempt: tuple[_Network, ...]

    @classmethod
    def configured(cls, trusted: Sequence[str], exempt: Sequence[str]) -> Self:
        """From FORM_TRUSTED_PROXIES and FORM_RATE_EXEMPT. Raises Permanent for what is no network."""
        hops = int(trusted[0]) if len(trusted) == 1 and trusted[0].isdecimal() else 0
        networks = () if hops or tuple(trusted) == ("0",) else _networks(trusted, "FORM_TRUSTED_PROXIES")
        return cls(hops, networks, _networks(exempt, "FORM_RATE_EXEMPT"))

    def of(self, request: HTTPConnection) -> str:
        """The client's address; of IPv6 its /64, which is what one customer of a provider has (RFC 6177)."""
        address = self._address(request)
        if isinstance(address, ipaddress.IPv6Address):
            return str(ipaddress.IPv6Network((address, 64), strict=False))
        return str(address)

    def is_exempt(self, request: HTTPConnection) -> bool:
        """Whether no rate and no minimum time binds this client."""
        address = self._address(request)
        return address is not None and _within(address, self.exempt)

    def _address(self, request: HTTPConnection) -> _Address | None:
        peer = _parsed(request.client.host if request.client else "")
        said = [part for line in request.headers.getlist("x-forwarded-for") for part in line.split(",")]
        chain = [_parsed(part) for part in said]
        if self.hops:
            return (chain[-self.hops] if len(chain) >= self.hops else None) or peer
        for address in (peer, *reversed(chain)):
            if address is None or not _within(address, self.proxies):
                return address or peer
        # Nobody from outside in the whole chain: then these are all one client.
        return peer


def _within(address: _Address, networks: tuple[_Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _parsed(text: str) -> _Address | None:
    bare = text.strip().strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _networks(names: Sequence[str], setting: str) -> tuple[_Network, ...]:
    try:
        return tuple(ipaddress.ip_network(name, strict=False) for name in names)
    except ValueError:
        raise Permanent(f"{setting} holds something that is no network", reason="bad-setting") from None
