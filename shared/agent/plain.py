"""Markdown to the plain text that mail and WhatsApp show, in whole sentences and whole lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ITEM = re.compile(r"^\s*(?:[-*+]|(\d{1,3})[.)])\s+(.*)$")
_ROW = re.compile(r"^\s*\|(.*)\|\s*$")
_RULE = re.compile(r"^[\s|:-]+$")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_LINK = re.compile(r"\[([^\]]+)\]\((\S+?)\)")
_MARKS = re.compile(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*])\*(\S(?:[^*]*\S)?)\*(?![\w*])")
#: Ends a line that is whole; characters from which a line may have been broken at a column.
_ENDED = re.compile(r"[.!?:;؟۔…][\"”’»)]*$")
_WRAPPED = 40
#: Ends a line of any length, as an address can't be broken.
_ADDRESS_LAST = re.compile(r"(?<!\S)[(<]?(?:https?://|www\.)\S+$", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])(?<!\be\.g\.)(?<!\bi\.e\.)\s+(?=[A-ZÄÖÜÁÉÍÓÚÑ0-9\"“„«¿¡(])")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph (its sentences) or a list (its items, each with its mark: `1.` or `-`)."""

    lines: tuple[str, ...]
    is_list: bool = False

    def __str__(self) -> str:
        return ("\n" if self.is_list else " ").join(self.lines)


def blocks(markdown: str) -> list[Block]:
    """The paragraphs and lists of a passage in order."""
    return [block for part in re.split(r"\n\s*\n", markdown.strip()) for block in _part(part) if block.lines]


def _part(part: str) -> Iterator[Block]:
    lines = [line for line in part.splitlines() if line.strip() and not _FENCE.match(line)]
    if lines and all(_ROW.match(line) for line in lines):
        yield Block(tuple(_rows(lines)), is_list=True)
        return
    first = next((place for place, line in enumerate(lines) if _ITEM.match(line)), len(lines))
    if paragraph := " ".join(line.strip() for line in lines[:first]):
        yield Block(tuple(sentences(inline(paragraph))))
    if first < len(lines):
        yield Block(tuple(_items(lines[first:])), is_list=True)


def _items(lines: list[str]) -> list[str]:
    items: list[str] = []
    for line in lines:
        match = _ITEM.match(line)
        if match:
            items.append(f"{match[1]}. {match[2]}" if match[1] else f"- {match[2]}")
        else:
            items[-1] += f" {line.strip()}"
    return [inline(item) for item in items]


def _rows(lines: list[str]) -> Iterator[str]:
    """Each row of a table as a line: `- Members: Starter 2, Team 100`."""
    cells = [[inline(cell.strip()) for cell in line.strip().strip("|").split("|")] for line in lines]
    head, *rows = [row for row, line in zip(cells, lines, strict=True) if not _RULE.match(line)]
    for row in rows:
        pairs = [f"{name} {value}".strip() for name, value in zip(head[1:], row[1:], strict=False)]
        yield f"- {row[0]}: {', '.join(pairs)}"


def unwrapped(text: str) -> str:
    """The text with each paragraph and each point on one line: a model may break its lines at a column."""
    lines: list[str] = []
    for line in text.splitlines():
        if lines and _goes_on(lines[-1], line):
            lines[-1] = f"{lines[-1].rstrip()} {line.strip()}"
        else:
            lines.append(line)
    return "\n".join(lines)


def _goes_on(before: str, line: str) -> bool:
    """Whether a line goes on in mid-sentence: in small letters, behind a long line, or behind half a path."""
    said, more = before.rstrip(), line.lstrip()
    if not said.strip() or not more or _ITEM.match(line) or _ENDED.search(said):
        return False
    if said.endswith(",") and len(said) < _WRAPPED:
        return False  # a greeting
    if _ADDRESS_LAST.search(said) and not more[0].islower():
        return False  # a page that is named; the next line names another
    return len(said) >= _WRAPPED or (not more[0].isupper() and more[0].isalnum()) or said[-1] in "›>→0123456789"


def inline(text: str) -> str:
    """One line without Markdown's marks; a link keeps its text and, unless they are the same, its address."""
    linked = _LINK.sub(lambda match: match[1] if match[1] == match[2] else f"{match[1]} ({match[2]})", text)
    return " ".join(_EMPHASIS.sub(r"\1", _MARKS.sub(r"\2", linked)).replace("\\", "").split())


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph, each with its full stop."""
    return [one for one in _SENTENCE_END.split(text) if one]
