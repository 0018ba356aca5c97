"""Signatures that no client marked: below a delimiter, a device's line, a legal notice, contact details.

What asks something or is a postscript is never one of them, and what reads like a sentence hardly ever.
"""

from __future__ import annotations

import re

from shared.channels.gmail.phrases import CLOSING, CONFIDENTIAL, FOOTER, INTENDED, NOTICE, is_device

_LONGEST = 500
_SIGNATURE_LINES = 15
_SHORT = 90
_NARROW = 60
_LONGEST_NOTICE = 4000
_LINK = re.compile(r"<?(?:https?://|www\.)\S+", re.IGNORECASE)
_BARE_LINK = re.compile(r"<?(?:https?://|www\.|#)[^\s<>]{3,170}>?", re.IGNORECASE)
_DELIMITERS = {"--", "—"}
_PHONE = re.compile(r"\+?\d[\d\s()./-]{6,}\d")
_MAILBOX = re.compile(r"[^\s@]+@[^\s@]+\.[a-z]{2,}", re.IGNORECASE)
_CONTACT = re.compile(rf"{_PHONE.pattern}|https?://|www\.|{_MAILBOX.pattern}|\s\|\s", re.IGNORECASE)
_ASKS = re.compile("[?？؟]")
_POSTSCRIPT = re.compile(r"\s*(?:p\.\s?s\b|pp?s[\s:.,]|p\.\s?d\.|pd\s?:|n\.\s?b\.)", re.IGNORECASE)
_ENDS = re.compile(r"[.!。！…]\s*$")
_WORD = re.compile(r"[^\W\d_]{2,}")
_MOST_ADDRESSES = 2


def without_signature(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines, and apart from them the signature at their end."""
    kept, below = _cut_at_delimiter(lines)
    for cut in (_cut_notices, _cut_device, _cut_contact):
        kept, more = cut(kept)
        below = more + below
    return kept, below


def says_something(lines: list[str]) -> bool:
    """Whether a question or a postscript is among the lines; a link may hold a question mark."""
    return any(_POSTSCRIPT.match(line) or _ASKS.search(_LINK.sub("", line)) for line in lines)


def is_sentence(line: str) -> bool:
    """Words that no title, address or slogan is made of; a legal notice is furniture all the same."""
    words = len(line.split())
    ends = words >= 5 and _ENDS.search(line[-20:])
    long = words >= 8 and not any(sign.isdigit() for sign in line)
    return bool(ends or long) and not _is_notice([line])


def _cut_at_delimiter(lines: list[str]) -> tuple[list[str], list[str]]:
    """At `-- ` (RFC 3676, section 4.3), or the bare `--` of those who lose the space."""
    for at in range(len(lines) - 1, max(-1, len(lines) - 2 * _SIGNATURE_LINES - 1), -1):
        marked, bare = lines[at] == "-- ", lines[at].strip() in _DELIMITERS
        if marked or (bare and len(lines) - at <= _SIGNATURE_LINES):
            is_one = _is_below_mark(lines[at + 1 :]) if marked else _is_below_bare_mark(lines[at + 1 :])
            return (lines[:at], lines[at:]) if is_one else (lines, [])
    return lines, []


def _is_below_mark(below: list[str]) -> bool:
    """Anything but a question, or sentences below an empty line: a script may hold the mark as well."""
    first = next((at for at, line in enumerate(below) if not line.strip()), len(below))
    return not says_something(below) and not any(is_sentence(line) for line in below[first:])


def _is_below_bare_mark(below: list[str]) -> bool:
    """Short lines, none of which ends a sentence: many a writer puts dashes between two matters."""
    return not says_something(below) and all(
        len(line) <= _NARROW and not (_ENDS.search(line) and len(line.split()) >= 3) for line in below
    )


def _last_paragraph(lines: list[str], end: int) -> int:
    """Where the last paragraph before `end` begins."""
    while end and not lines[end - 1].strip():
        end -= 1
    while end and lines[end - 1].strip():
        end -= 1
    return end


def _cut_notices(lines: list[str]) -> tuple[list[str], list[str]]:
    end = len(lines)
    while end:
        at = _last_paragraph(lines, end)
        if not _is_notice(lines[at:end]):
            break
        end = at
    return lines[:end], lines[end:]


def _is_notice(lines: list[str]) -> bool:
    """A legal notice about this mail, or what asks to think before it is printed."""
    if sum(map(len, lines)) > _LONGEST_NOTICE or says_something(lines):
        return False
    paragraph = " ".join(lines).strip()
    if NOTICE.match(paragraph) and CONFIDENTIAL.search(paragraph) and INTENDED.search(paragraph):
        return True
    return 0 < len(paragraph) < 3 * _SHORT and all(part.search(paragraph) for part in FOOTER)


def _cut_device(lines: list[str]) -> tuple[list[str], list[str]]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    start = at = end
    # A scanner's line may have its maker's address below it.
    while at and len(lines[at - 1]) < _SHORT * 2 and (added := _is_added(lines[at - 1])):
        at -= 1
        start = at if added == "device" else start
    if start == end or says_something(lines[start:]):
        return lines, []
    start -= 1 if start and lines[start - 1].strip() in _DELIMITERS else 0
    return lines[:start], lines[start:]


def _is_added(line: str) -> str:
    """`device` for a line that a device or a program adds, `link` for a bare address below one, else nothing."""
    if is_device(line):
        return "device"
    return "link" if _BARE_LINK.fullmatch(line.strip()) else ""


def _cut_contact(lines: list[str]) -> tuple[list[str], list[str]]:
    """Below "Best regards," and a name: contact details, when they are short lines and look like it."""
    written = [at for at, line in enumerate(lines) if line.strip()]
    for at in reversed(written[-_SIGNATURE_LINES:]):
        if not CLOSING.match(lines[at][:_LONGEST]):
            continue
        below = [later for later in written if later > at]
        if len(below) < 2 or not _is_name(lines[below[0]]) or not _are_details(lines[below[1] :], below[1] - below[0]):
            return lines, []
        return lines[: below[1]], lines[below[1] :]
    return lines, []


def _is_name(line: str) -> bool:
    return len(line) <= _SHORT and len(line.split()) <= 6 and not any(sign.isdigit() for sign in line)


def _are_details(lines: list[str], distance: int) -> bool:
    """Directly below the name also titles and places; below an empty line only telephone, address and link."""
    # Lengths first: the expressions take their time with a long line.
    if any(len(line) > _SHORT for line in lines) or says_something(lines):
        return False
    if not any(_CONTACT.search(line) for line in lines):
        return False
    if sum(len(_MAILBOX.findall(line)) for line in lines) > _MOST_ADDRESSES:
        return False
    apart = distance > 1
    for line in lines:
        apart = apart or not line.strip()
        if line.strip() and not _is_detail(line, apart=apart):
            return False
    return True


def _is_detail(line: str, *, apart: bool) -> bool:
    words = len(_WORD.findall(_MAILBOX.sub(" ", _PHONE.sub(" ", _LINK.sub(" ", line)))))
    if " | " in line:
        return True
    if apart:
        return bool(_CONTACT.search(line)) and words <= 3
    return words <= (3 if _CONTACT.search(line) else 6) and not (words >= 3 and _ENDS.search(line))
