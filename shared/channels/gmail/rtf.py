"""Rich text to what a reader sees; where it was HTML or plain text once, to what it was (MS-OXRTFEX).

Tokens are read one after the other over a stack of groups, so that the work is in proportion to the bytes. Nothing
here raises. What is unknown is left out where RTF marks it as such (`\\*`), and otherwise passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from shared.channels.gmail.charset import to_text
from shared.channels.gmail.compressed_rtf import MAX_RTF
from shared.channels.gmail.rtf_words import CHARSETS, DESTINATIONS, ENTITIES, PAGES, SIGNS, SPACES

#: Groups within groups; no writer of text comes near.
_MAX_DEPTH = 500
#: What is read at most: a letter beyond ASCII is one or two tokens, and nobody writes so many by hand.
_MAX_TOKENS = 150_000
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?[0-9]{1,10})? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|[\r\n]+|([^\\{}\r\n]+)|\\", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class RichText:
    """What stands in it: `html` where it was made from HTML, else `text`."""

    text: str = ""
    html: str = ""


@dataclass(slots=True)
class _Group:
    """What holds within one group and the groups inside it."""

    unseen: bool = False
    hidden: bool = False
    tag: bool = False
    for_rtf: bool = False
    fonts: bool = False
    codepage: str = ""
    uc: int = 1
    starred: bool = False

    def inner(self) -> _Group:
        return _Group(self.unseen, self.hidden, self.tag, self.for_rtf, self.fonts, self.codepage, self.uc)


@dataclass(slots=True)
class _Reading:
    """One pass over the tokens."""

    source: bytes
    codepage: str = "cp1252"
    from_html: bool = False
    font: int = 0
    default_font: int = 0
    charsets: dict[int, str] = field(default_factory=dict[int, str])
    stack: list[_Group] = field(default_factory=list[_Group])
    group: _Group = field(default_factory=_Group)
    pending: bytearray = field(default_factory=bytearray)
    made: list[str] = field(default_factory=list[str])
    skip: int = 0

    def run(self) -> str:
        at = 0
        for _ in range(_MAX_TOKENS):
            found = _TOKEN.match(self.source, at)
            if found is None:
                break
            at = found.end()
            word, number, hexed, symbol, brace, text = found.groups()
            if word:
                at += self._word(word.decode("ascii"), number)
            elif brace:
                if not self._brace(brace):
                    break
            elif symbol:
                self._symbol(symbol)
            elif hexed or text:
                self._bytes(bytes.fromhex(hexed.decode()) if hexed else text)
        self._flush()
        return _paired("".join(self.made))

    def _brace(self, brace: bytes) -> bool:
        self._flush()
        self.skip = 0
        if brace == b"{":
            self.stack.append(self.group)
            self.group = self.group.inner()
        elif self.stack:
            self.group = self.stack.pop()
        return len(self.stack) <= _MAX_DEPTH

    def _bytes(self, data: bytes) -> None:
        """Bytes of text; those that stand in for a `\\u` before them are left out."""
        kept = data[self.skip :]
        self.skip -= len(data) - len(kept)
        if self._shown():
            self.pending += kept

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self.group.starred = True
        elif symbol in b"{}\\":
            self._bytes(symbol)
        elif symbol in b"\r\n":
            self._put("\n")
        elif symbol in b"~_":
            shown = {b"~": ("\xa0", "&nbsp;"), b"_": ("-", "&#8209;")}[symbol]
            self._put(shown[self.from_html])

    def _word(self, word: str, number: bytes | None) -> int:
        """Follow one control word; how many bytes after it are no text."""
        value = int(number) if number else None
        if self.skip and word not in {"u", "bin"}:
            # A control word counts as one character of what stands in for `\u`.
            self.skip -= 1
            return 0
        if word == "bin":
            return max(0, min(value or 0, MAX_RTF))
        if word == "u":
            self._put(chr((value or 0) & 0xFFFF))
            self.skip = self.group.uc
        elif word in SPACES or word in SIGNS:
            shown = SPACES.get(word) or SIGNS[word]
            self._put(ENTITIES.get(word, shown) if self.from_html else shown)
        elif not self._destination(word):
            self._property(word, value)
        return 0

    def _destination(self, word: str) -> bool:
        """Whether `word` says what the group is for."""
        group = self.group
        if word in {"htmltag", "mhtmltag"} or (group.starred and word != "shppict"):
            group.tag = word == "htmltag" and self.from_html
            group.unseen = not group.tag or group.unseen
            group.starred = False
        elif word in DESTINATIONS:
            group.unseen = True
            group.fonts = word == "fonttbl"
        else:
            return False
        return True

    def _property(self, word: str, value: int | None) -> None:
        """What changes how the following is read."""
        self._flush()
        group = self.group
        if word == "f" and value is not None:
            self.font = value
            group.codepage = self.charsets.get(value, "")
        elif word in {"fcharset", "cpg"} and group.fonts:
            self.charsets[self.font] = CHARSETS.get(value or 0, "") if word == "fcharset" else _page(value)
        elif word == "plain":
            group.hidden, group.codepage = False, self.charsets.get(self.default_font, "")
        elif word == "v":
            group.hidden = value != 0
        elif word == "htmlrtf":
            group.for_rtf = value != 0
        elif word == "uc":
            group.uc = max(0, min(value or 0, 8))
        else:
            self._of_the_document(word, value)

    def _of_the_document(self, word: str, value: int | None) -> None:
        if word == "fromhtml":
            self.from_html = value != 0
        elif word == "deff":
            self.default_font = value or 0
        elif word == "ansicpg":
            self.codepage = _page(value) or self.codepage
        elif word in PAGES:
            self.codepage = PAGES[word]

    def _shown(self) -> bool:
        group = self.group
        return not (group.unseen or (group.for_rtf and self.from_html) or (group.hidden and not group.tag))

    def _put(self, text: str) -> None:
        self._flush()
        if self._shown():
            self.made.append(text)

    def _flush(self) -> None:
        """The bytes so far as text: letters of two bytes are whole only together."""
        if self.pending:
            page = self.codepage if self.group.tag else self.group.codepage or self.codepage
            self.made.append(to_text(bytes(self.pending), page))
            self.pending.clear()


def read(source: bytes) -> RichText:
    """What a person sees of `source`, RTF of any writer; empty for what is none."""
    if not source.lstrip().startswith(b"{\\rtf"):
        return RichText()
    reading = _Reading(source[:MAX_RTF])
    made = reading.run()
    return RichText(html=made) if reading.from_html else RichText(text=made)


def _page(value: int | None) -> str:
    return f"cp{value}" if value and value > 0 else ""


def _paired(text: str) -> str:
    """Halves of letters beyond the first plane are one letter."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
