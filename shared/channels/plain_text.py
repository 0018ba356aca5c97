"""Text from outside, made fit to store and to show, without changing what it says.

Removed are the characters that no store or screen agrees on: NUL and the other control characters
(but line feed and tab), and halves of surrogate pairs, which UTF-8 cannot carry (RFC 3629). The
marks that steer right-to-left text stay: they are part of the writing.
"""

from __future__ import annotations

import re
import unicodedata

from shared.channels.publish import CUT_NOTE

_LINE_ENDS = re.compile(r"\r\n?|\u2028|\u2029|\x85")
_UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# They turn what follows round: `fdp.exe` would look like `exe.pdf`.
_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"})


def clean(text: str) -> str:
    """`text` with line feeds for line ends and without control characters; may come out empty."""
    return _UNWANTED.sub("", _LINE_ENDS.sub("\n", text))


def one_line(text: str, limit: int) -> str:
    """A name or a subject: cleaned, white space folded into single spaces, at most `limit` characters."""
    return " ".join(clean(text).split())[:limit].rstrip()


def bare_name(name: str) -> str:
    """A file's name without folders, control characters and overrides of direction, at most 255 characters."""
    shown = _OVERRIDES.sub("", one_line(name.encode("utf-8", "replace").decode(), 2000))
    return shown.replace("\\", "/").rsplit("/", 1)[-1].strip()[-255:]


def is_blank(text: str) -> bool:
    """Whether nothing in it can be seen: empty, white space, zero-width characters."""
    return all(unicodedata.category(character) in _INVISIBLE for character in text)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters; what is longer ends between two words, with CUT_NOTE."""
    if len(text) <= limit:
        return text
    kept = text[: limit - len(CUT_NOTE)]
    head, space, tail = kept.rpartition(" ")
    # A text without spaces, or one huge word, is cut where it stands.
    return (head if space and len(tail) < 100 else kept) + CUT_NOTE
