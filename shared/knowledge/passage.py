"""What a search finds: one piece of one version of one document."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """A section of a document. `heading_path` runs from the title down, joined with ` > `.

    `score` is the search's confidence, 0..1, `fit` what it ordered this passage by; `url` is where a customer can
    read the document; `language` is the document's.
    """

    document_id: str
    version: int
    title: str
    url: str
    heading_path: str
    text: str
    score: float
    language: str = "en"
    fit: float = 0.0

    @property
    def key(self) -> str:
        """`document@version#heading path`: what a decision record cites."""
        return f"{self.document_id}@{self.version}#{self.heading_path}"

    @property
    def heading(self) -> str:
        """The last heading of the path."""
        return self.heading_path.rsplit(" > ", 1)[-1]
