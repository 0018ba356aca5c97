"""What mail clients mark in HTML and plain text shows badly: quotes, signatures, hidden lines, links, emoji.

Works on lxml's tree before it is rendered. Names are those that the clients write into their own mails.
"""

# lxml carries no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

from shared.channels.gmail.phrases import LABELS

#: Begins each line of what the client marked as a signature; quoting.py takes it away.
SIGNATURE_MARK = "\ue000"
SEPARATOR = "-----Original Message-----"
_MOST = 200
_MOST_HEADERS = 20
_LONGEST_SIGNATURE = 1500
_INDENT_ONLY = re.compile(r"margin[^;]*40px.*border:\s*none|border:\s*none.*margin[^;]*40px", re.IGNORECASE)
# Lines for an inbox's preview, tracking pixels, what other clients alone show.
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all"
    r"|(?:max-height|max-width|opacity)\s*:\s*0(?:px)?\s*(?:;|!|$)",
    re.IGNORECASE,
)
# Newsletters set it on a frame, and a size again on what is inside.
_NO_SIZE = re.compile(r"font-size\s*:\s*0(?:px|pt|em)?\s*(?:;|!|$)", re.IGNORECASE)
# Outlook's reply header, by its id or by the line it draws above; below it all is the original.
_REPLY_HEADERS = (
    "//*[@id='divRplyFwdMsg' or @id='x_divRplyFwdMsg' or @id='appendonsend' or @id='x_appendonsend'"
    " or @id='stopSpelling' or @id='zwchr' or @id='mail-editor-reference-message-container'"
    " or contains(@style, 'border-top:solid #E1E1E1') or contains(@style, 'border-top:solid #B5C4DF')"
    " or contains(@style, 'border-top: solid #E1E1E1') or contains(@style, 'border-top: solid #B5C4DF')]"
)
# Wholly the original, with the line that introduces it: Yahoo, Proton, Zoho, GMX, Spark, Outlook for Mac, Zimbra.
_QUOTES = (
    "//*[contains(@class, 'yahoo_quoted') or contains(@class, 'protonmail_quote') or contains(@class, 'zmail_extra')"
    " or contains(@class, 'tutanota_quote') or contains(@class, 'moz-cite-prefix') or contains(@class, 'gmail_attr')"
    " or @name='quote' or @name='messageReplySection' or @id='OLK_SRC_BODY_SECTION' or @id='isReplyContent'"
    " or @data-marker='__QUOTED_TEXT__' or @data-marker='__HEADERS__']"
)
_SIGNATURES = (
    "//*[contains(@class, 'gmail_signature') or @data-smartmail='gmail_signature' or contains(@class, 'moz-signature')"
    " or contains(@class, 'protonmail_signature_block') or contains(@class, 'ymail_android_signature')"
    " or @id='Signature' or @id='x_Signature' or @id='ms-outlook-mobile-signature' or @id='composer_signature'"
    " or @name='messageSignatureSection' or @data-marker='__SIG_PRE__' or @data-marker='__SIG_POST__'"
    " or contains(@class, 'yahoo-signature') or contains(@class, 'zmail_signature')]"
)
_FORWARDED = re.compile(r"-{3,}|forwarded|weitergeleitet", re.IGNORECASE)

Render = Callable[[Any], str]


def prepare(tree: Any, render: Render) -> None:
    """All of it, in the order that it takes."""
    drop_hidden(tree)
    show_pictures(tree)
    _break_at_rules(tree)
    name_links(tree)
    _mark_reply_header(tree)
    _mark_quotes(tree, render)
    _mark_signatures(tree, render)


def drop_hidden(tree: Any) -> None:
    """Take away what no reader sees, unless nothing else is there."""
    for element in [each for each in tree.iter(etree.Element) if _is_hidden(each)]:
        if element.tag not in ("html", "body") and element.getparent() is not None:
            _replace(element, None)


def _is_hidden(element: Any) -> bool:
    style = element.get("style") or ""
    if element.get("hidden") is not None or _HIDDEN.search(style):
        return True
    return bool(_NO_SIZE.search(style)) and not element.xpath("descendant::*[contains(@style, 'font-size')]")


def show_pictures(tree: Any) -> None:
    """An emoji that a client sends as a picture is a character again."""
    for image in list(tree.iter("img")):
        alt = (image.get("alt") or "").strip()
        if 0 < len(alt) <= 8 and not alt.isascii():
            shown = etree.Element("span")
            shown.text = alt
            _replace(image, shown)


def _break_at_rules(tree: Any) -> None:
    """A rule stands on a line of its own, that is: the words before it end theirs."""
    for rule in list(tree.iter("hr")):
        line = etree.Element("div")
        # Zimbra knows its reply header by the rule above it.
        if name := rule.get("id"):
            line.set("id", name)
        _replace(rule, line)


