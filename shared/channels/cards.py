"""Numbers of payment cards in what customers write, masked before anything keeps or reads them (decision 0033).

A card's number has 13 to 19 digits that begin as an issuer's do (ISO/IEC 7812) and end with a check digit (Luhn), in
one block or in groups of three and more. What begins otherwise, a number after `+` or a letter, and an IBAN stay.
"""

from __future__ import annotations

import re

from shared.channels.message import InboundMessage

_GAP = r"[ \t\u00a0\u2009\u202f.\u2010-\u2015-]{1,3}"
_RUN = re.compile(rf"(?<![A-Za-z0-9_])\d{{3,19}}(?:{_GAP}\d{{3,19}})*(?![A-Za-z0-9_])")
_GROUP = re.compile(r"\d+")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{1,4}){3,8}(?![A-Za-z0-9])")
_LENGTHS = range(13, 20)
#: Groups of three digits and more that the longest of them can have.
_MOST_GROUPS = _LENGTHS[-1] // 3
#: First digits by issuer: American Express, Diners, JCB; Visa; Mastercard, Maestro; Discover, UnionPay and their like.
_ISSUED = re.compile(r"3(?:[47]|0[0-5]|[689]|5(?:2[89]|[3-8]))|4|5[0-8]|2(?:2(?:2[1-9]|[3-9])|[3-6]|7(?:[01]|20))|6")


def mask_cards(text: str) -> str:
    """The text with all but the last four digits of each card's number gone: `•••• 1111`."""
    kept = [found.span() for found in _IBAN.finditer(text) if _is_iban(found[0])]
    return _RUN.sub(lambda run: run[0] if _within(run.span(), kept) else _masked(run), text)


def without_cards(message: InboundMessage) -> InboundMessage:
    """The message as it is passed on and stored: words, subject, what it quotes, and the text of its files."""
    files = tuple(file.model_copy(update={"text": mask_cards(file.text)}) for file in message.attachments)
    words = {name: mask_cards(getattr(message, name)) for name in ("subject", "text", "quoted")}
    return message.model_copy(update={**words, "attachments": files})


def _masked(run: re.Match[str]) -> str:
    """A run of groups; a date or the three digits of the back may stand beside the number."""
    text, groups = run[0], [group.span() for group in _GROUP.finditer(run[0])]
    # After a plus the first group begins a telephone number.
    first = 1 if run.string.endswith("+", 0, run.start()) else 0
    told, kept_to = "", 0
    while first < len(groups):
        start, ends = groups[first][0], [end for _, end in groups[first : first + _MOST_GROUPS]]
        taken = next((count for count in range(len(ends), 0, -1) if _is_card(text[start : ends[count - 1]])), 0)
        if taken:
            rest = "".join(str(int(digit)) for digit in text[start : ends[taken - 1]] if digit.isdecimal())[-4:]
            told, kept_to = f"{told}{text[kept_to:start]}•••• {rest}", ends[taken - 1]
        first += taken or 1
    return told + text[kept_to:]


def _is_card(text: str) -> bool:
    digits = [int(char) for char in text if char.isdecimal()]
    if len(digits) not in _LENGTHS or len(set(digits)) == 1 or not _ISSUED.match("".join(map(str, digits))):
        return False
    doubled = (sum(divmod(digit * 2, 10)) if at % 2 else digit for at, digit in enumerate(reversed(digits)))
    return sum(doubled) % 10 == 0


def _is_iban(text: str) -> bool:
    """By its check digits (ISO 13616)."""
    bare = re.sub(r"[ -]", "", text).upper()
    return int("".join(str(int(char, 36)) for char in bare[4:] + bare[:4])) % 97 == 1


def _within(span: tuple[int, int], spans: list[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in spans)
