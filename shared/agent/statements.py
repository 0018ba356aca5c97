"""What a reply states, held against its sources: in the page's language by its words, in another by the glossary."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from shared.agent.backing import Held, Sources, asks_only, foreign_name, sentences, stems
from shared.agent.escalation import Policy
from shared.agent.language import OTHERS
from shared.agent.negation import is_negated
from shared.agent.promises import promises
from shared.agent.questions import asks
from shared.agent.translation import Page, foreign_label, states_nothing, translates
from shared.channels.language import ENGLISH, language_told


@dataclass(frozen=True, slots=True)
class Evidence:
    """The sources, read once for all sentences; `page` for a reply in another language than English, else None."""

    sources: Sources
    held: Held
    page: Page | None

    @classmethod
    def of(cls, sources: Sources) -> Evidence:
        """The sources, read."""
        return cls(sources, Held.of(sources), _page(sources) if sources.language in OTHERS else None)

    @property
    def translated_from(self) -> Page | None:
        """What the reply is held against by the glossary; None where a page cited is in the reply's own language."""
        return None if self.sources.language in self.sources.languages else self.page


def unbacked_statement(text: str, evidence: Evidence, policy: Policy) -> bool:
    """Whether a sentence states what no page cited says. What only a person may write is refused by itself."""
    stated = [one for one in sentences(text) if not promises(one, policy)]
    return not all(_is_backed(one, evidence) for one in stated)


def foreign_names(text: str, evidence: Evidence) -> bool:
    """Whether somebody or something is named that no source names."""
    page = evidence.translated_from
    if page is None:
        return foreign_name(text, evidence.held)
    said = stems(evidence.sources.known)
    return any(foreign_label(one, evidence.sources.language, page, said) for one in sentences(text))


def asks_back(text: str, sources: Sources) -> bool:
    """Whether a reply only asks the customer something, in English or another language that the gate reads."""
    language = sources.language
    if language not in OTHERS:
        return asks_only(text, sources)
    parts, names = sentences(text), stems(sources.names)
    asked = [part for part in parts if asks(part, language)]
    return bool(asked) and all(part in asked or states_nothing(part, language, names) for part in parts)


def _is_backed(sentence: str, evidence: Evidence) -> bool:
    language, held, page = evidence.sources.language, evidence.held, evidence.page
    if page is None or language_told([sentence]) == ENGLISH:
        return held.backs(sentence)
    if states_nothing(sentence, language, page.names) or asks(sentence, language):
        return True
    if evidence.translated_from is None:
        return held.backs(sentence)
    return translates(held.without_headings(sentence), language, page)


def _page(sources: Sources) -> Page:
    said: list[tuple[Collection[str], bool]] = [
        (frozenset(stems(one)), is_negated(one)) for one in sentences(sources.pages)
    ]
    of_pages = stems(f"{sources.pages} {sources.headings}")
    names = stems(sources.names)
    return Page(frozenset(of_pages), frozenset(names - of_pages), said)