def name_links(tree: Any) -> None:
    """Where a link leads, after words that do not say so."""
    for link in list(tree.iter("a"))[:_MOST]:
        target = (link.get("href") or "").strip()
        words = "".join(link.itertext()).strip()
        bare = re.sub(r"^https?://(?:www\.)?|/$", "", target)
        if not words or len(target) > 200 or not target.startswith(("http://", "https://")) or bare in words:
            continue
        shown = etree.SubElement(link, "span")
        shown.text = f" <{target}>"


def _mark_reply_header(tree: Any) -> None:
    found = (each for each in tree.xpath(_REPLY_HEADERS)[:_MOST_HEADERS] if _is_reply_header(each))
    element = next(found, None)
    if element is not None:
        marker = etree.Element("pre")
        marker.text = f"\n{SEPARATOR}\n"
        element.addprevious(marker)


def _is_reply_header(element: Any) -> bool:
    """A line drawn above, or Outlook's empty mark, is one only where labels like "From:" follow."""
    name = (element.get("id") or "").removeprefix("x_")
    if name and name != "appendonsend":
        return True
    inside = element.xpath("descendant::text()[normalize-space()][position() <= 20]")
    below = [] if inside else element.xpath("(following::text()[normalize-space()])[position() <= 20]")
    texts = [text.strip()[:200] for text in [*inside, *below]]
    kinds = {kind for text in texts for kind, label in LABELS.items() if label.match(text)}
    # In a language that the labels lack: several of them, and an address.
    labelled = sum(text.endswith((":", "：")) for text in texts) >= 3 and any("@" in text for text in texts)
    return labelled or ("from" in kinds and len(kinds) > 1)


def _mark_quotes(tree: Any, render: Render) -> None:
    """Turn quotes, innermost first, into preformatted lines that begin with `>`."""
    marked = [element for element in tree.xpath(_QUOTES) if not _introduces_forward(element)]
    quotes = {element for element in tree.iter("blockquote") if not _is_indent(element)}
    quotes |= {element for element in marked if element.tag not in ("html", "body", "blockquote")}
    in_order = [element for element in tree.iter(etree.Element) if element in quotes]
    for element in reversed(in_order[:_MOST]):
        if element.tag != "blockquote" and any(
            other.tag == "pre" and (other.text or "").startswith("\n>") for other in element.iter("pre")
        ):
            _introduced(element, render)
        else:
            _as_lines(element, render, _quoted)


def _introduced(element: Any, render: Render) -> None:
    """A container around a quote that has its marks already: only the lines beside it get theirs."""
    _as_lines(element, render, lambda line: line if line.startswith(">") else _quoted(line))


def _mark_signatures(tree: Any, render: Render) -> None:
    for element in tree.xpath(_SIGNATURES)[:_MOST]:
        if element.getparent() is None or element.tag in ("html", "body", "pre"):
            continue
        text = "".join(element.itertext())
        is_alone = next(element.iter("blockquote"), None) is None and SEPARATOR not in text and "\n>" not in text
        if is_alone and text.strip() and len(text) <= _LONGEST_SIGNATURE:
            _as_lines(element, render, lambda line: SIGNATURE_MARK + line if line else line)


def _as_lines(element: Any, render: Render, mark: Callable[[str], str]) -> None:
    inner = render(_alone(element))
    shown = etree.Element("pre")
    shown.text = "\n" + "\n".join(mark(line) for line in inner.split("\n")) + "\n"
    _replace(element, shown)


def _quoted(line: str) -> str:
    return f">{line}" if line.startswith(">") else f"> {line}".rstrip()


def _replace(element: Any, other: Any | None) -> None:
    """Put `other`, or nothing, in an element's place; the text after it stays."""
    parent, tail = element.getparent(), element.tail
    if parent is None:
        return
    if other is not None:
        other.tail = tail
        parent.replace(element, other)
        return
    before = element.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + (tail or "")
    else:
        parent.text = (parent.text or "") + (tail or "")
    parent.remove(element)


def _alone(element: Any) -> Any:
    """The contents of an element as a document of their own."""
    document = etree.Element("html")
    body = etree.SubElement(document, "body")
    body.text = element.text
    for child in list(element):
        body.append(child)
    return document


def _is_indent(element: Any) -> bool:
    """Gmail's indent button makes a blockquote too; it is the writer's own text."""
    return bool(_INDENT_ONLY.search(element.get("style") or ""))


def _introduces_forward(element: Any) -> bool:
    return "gmail_attr" in (element.get("class") or "") and bool(_FORWARDED.search("".join(element.itertext())))
