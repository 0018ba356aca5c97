"""What a WhatsApp message holds besides its sender: its words and its files."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.channels.message import Attachment
from shared.channels.plain_text import clean, is_blank, one_line

_MAX_FILES = 50
#: As many are fetched: shared.channels.files.MAX_FILES, whose libraries the webhook's image does not carry.
MOST_FETCHED = 20
_MAX_URL = 2000
_CONTENT_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
#: Kinds that write another message in place of an earlier one.
EDITED = {"edit", "edited"}
#: Media types of a contact card (RFC 6350, section 10.1; the older ones are still sent).
CONTACT_CARDS = {"text/vcard", "text/x-vcard", "text/directory"}


def attachments(fields: Mapping[str, str]) -> tuple[Attachment, ...]:
    """MediaUrl0, MediaContentType0 and on, `NumMedia` of them. Twilio tells no size: 0 until they are fetched."""
    count = min(_count(fields.get("NumMedia", "").strip()), _MAX_FILES)
    return tuple(_attachment(fields, index) for index in range(count))


def kind_of(fields: Mapping[str, str]) -> str:
    """Twilio's MessageType in lower case, such as `text`, `image`, `reaction`; empty when it is not told."""
    return one_line(fields.get("MessageType", ""), 40).lower()


def words(fields: Mapping[str, str], files: tuple[Attachment, ...]) -> str:
    """The text a person reads: what was typed or chosen, else what was sent, told in brackets."""
    kind = kind_of(fields)
    typed = _typed(fields)
    if kind == "reaction":
        return f"[reaction: {one_line(typed, 40) or 'taken back'}]"
    told = [typed, _location(fields), _files(files) if is_blank(typed) else ""]
    if kind in EDITED:
        told.insert(0, "[an earlier message, edited]")
    text = "\n".join(part for part in told if not is_blank(part))
    return text or ("" if kind in {"", "text"} else f"[a message of a kind that cannot be shown: {kind}]")


def _typed(fields: Mapping[str, str]) -> str:
    """Body; buttons and list rows repeat their title there, but not in every version of the API."""
    for name in ("Body", "ButtonText", "ListTitle"):
        if not is_blank(fields.get(name, "")):
            return clean(fields[name])
    return ""


def _location(fields: Mapping[str, str]) -> str:
    latitude, longitude = (one_line(fields.get(name, ""), 30) for name in ("Latitude", "Longitude"))
    if not latitude or not longitude:
        return ""
    place = ", ".join(filter(None, (one_line(fields.get(name, ""), 300) for name in ("Label", "Address"))))
    return f"[location: {latitude}, {longitude}{f' ({place})' if place else ''}]"


def _files(files: tuple[Attachment, ...]) -> str:
    if not files:
        return ""
    return f"[sent without words: {', '.join(_called(each.content_type) for each in files)}]"


def _called(content_type: str) -> str:
    return "a contact card" if content_type in CONTACT_CARDS else content_type


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def _attachment(fields: Mapping[str, str], index: int) -> Attachment:
    declared = fields.get(f"MediaContentType{index}", "").partition(";")[0].strip().lower()[:120]
    content_type = declared if _CONTENT_TYPE.fullmatch(declared) else "application/octet-stream"
    url = clean(fields.get(f"MediaUrl{index}", ""))
    kept = url.startswith(("https://", "http://")) and len(url) <= _MAX_URL
    return Attachment(
        name=f"attachment-{index + 1}",
        content_type=content_type,
        size=0,
        ref=url if kept else "",
        refused="too-many" if index >= MOST_FETCHED else "",
    )
