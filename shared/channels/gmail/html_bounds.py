"""Shapes of HTML that a parser or a renderer takes squared time or room for, found before they do.

libxml2 compares each attribute of a tag with all the others, and inscriptis fills the lines of a table to its width.
"""

# lxml carries no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import re
from typing import Any

#: Attributes of one tag; mail clients write some dozens.
MOST_ATTRIBUTES = 1_000
#: Characters that all tables of a mail may be laid out in, with the spaces between the columns.
MOST_LAID_OUT = 4_000_000

_OPENS = re.compile(r"<!--|<[a-zA-Z][^\s/>]{0,100}")
_RAW = frozenset({"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"})
_NEXT = re.compile(r"""(?P<end>>)|=\s*(?:"[^"]*"?|'[^']*'?|[^\s>"']+)?|(?P<name>[^\s=>/]+)|[\s/]+""")
# The same without quotes, for a reader that is led astray by them.
_UNQUOTED = re.compile(r"<[a-zA-Z][^<>]*")
_SEPARATORS = re.compile(r"[\s/]+")
_MAY_END_LINE = (
    "count(descendant::*[self::br or self::p or self::div or self::tr or self::li or self::pre or self::hr"
    " or self::table or self::blockquote or self::h1 or self::h2 or self::h3 or self::h4 or self::dd or self::dt])"
)
_ROWS = "tr | tbody/tr | thead/tr | tfoot/tr"


def has_crowded_tag(source: str) -> bool:
    """Whether a tag has more attributes than MOST_ATTRIBUTES; one pass, in which no character is read twice."""
    if any(len(_SEPARATORS.findall(tag[0])) > 3 * MOST_ATTRIBUTES for tag in _UNQUOTED.finditer(source)):
        return True
    lowered, at = source.lower(), 0
    while opened := _OPENS.search(source, at):
        if opened[0] == "<!--":
            end = source.find("-->", opened.end())
            at = end if end >= 0 else len(source)
            continue
        attributes, at = _attributes(source, opened.end())
        if attributes > MOST_ATTRIBUTES:
            return True
        name = opened[0][1:].lower()
        if name in _RAW:
            end = lowered.find(f"</{name}", at)
            at = end if end >= 0 else len(source)
    return False


def lay_out_no_large_tables(tree: Any) -> None:
    """Make blocks of the cells of tables that would be too large, from the outermost on."""
    left = MOST_LAID_OUT
    for table in list(tree.iter("table")):
        rows = table.xpath(_ROWS)
        size = _width(rows) * (int(table.xpath(_MAY_END_LINE)) + _line_ends(table) + 1)
        left -= size
        if left < 0:
            left += size
            for part in [table, *table.xpath("tbody | thead | tfoot | caption"), *rows, *_cells(rows)]:
                part.tag = "div"


def _attributes(source: str, at: int) -> tuple[int, int]:
    count = 0
    while count <= MOST_ATTRIBUTES and (found := _NEXT.match(source, at)):
        at = found.end()
        if found["end"]:
            break
        count += found["name"] is not None
    return count, at


def _width(rows: list[Any]) -> int:
    """At most so wide: each column as wide as all the words of its fullest cell."""
    columns: list[int] = []
    for row in rows:
        for number, cell in enumerate(_cells([row])):
            width = len(cell.xpath("string()"))
            if number == len(columns):
                columns.append(width)
            columns[number] = max(columns[number], width)
    return sum(columns)


def _line_ends(table: Any) -> int:
    return sum(text.count("\n") for text in table.xpath("descendant::pre//text()"))


def _cells(rows: list[Any]) -> list[Any]:
    return [cell for row in rows for cell in row if cell.tag in {"td", "th"}]
