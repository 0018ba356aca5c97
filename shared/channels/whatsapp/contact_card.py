"""Whose contact card it is: the names on a vCard (RFC 2426 and 6350, and 2.1 as phones still send it).

Numbers and addresses on a card are third persons': they stay in the file, which a person may open.
"""

from __future__ import annotations

import quopri
import re

from shared.channels.plain_text import one_line

#: Names that are told of one file; a whole address book is none of ours.
MOST_NAMES = 10
_LINE = re.compile(r"^(?:[\w-]+\.)?(FN|N|ORG)((?:;[^:\n]*)?):(.*)$", re.IGNORECASE | re.MULTILINE)
_ESCAPED = re.compile(r"\\([,;\\nN])")


def names(data: bytes) -> list[str]:
    """The formatted names, else the parts of the name, else the organisation, one a card."""
    text = data[:200_000].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"=\n", "", re.sub(r"\n[ \t]", "", text))
    found = (_name(card) for card in re.split(r"BEGIN:VCARD", text, flags=re.IGNORECASE)[1:])
    return [name for name in found if name][:MOST_NAMES]


def told(data: bytes) -> str:
    """The names as a sentence for whoever answers; empty when there are none."""
    found = names(data)
    return f"Contact card of {', '.join(found)}" if found else ""


def _name(card: str) -> str:
    fields: dict[str, str] = {}
    for name, parameters, value in _LINE.findall(card):
        fields.setdefault(name.upper(), _value(parameters, value))
    if fields.get("FN", "").strip():
        return one_line(fields["FN"], 100)
    parts = [part.strip() for part in fields.get("N", "").split(";")]
    # Family name; given name; further names; prefix; suffix.
    order = [parts[place] for place in (3, 1, 2, 0, 4) if place < len(parts) and parts[place]]
    return one_line(" ".join(order) or fields.get("ORG", "").partition(";")[0], 100)


def _value(parameters: str, value: str) -> str:
    if "quoted-printable" in parameters.lower():
        value = quopri.decodestring(value.encode("utf-8", "replace")).decode("utf-8", "replace")
    return _ESCAPED.sub(lambda match: " " if match[1] in "nN" else match[1], value)
