"""The character set that HTML says it is written in (HTML Standard, section 13.2.3.2: prescan a byte stream)."""

from __future__ import annotations

import re

_META = re.compile(rb"<meta\b[^<>]{0,200}?\bcharset\s{0,9}=[\s\"']{0,9}([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)


def named_by_html(beginning: bytes) -> str:
    """What a meta element in these first bytes names, or nothing."""
    found = _META.search(beginning)
    return found[1].decode("ascii") if found else ""
