"""What a reply states, held against its sources: in the page's language by its words, in another by the glossary."""

from __future__ import annotations

from shared.agent.backing import Held, Sources, asks_only, foreign_name, is_negated, sentences, stems
from shared.agent.escalation import Policy
from shared.agent.promises import promises
from shared.agent.questions import asks
from shared.agent.translation import LANGUAGES, Page, foreign_label, states_nothing, translates
from shared.channels.language import ENGLISH, language_told


def unbacked_statement(text: str, sources: Sources, policy: Policy) -> bool:
    """Whether a sentence states what no page cited says. What only a person may write is refused by itself."""
    page, held = _page(sources), Held.of(sources)
    stated = [one for one in sentences(text) if not promises(one, policy)]
    return not all(_is_backed(one, sources, page, held) for one in stated)


def foreign_names(text: str, sources: Sources) -> bool:
    """Whether somebody or something is named that no source names."""
    if not _is_translated(sources):
        return foreign_name(text, sources)
    page = _page(sources)
    said = stems(sources.known)
    return any(foreign_label(one, sources.language, page, said) for one in sentences(text))


def asks_back(text: str, sources: Sources) -> bool:
    """Whether a reply only asks the customer something, in English or another language that the gate reads."""
    language = sources.language
    if language not in LANGUAGES:
        return asks_only(text, sources)
    names = stems(sources.names)
    parts = sentences(text)
    asked = [part for part in parts if asks(part, language)]
    return bool(asked) and all(part in asked or states_nothing(part, language, names) for part in parts)


def _is_translated(sources: Sources) -> bool:
    return sources.language in LANGUAGES and sources.language not in sources.languages


def _is_backed(sentence: str, sources: Sources, page: Page, held: Held) -> bool:
    language = sources.language
    if language not in LANGUAGES or language_told([sentence]) == ENGLISH:
        return held.backs(sentence)
    if states_nothing(sentence, language, page.names) or asks(sentence, language):
        return True
    bare = held.without_headings(sentence)
    return translates(bare, language, page) if _is_translated(sources) else held.backs(sentence)


def _page(sources: Sources) -> Page:
    said = [(frozenset(stems(one)), is_negated(one)) for one in sentences(sources.pages)]
    of_pages = stems(f"{sources.pages} {sources.headings}")
    names = stems(sources.names)
    return Page(frozenset(of_pages), frozenset(names - of_pages), said)
