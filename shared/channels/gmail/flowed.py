"""format=flowed text back to paragraphs (RFC 3676)."""

from __future__ import annotations

_SIGNATURE = "-- "
# More than the spaces that may stand before the mark of a quote.
_NO_QUOTE = " " * 4


def unflowed(text: str, *, del_sp: bool) -> str:
    """Join flowed lines of one quote depth and undo space-stuffing; quotes keep `>` once a level and a space."""
    paragraphs: list[tuple[int, list[str]]] = []
    flowing = False
    for line in text.split("\n"):
        depth, content = _unquoted(line)
        if content == _SIGNATURE:
            # Section 4.3: a signature line is never flowed, and no paragraph flows into it.
            paragraphs.append((depth, [content]))
            flowing = False
            continue
        flows = content.endswith(" ")
        body = content[:-1] if flows and del_sp else content
        if flowing and paragraphs[-1][0] == depth:
            paragraphs[-1][1].append(body)
        else:
            paragraphs.append((depth, [body]))
        flowing = flows
    return "\n".join(_shown(depth, "".join(bodies)) for depth, bodies in paragraphs)


def _unquoted(line: str) -> tuple[int, str]:
    content = line.lstrip(">")
    depth = len(line) - len(content)
    return depth, content.removeprefix(" ")


def _shown(depth: int, body: str) -> str:
    kept = body if body == _SIGNATURE else body.rstrip(" ")
    if not depth and kept.startswith(">"):
        # Section 4.4: it was stuffed, so that nobody takes it for a quote; nor may the splitter.
        return _NO_QUOTE + kept
    return f"{'>' * depth} {kept}".rstrip() if depth else kept
