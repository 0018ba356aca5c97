"""What is answered in fixed words of ours, before any model is asked: who writes here, and that an answer failed.

Read by patterns on folded text: each is a whole short message, so that a matter beside it is never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from shared.agent.dress import dressed
from shared.channels.fixed_texts import fixed_texts
from shared.channels.fold import fold
from shared.channels.language import ENGLISH
from shared.channels.message import Channel

_FILE = Path(__file__).with_name("replies.txt")
_BOT = (
    r"(?:chat ?)?(?:ro)?bots?|machines?|robots?|computers?|maschine|automat|robot|maquina|humanos?|humans?|person|real"
    r"|persona|personne|mensch|ki|ai|a\.i\.|ia"
)
_WHETHER_BOT = re.compile(
    r"^(?:(?:hi|hello|hey|hallo|hola|bonjour|and|wait|so|sorry)[ ,!.]+(?:there[ ,!.]+)?)?"
    r"(?:are you|r u|am i (?:talking|writing|speaking|chatting) (?:to|with)|is this|is it|do i (?:talk|write) to"
    r"|sind sie|bist du|ist das|schreibe ich mit|eres|es usted|esto es|hablo con|vous etes|etes[- ]vous|tu es|es-tu"
    r"|c'est|est-ce)"
    rf" (?:(?:just|really|actually|only|even|an?|the|real|automatic|human|un|una|une|ein|eine|einem|einer) )*(?:{_BOT})"
    rf"(?:,? (?:or|oder|o|ou) (?:an?|un|una|une|ein|eine|einem|einer)?(?: ?real)? ?(?:{_BOT})(?: (?:{_BOT}|being))?)?"
    r"(?: being)?(?: here)?[ ?!.]*$"
)
#: Characters of what says no more than that.
_LONGEST = 90
_BEFORE = (
    r"no|nope|nah|sorry|hi|hello|hm+|but|it|that|this|still|ok|well|again|unfortunately|nein|leider|immer noch|das|es"
    r"|pero|eso|sigue|todavia|mais|ca|cela|toujours|non"
)
_NOT = r"did ?n[o']?t|does ?n[o']?t|is ?n[o']?t|wo ?n'?t|has ?n'?t|(?:is |has |did |does )?not"
_FAILED = re.compile(
    rf"^(?:(?:{_BEFORE})[ ,.!]*)*"
    "(?:"
    + "|".join(
        (
            rf"(?:still |also )?(?:{_NOT}) (?:really |even )?(?:(?:work|help)\w*|(?:fix|solve)\w*(?: it| that)?)",
            r"(?:the )?same (?:problem|error|thing)",
            r"no luck|no change",
            r"(?:hat |geht |funktioniert |klappt |hilft )?(?:immer noch )?nicht(?: geholfen| funktioniert| geklappt)?",
            r"no (?:ha )?funciona\w*|sin funcionar|igual|no (?:me )?(?:ha )?(?:ayuda\w*|sirv\w*)",
            r"(?:ne )?(?:marche|fonctionne) (?:toujours )?pas|n'a pas (?:marche|aide|fonctionne)",
        )
    )
    + r")(?: (?:either|at all|for me|anymore|again|sorry|now|yet|auch|leider|mehr|tampoco|non plus))*[ .!?:(]*$"
)


def asks_whether_bot(said: Sequence[str]) -> bool:
    """Whether that is all they ask."""
    return bool(_WHETHER_BOT.match(_whole(said)))


def says_it_failed(said: Sequence[str]) -> bool:
    """Whether they say no more than that it did not work."""
    text = _whole(said)
    return len(text) <= _LONGEST and bool(_FAILED.match(text))


def words_of(kind: str, language: str) -> str:
    """The words of `bot` or `failed`, in English where a language has none."""
    texts = fixed_texts(_FILE)
    return texts.get(f"{language}.{kind}") or texts[f"{ENGLISH}.{kind}"]


def is_reply(text: str) -> bool:
    """Whether a text is one of ours, word for word."""
    return text.strip() in fixed_texts(_FILE).values()


def reply(kind: str, language: str, channel: Channel, *, name: str, team: str, greet: bool) -> str:
    """The words of `bot` or `failed` in the channel's form, in English where a language has none."""
    text = words_of(kind, language)
    used = ENGLISH if text == words_of(kind, ENGLISH) else language
    return dressed(channel, text, name=name, team=team, greet=greet, language=used)


def _whole(said: Sequence[str]) -> str:
    return " ".join(fold(" ".join(said)).split())
