"""HTML of a mail to the plain text its writer would have sent (inscriptis).

What clients mark as a quote becomes lines with `>`, as in plain mail, and Outlook's reply header gets
a separator, so that one splitter (quoting.py) serves both kinds. Nothing here raises.
"""

# lxml and inscriptis carry no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import html
import re
from typing import Any

import lxml.html
from inscriptis import Inscriptis
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

from shared.channels.gmail import html_marks
from shared.channels.gmail.html_bounds import has_crowded_tag, lay_out_no_large_tables
from shared.channels.gmail.html_marks import SIGNATURE_MARK

#: Characters of HTML that are read; nobody writes more by hand.
MAX_HTML = 1_000_000
#: Deeper nesting than any mail client makes; beyond it the tree walkers would recurse too far.
_MAX_DEPTH = 200

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]{0,30})[^<>]*>")
# Elements without an end tag, or whose end tag people leave out: they do not count as depth.
_FLAT = re.compile(
    r"(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr|p|li|td|tr|th|tbody|thead|tfoot|dd|dt"
    r"|option|html|head|body)",
    re.IGNORECASE,
)
# What a reader never sees, and how it ends.
_UNSEEN = re.compile(r"<(?:!--|(script|style|head|title|template)\b)", re.IGNORECASE)
_BREAK = re.compile(r"<\s*(?:br|/p|/div|/tr|/li|/h[1-6]|/table|/blockquote)\b[^<>]{0,2000}>", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\xa0]+")
_MANY_BLANK = re.compile(r"\n[ \t]*(?:\n[ \t]*){2,}")


def to_text(source: str) -> str:
    """Readable text with `>` before quoted lines; too deep, crowded or broken HTML loses its layout, not its words."""
    source = source[:MAX_HTML].replace(SIGNATURE_MARK, "")
    if not _TAG.search(source):
        return html.unescape(source)
    if _too_deep(source) or has_crowded_tag(source):
        return _stripped(source)
    try:
        tree = lxml.html.document_fromstring(
            _as_bytes(source), parser=lxml.html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True)
        )
        lay_out_no_large_tables(tree)
        html_marks.prepare(tree, lambda part: _tidy(_rendered(part)))
        return _tidy(_rendered(tree)) or _stripped(source)
    except (etree.LxmlError, ValueError, RecursionError, TypeError, AttributeError, KeyError, IndexError):
        return _stripped(source)


def _as_bytes(source: str) -> bytes:
    # As bytes with a named encoding: a <meta charset> or an XML declaration inside is then not obeyed.
    return source.replace("\x00", "").encode("utf-8", "replace")


def _rendered(tree: Any) -> str:
    return Inscriptis(tree, ParserConfig(css=CSS_PROFILES["strict"])).get_text()


def _too_deep(source: str) -> bool:
    depth = deepest = 0
    for tag in _TAG.finditer(source):
        if not _FLAT.fullmatch(tag[2]) and not tag[0].endswith("/>"):
            depth = max(0, depth + (-1 if tag[1] else 1))
            deepest = max(deepest, depth)
    return deepest > _MAX_DEPTH


def _tidy(text: str) -> str:
    lines = (line.rstrip() for line in text.replace("\xa0", " ").split("\n"))
    return _MANY_BLANK.sub("\n\n", "\n".join(lines)).strip("\n")


def _stripped(source: str) -> str:
    """The words alone: every tag is a space, or a line end where a block ends."""
    text = _TAG.sub(" ", _BREAK.sub("\n", _seen(source)))
    lines = (_SPACES.sub(" ", line).strip() for line in html.unescape(text).split("\n"))
    return _tidy("\n".join(lines))


def _seen(source: str) -> str:
    """Without comments, scripts and styles; one that never ends hides the rest, as in a browser."""
    lowered, kept, at = source.lower(), list[str](), 0
    while found := _UNSEEN.search(source, at):
        kept.append(source[at : found.start()])
        ending = f"</{found[1].lower()}" if found[1] else "-->"
        end = lowered.find(ending, found.end())
        if end < 0:
            return " ".join(kept)
        at = end + len(ending)
    return " ".join([*kept, source[at:]])
