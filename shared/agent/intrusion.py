"""A suspected intrusion: told by patterns on folded text, and what the documents say to do first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from shared.agent.by_hand import leads_to_support
from shared.agent.contract import TurnInput, TurnResult
from shared.agent.escalation import Policy, Reason
from shared.agent.plain import blocks
from shared.agent.ports import SearchPort
from shared.agent.promises import promises
from shared.channels.fold import fold
from shared.channels.language import ENGLISH, without_region
from shared.channels.limits import over_limit

_HACKED = r"(?:hacked|hijacked|compromised|breached|taken over|broken into)"
_ACCOUNT = r"(?:\w+ )?(?:account|profile|workspace|login|password|konto|cuenta|compte)"
_SOMEBODY = (
    r"(?:some ?(?:body|one)(?: else)?|strangers?|(?:unknown|unauthori[sz]ed) (?:person|user|device)"
    r"|intruders?|hackers?|attackers?)"
)
_HAS = r"(?:has |have |had |must have |may have |just |is )*"
_INTRUSION = re.compile(
    "|".join(
        (
            rf"\b{_SOMEBODY} {_HAS}(?:hacked|hijacked)\b",
            rf"\b{_SOMEBODY} {_HAS}(?:logged|signed) (?:in|on|into)\b",
            rf"\b{_SOMEBODY} {_HAS}(?:stole|stolen|taken over|took over|broken? into|got(?:ten)? into|gained access to"
            rf"|access to|got access to|accessed|using|changed) (?:my|our) {_ACCOUNT}\b",
            rf"\b{_ACCOUNT} (?:has|have|was|were|got|is|seems)(?: been| to be| to have been| probably)* {_HACKED}\b",
            r"\b(?:i|we)(?: have|'ve| had)?(?: been| were| was| got| just got| are| am) (?:hacked|hijacked)\b",
            r"\bthey (?:have )?hacked (?:my|our|me|us)\b",
            r"\b(?:unknown|strange|suspicious|unauthori[sz]ed) (?:sign[- ]?ins?|log[- ]?ins?|access)\b",
            r"\b(?:konto|account|wir|ich)\b.{0,40}\b(?:gehackt|geknackt)\b|\bgehackt worden\b",
            r"\b(?:jemand|fremde\w*|unbekannte\w*)\b.{0,40}\b(?:angemeldet|eingeloggt|zugang verschafft)\b",
            r"\b(?:me|nos) (?:han )?hacke\w+|\bcuenta\b.{0,30}\bhackead\w+",
            r"\b(?:alguien|desconocido|extrano)\b.{0,30}\b(?:entro en mi|entrado en mi|accedi\w+|inici\w+ sesion)\b",
            r"\bcompte\b.{0,30}\bpirate\w*|\b(?:quelqu'un|inconnu)\b.{0,30}\b(?:s'est connecte|pirate)\w*",
        )
    )
)
#: Asks how it would be seen or prevented, and tells of nothing that happened.
_HYPOTHETICAL = re.compile(
    r"\b(?:how (?:do|can|would|will)|what (?:if|happens)|can i see|could|whether|in case"
    r"|(?:when|if) (?:some|my|our|an?)\w*|wie (?:kann|sehe|erkenne)|como (?:puedo|veo|se)|comment)\b"
)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
#: What the documents are asked for, whatever the customer's words were.
_FIRST_STEPS = "I think somebody hacked my account: change the password and sign out everywhere"
#: Search's confidence below which a page is about something else.
_SURE = 0.7


def suspects_intrusion(texts: Sequence[str]) -> bool:
    """Whether a sentence says that a stranger got in; one that asks how that would be seen does not."""
    sentences = [one for text in texts for one in _SENTENCE.split(fold(text))]
    return any(_INTRUSION.search(one) and not _HYPOTHETICAL.search(one) for one in sentences)


async def with_first_steps(search: SearchPort, turn: TurnInput, result: TurnResult, policy: Policy) -> TurnResult:
    """The handoff of a suspected intrusion with what a page in the customer's language says to do meanwhile.

    Unchanged where no page says it, where only a person may say it, or where it does not fit.
    """
    if result.reason != Reason.SECURITY or not result.text:
        return result
    language = turn.language or ENGLISH
    found = await search.search(_FIRST_STEPS, limit=1, language=language)
    sure = [one for one in found if one.score >= _SURE and without_region(one.language) == language]
    parts = blocks(sure[0].text) if sure else []
    lines = parts[0].lines if parts else ()
    kept = [line for line in lines if not promises(line, policy) and not leads_to_support(line)][:2]
    for count in range(len(kept), 0, -1):
        text = _with(result.text, " ".join(kept[:count]))
        if over_limit(turn.channel, text) is None:
            return replace(result, text=text)
    return result


def _with(text: str, steps: str) -> str:
    """The steps before the signature, if there is one; on WhatsApp behind the text."""
    body, gap, signature = text.rpartition("\n\n")
    return f"{body}\n\n{steps}{gap}{signature}" if gap else f"{text} {steps}"
