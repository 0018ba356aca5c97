"""Sentences that only a person may write: prices, money back, positions of law."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from shared.agent.escalation import Policy
from shared.agent.figures import in_figures, load_figures
from shared.agent.plain import unwrapped
from shared.channels.fold import letters

#: The other languages' patterns are data; English is here, since it tells a promise from a published rule.
_OTHER_LANGUAGES = Path(__file__).parent / "phrases" / "promises.txt"
_LINE = re.compile(r"^(refund|price|law)\s+\w+\s+(.+)$")
_WE = r"(?:we|i|tideline|our team|the team|support|someone|a colleague|you)"
_WILL = r"(?:'ll| will| can| could| shall| have|'ve| would|'d| are going to)?"
_AMOUNT = re.compile(
    r"(?:[$€£¥₹]\s?\d[\d.,]*|\b\d[\d.,]*\s?(?:[$€£¥₹]|usd|eur|gbp|chf|dollars?|dolares|euros?|pounds?|livres|francs?|franken"
    r"|rupees|rupien|cents?|centimes|centavos|دولار\w*|يورو|درهم\w*|ريال\w*|جنيه\w*|ڈالر\w*|روپے|روپيه)(?!\w))"
)
_PERCENT_OFF = re.compile(r"\b\d+ ?(?:%|percent|per cent) (?:off|discount|less|cheaper|reduction)")


def _compiled(patterns: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in patterns)


#: Said to this customer: never.
_REFUND_PROMISED = _compiled(
    (
        rf"\b{_WE}{_WILL} (?:\w+ )?(?:refund|reimburse|repay|compensate)\w*",
        r"\brefund\w* (?:you|your|the (?:amount|charge|payment|difference|fee))\b",
        r"\b(?:refund|reimbursement|compensation|credit) (?:has been|have been|was|is|will be|is being) (?:\w+ )?"
        r"(?:issued|processed|approved|granted|paid|sent|made|on its way|initiated|applied)",
        r"\b(?:put|send|transfer|wire|pay|give|return|move|book|credit|reverse)\w*\b[^.?!\n]{0,40}\bback\b[^.?!\n]{0,20}"
        r"\b(?:card|bank|account|pocket|paypal|you)\b",
        r"\b(?:amount|sum|money|payment|charge|fee|cash|funds?)\b[^.?!\n]{0,40}\b(?:be|been|being) (?:\w+ )?"
        r"(?:returned|reversed|paid back|sent back|put back|given back|credited|back (?:on|in) your)\b",
        r"\breturn\w* to your (?:card|account|bank)\b",
        rf"\b{_WE}{_WILL} (?:\w+ )?(?:return|reverse|pay back|give back|send back|credit) "
        r"(?:you|your|the|this|that|it)\b[^.?!\n]{0,30}\b(?:amount|sum|money|payment|charge|fee|card|account|back)\b",
        r"\bout of pocket\b|\bmake (?:you whole|it up to you)\b",
        r"\b(?:will|would|can|shall|going to|to|be) (?:\w+ )?(?:be )?(?:refunded|reimbursed|credited|compensated)\b",
    )
)
#: Rules about money back: quoted only while policies are published.
_REFUND_RULES = _compiled(
    (
        r"\b(?:you|customers?) (?:\w+ )?(?:get|receive|have|are (?:entitled|eligible)|qualify)\b[^.?!\n]{0,40}"
        r"\b(?:refund|money back|your money|reimbursement|compensation)",
        r"\b(?:full|partial|complete) refund\b",
        r"\bmoney[- ]back\b|\b(?:get|give|return|send|pay)\w*\b[^.?!\n]{0,20}\bmoney back\b",
        r"\b(?:is|are) refunded\b|\breturns? (?:the|your) money\b",
        r"\b(?:waive|credit)\w* (?:the|your|this|that|you)\b[^.?!\n]{0,20}"
        r"\b(?:fee|charge|invoice|account|month|subscription)",
    )
)
_PRICE_PROMISED = _compiled(
    (
        rf"\b{_WE}{_WILL} (?:\w+ )?(?:offer|give|grant|apply|arrange) (?:you )?[^.?!\n]{{0,30}}"
        r"\b(?:discount|price|rate|deal|credit|free (?:month|year|seat)|quote)",
        r"\b(?:special|reduced|discounted|guaranteed) (?:price|rate|offer|deal)\b|\bdiscount of\b",
        r"\b(?:is|are|be|it's|that's) on (?:us|the house)\b|\bat our (?:own )?(?:cost|expense)\b",
        r"\bwe guarantee\b|\bguarantee[sd]? (?:you|that|a|the)\b",
    )
)
_PRICE_RULES = _compiled(
    (
        r"\b(?:you(?:'ll| will| would| can)?|it|that|this|plan|team|business|starter|seats?|subscription) (?:\w+ )?"
        r"(?:costs?|is charged at|is priced)\b",
        r"\b(?:lower|better) (?:price|rate|offer|deal)\b",
        r"\byou (?:\w+ )?(?:will not|won't|are not|aren't|would not) (?:be )?(?:charged?|billed?)\b",
        r"\bfree of charge\b|\bfor free\b|\bat no (?:extra |additional )?(?:cost|charge)\b",
        r"\bprices? (?:is|are|will be|would be|stays?|starts?)\b",
    )
)
_LAW = _compiled(
    (
        r"\b(?:you|we) (?:are|is|may be|could be|were) (?:\w+ )?"
        r"(?:legally |lawfully )?(?:liable|entitled by law|required by law|obliged by law|at fault)",
        r"\blegally (?:binding|required|entitled|obliged|allowed|responsible|speaking)\b",
        r"\blegal (?:advice|opinion|position|right|claim|liability)\b",
        r"\b(?:accept|admit|acknowledge|deny|reject)\w* (?:\w+ )?"
        r"(?:liability|responsibility|fault|negligence|guilt|the claim)\b",
        r"\b(?:this|it|that|we|tideline) (?:does|did|do|has|have)(?:n't| not)? (?:\w+ )?"
        r"(?:violate|breach|infringe|comply|break)\w*\b",
        r"\b(?:you have|you've|there is) (?:a |the |no |a good )?(?:legal |statutory )?"
        r"(?:right|claim|case) (?:to|against|for)\b",
        r"\b(?:in|a) breach of\b|\b(?:sue|take) (?:us|them|tideline)\b|\b(?:in|to) court\b"
        r"|\bwin (?:that|this|your|the|a) case\b",
        r"\bour (?:lawyers?|attorneys?|legal team|counsel)\b|\b(?:under|according to|by) (?:the )?law\b"
        r"|\b(?:is|are|not) (?:il)?legal\b",
    )
)


def promises(text: str, policy: Policy = "strict") -> list[str]:
    """`price`, `refund`, `law`: what the text promises or states that only a person may.

    While policies are published their prices and rules may be quoted (the gate still wants them backed by a cited
    passage); concrete promises to this customer, and law, never.
    """
    plain = in_figures(unwrapped(text))
    strict = policy == "strict"
    others = _other_languages()
    found = {
        "refund": _any((*_REFUND_PROMISED, *others["refund"]), plain) or (strict and _any(_REFUND_RULES, plain)),
        "price": _any((*_PRICE_PROMISED, _PERCENT_OFF, *others["price"]), plain)
        or (strict and _any((*_PRICE_RULES, _AMOUNT), plain)),
        "law": _any((*_LAW, *others["law"]), plain),
    }
    return [kind for kind, there in found.items() if there]


@cache
def _other_languages() -> Mapping[str, tuple[re.Pattern[str], ...]]:
    """The patterns of phrases/promises.txt by kind. Raises ValueError for a line that is none."""
    lines = [line for line in _OTHER_LANGUAGES.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    matched = [_LINE.match(line) for line in lines]
    if None in matched:
        raise ValueError(f"promises.txt: line without kind, language and pattern: {lines[matched.index(None)]}")
    pairs = [(one[1], re.compile(letters(one[2]))) for one in matched if one]
    return {kind: tuple(pattern for one, pattern in pairs if one == kind) for kind in ("refund", "price", "law")}


def load_promises() -> None:
    """Read and compile the patterns, and the words of numbers, now, at start."""
    _other_languages()
    load_figures()


def amounts(text: str) -> list[str]:
    """Sums of money in a text, without spaces: what a published price must be backed by."""
    return [re.sub(r"\s", "", match[0]).rstrip(".,") for match in _AMOUNT.finditer(in_figures(unwrapped(text)))]


def _any(patterns: Iterable[re.Pattern[str]], text: str) -> bool:
    return any(pattern.search(text) for pattern in patterns)
