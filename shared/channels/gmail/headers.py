"""The headers of a mail, read leniently: whatever stands there becomes text, nothing raises.

They are kept in order, since the topmost of a name is the one the last server wrote.
"""

from __future__ import annotations

import base64
import itertools
import quopri
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import policy
from email.utils import getaddresses
from typing import Any, cast

from shared.channels.gmail.charset import header_text, to_text

#: A longer header is cut: no real one is, and parsing addresses is slower than linear.
MAX_HEADER = 32_768
_MAX_ADDRESSES = 8_192
_FOLD = re.compile(r"\r?\n(?=[ \t])|[\r\n\x00]")
_WORD = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]{0,40})?\?([bBqQ])\?([^?]{0,4000})\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t\r\n]+(?==\?[^?\s]{1,80}\?[bBqQ]\?)")
_MSG_ID = re.compile(r"<[^<>\s]{1,990}>")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address with its display name, as written."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Headers:
    """Pairs of lower-case name and unfolded raw value, topmost first."""

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, raw_items: Iterable[tuple[str, object]]) -> Headers:
        """From an email.message's `raw_items()`."""
        return cls(tuple((name.strip().lower(), unfold(str(value))) for name, value in raw_items))

    def all(self, name: str) -> list[str]:
        """Every value of a header, topmost first."""
        return [value for key, value in self.pairs if key == name]

    def first(self, name: str) -> str:
        """The topmost value, or an empty text."""
        return next((value for key, value in self.pairs if key == name), "")

    def names(self) -> frozenset[str]:
        """All names that occur, in lower case."""
        return frozenset(key for key, _ in self.pairs)


def unfold(value: str) -> str:
    """One raw header value on one line (RFC 5322, section 2.2.3), its bytes as text, cut at MAX_HEADER."""
    return header_text(_FOLD.sub("", value[:MAX_HEADER])).strip()


def decoded(value: str) -> str:
    """Encoded words to text (RFC 2047), also those that break its rules: split characters, missing padding."""
    if "=?" not in value:
        return value
    joined = _BETWEEN_WORDS.sub(r"\1", value)
    shown: list[str] = []
    run: list[re.Match[str]] = []
    end = 0
    for word in _WORD.finditer(joined):
        # A character may be split over two words of one charset: such words are read as one.
        if run and (word.start() > end or word[1].lower() != run[0][1].lower()):
            shown.append(_run_text(run))
            run = []
        shown.append(joined[end : word.start()])
        run.append(word)
        end = word.end()
    return "".join(shown) + (_run_text(run) if run else "") + joined[end:]


def mailboxes(value: str) -> tuple[tuple[Mailbox, ...], bool]:
    """The addresses of one From header and whether it follows RFC 5322, section 3.4.

    What the grammar cannot read is read as leniently as mail clients do, and called unsound.
    """
    cut = value[:_MAX_ADDRESSES]
    try:
        header: Any = policy.default.header_factory("from", cut)
        found = tuple(Mailbox(entry.display_name, entry.addr_spec) for entry in header.addresses)
        sound = not header.defects and len(cut) == len(value) and not any(g.display_name for g in header.groups)
    except Exception:  # noqa: BLE001  the library's parser has bugs of every type on hostile headers
        found, sound = (), False
    plain = tuple(box for box in found if _is_address(box.address))
    if plain and len(plain) == len(found):
        return plain, sound
    lenient = tuple(Mailbox(decoded(name), address) for name, address in _lenient(cut) if _is_address(address))
    return lenient, False


def message_ids(value: str) -> tuple[str, ...]:
    """The msg-ids of Message-ID, In-Reply-To or References, in order, each once (RFC 5322, section 3.6.4)."""
    return tuple(dict.fromkeys(found for found in _MSG_ID.findall(value) if found.isascii() and found.isprintable()))


def _run_text(run: list[re.Match[str]]) -> str:
    """Adjacent words of one charset: their bytes are joined first, of base64 even its letters."""
    data = b""
    for encoding, words in itertools.groupby(run, lambda word: word[2].upper()):
        payloads = [word[3].encode("utf-8", "replace") for word in words]
        data += _base64(b"".join(payloads)) if encoding == "B" else b"".join(_quoted(each) for each in payloads)
    return to_text(data, run[0][1])


def _quoted(payload: bytes) -> bytes:
    return quopri.decodestring(payload.replace(b"_", b"=20"))


def _base64(payload: bytes) -> bytes:
    """Also without padding, with padding in the middle, and with letters that are none."""
    data = b""
    for letters in re.findall(rb"[A-Za-z0-9+/]+", re.sub(rb"[^A-Za-z0-9+/=]", b"", payload)):
        whole = letters[:-1] if len(letters) % 4 == 1 else letters
        data += base64.b64decode(whole + b"=" * (-len(whole) % 4))
    return data


def _lenient(value: str) -> list[tuple[str, str]]:
    try:
        pairs = cast(list[tuple[str, str]], cast(Any, getaddresses)([value]))
    except Exception:  # noqa: BLE001  as above
        return []
    return pairs


def _is_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    return bool(at and local and domain) and not re.search(r"[\s<>,;:\"()\x00-\x1f]", domain)
