"""What the agent needs from outside, and what others implement for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.agent.contract import TurnInput
from shared.agent.draft import Draft
from shared.conversations.codes import Kind, State
from shared.knowledge.passage import Passage


class SearchPort(Protocol):
    """The knowledge base; shared.knowledge.search.KnowledgeSearch is one."""

    async def search(self, query: str, *, limit: int = 5, language: str | None = None) -> Sequence[Passage]:
        """The passages that answer `query`, best first; none rather than unrelated ones."""
        ...


class LinkPort(Protocol):
    """What is known of linking an address and a number, to read; shared.agent.database_links.DatabaseLinks is one."""

    async def standing(self, turn: TurnInput, kind: Kind, address: str) -> State | None:
        """What asking for a code to `address` would come to: sent, limit, already; None when it cannot be linked."""
        ...

    async def judged(self, turn: TurnInput, code: str) -> State | None:
        """What saying `code` would come to: linked, wrong, conflict; None while no code is awaited."""
        ...


class NoLinks:
    """Where nothing can be linked: a prototype, a test of something else."""

    async def standing(self, turn: TurnInput, kind: Kind, address: str) -> State | None:
        return None

    async def judged(self, turn: TurnInput, code: str) -> State | None:
        return None


class ConversationPort(Protocol):
    """One conversation as the tools of an MCP client see it, over the database."""

    async def load(self) -> TurnInput:
        """The conversation now: its unanswered messages (may be none), history, ticket and trust."""
        ...

    async def apply(self, draft: Draft) -> None:
        """Carry out, in one transaction, what one tool call asked for.

        That is `draft.change`, `draft.new_tickets`, `draft.escalation`, `draft.link` and `draft.follow_up`. Raises
        Permanent when the conversation is closed, erased or in a person's hands, Retryable while PostgreSQL is away.
        """
        ...
