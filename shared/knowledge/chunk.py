"""Cutting a document into passages at its headings, so that each answers one question.

A section longer than `MAX_CHARACTERS` is cut at blank lines, never inside a list, a table or a
fenced block: half of a list of steps is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from shared.knowledge.document import Document

MAX_CHARACTERS = 1800

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_BLANK_LINES = re.compile(r"\n\s*\n")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_CONTINUES = re.compile(r"^\s*([-*+]\s|\d+[.)]\s|\||\s{2,})")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One passage before it is stored; `ordinal` counts from 0 within its document."""

    ordinal: int
    heading_path: str
    content: str


@dataclass(frozen=True, slots=True)
class _Section:
    path: tuple[str, ...]
    text: str


def chunks(document: Document) -> list[Chunk]:
    """The passages of a document in order; sections without text of their own are left out."""
    return cut(document.title, document.body)


def cut(title: str, body: str) -> list[Chunk]:
    """The passages of a Markdown text; `title` leads each path and may be empty."""
    pieces = [
        (section.path, piece) for section in _sections(title, body) for piece in _pieces(section.text) if piece.strip()
    ]
    return [Chunk(ordinal, " > ".join(path), piece) for ordinal, (path, piece) in enumerate(pieces)]


def _sections(title: str, body: str) -> Iterator[_Section]:
    path: list[tuple[int, str]] = []
    lines: list[str] = []
    fenced = False
    for line in _COMMENT.sub("", body).splitlines():
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _HEADING.match(line)
        if heading is None:
            lines.append(line)
            continue
        yield _Section(_titles(title, path), "\n".join(lines).strip())
        level = len(heading[1])
        path = [*((depth, title) for depth, title in path if depth < level), (level, heading[2])]
        lines = []
    yield _Section(_titles(title, path), "\n".join(lines).strip())


def _titles(title: str, path: list[tuple[int, str]]) -> tuple[str, ...]:
    """The path below the title; a first heading that repeats the title is not said twice."""
    below = [heading for _, heading in path]
    if below and below[0].casefold() == title.casefold():
        below = below[1:]
    return (title, *below) if title else tuple(below)


def _pieces(text: str) -> Iterator[str]:
    if len(text) <= MAX_CHARACTERS:
        yield text
        return
    piece = ""
    for block in chain.from_iterable(map(_shortened, _blocks(text))):
        if piece and len(piece) + len(block) + 2 > MAX_CHARACTERS:
            yield piece
            piece = ""
        piece = f"{piece}\n\n{block}" if piece else block
    if piece:
        yield piece


def _shortened(block: str) -> Iterator[str]:
    """Prose without end, such as a page of a PDF, is cut between sentences; lists, tables and code are not."""
    if len(block) <= MAX_CHARACTERS or _FENCE.match(block) or _CONTINUES.match(block):
        yield block
        return
    piece = ""
    for sentence in _SENTENCE.split(block):
        if piece and len(piece) + len(sentence) + 1 > MAX_CHARACTERS:
            yield piece
            piece = ""
        piece = f"{piece} {sentence}" if piece else sentence
    yield piece


def _blocks(text: str) -> list[str]:
    """Paragraphs; the items of one list and the lines of one fenced block stay together."""
    blocks: list[str] = []
    fenced = False
    for paragraph in _BLANK_LINES.split(text):
        glued = fenced or (blocks and _CONTINUES.match(paragraph) and _CONTINUES.match(blocks[-1].splitlines()[-1]))
        if glued:
            blocks[-1] = f"{blocks[-1]}\n\n{paragraph}"
        else:
            blocks.append(paragraph)
        if sum(1 for line in paragraph.splitlines() if _FENCE.match(line)) % 2:
            fenced = not fenced
    return blocks
