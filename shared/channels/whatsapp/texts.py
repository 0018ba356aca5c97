"""What we say in fixed words: to STOP, START and HELP, about long answers, and in mails that take over from WhatsApp.

The words are data: texts.txt, one block a kind and language.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shared.channels.fixed_texts import fixed_texts

#: The languages of the web form, which are those that have words here.
LANGUAGES = ("en", "de", "es", "fr", "ar", "ur")

_FILE = Path(__file__).with_name("texts.txt")


def fixed(kind: str, language: str, **names: str) -> str:
    """The text of a kind in a language, else in English; `names` are put in for `{company}` and the like."""
    texts = load_texts()
    text = texts.get(f"{kind}.{language}") or texts[f"{kind}.en"]
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def letter(kind: str, language: str, text: str, *, name: str, team: str) -> str:
    """A mail that says why it comes, then `text`: greeting, one sentence, text, closing, team."""
    greeted = fixed("greeting", language, name=f" {name}" if name else "")
    intro = fixed(f"{kind}_intro", language)
    return "\n\n".join([greeted, intro[0].upper() + intro[1:], text.strip(), f"{fixed('closing', language)}\n{team}"])


def load_texts() -> Mapping[str, str]:
    """The blocks of texts.txt by name."""
    return fixed_texts(_FILE)
