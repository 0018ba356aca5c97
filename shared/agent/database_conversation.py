"""A conversation of the CRM behind the tools' port: what `fte mcp --conversation ID` works on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from shared.agent.contract import TurnInput
from shared.agent.draft import Draft
from shared.agent.escalation import Reason
from shared.agent.summary import summary
from shared.agent.verdict import ask, handoff_of, record
from shared.channels.sentiment import sentiment
from shared.conversations.commit import Verdict, commit_change
from shared.conversations.history import history
from shared.conversations.lease import Stale
from shared.conversations.mailbox import OpenTurn, peek
from shared.db.pool import Database
from shared.errors import Retryable
from shared.privacy.vault import Vault
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class DatabaseConversation:
    """One conversation; it is read anew for every call, so that a tool never acts on what was."""

    db: Database
    vault: Vault
    settings: Settings
    conversation_id: UUID

    async def load(self) -> TurnInput:
        """The conversation now. Raises Permanent when it is unknown or a person has it."""
        return await self._asked(await peek(self.db, self.vault, self.conversation_id))

    async def _asked(self, turn: OpenTurn) -> TurnInput:
        return await ask(self.db, turn, await history(self.db, self.vault, turn, self.settings.history_messages))

    async def apply(self, draft: Draft) -> None:
        """Write what one tool call asked for. Raises Permanent as `load` does, Retryable when it just moved on."""
        turn = await peek(self.db, self.vault, self.conversation_id)
        told, last_said = await self._handed_over(turn, draft) if draft.escalation else ("", "")
        try:
            await commit_change(self.db, self.vault, turn, self._verdict(turn, draft, told, last_said))
        except Stale:
            raise Retryable("the conversation just moved on: try again", reason="stale-turn") from None

    async def _handed_over(self, turn: OpenTurn, draft: Draft) -> tuple[str, str]:
        """What the person reads first, and what the customer said last: the language of what they are told."""
        asked = await self._asked(turn)
        said = [one.text for one in asked.own_history if one.author == "customer"]
        return self._told(asked, draft), "".join(said[-1:])

    def _told(self, turn: TurnInput, draft: Draft) -> str:
        """What the person reads first, as of any handoff: the client's words are what was tried."""
        reason = draft.escalation.reason if draft.escalation else Reason.HUMAN
        return summary(turn, reason, others=(), draft=draft, sentiment=sentiment(turn.texts))

    def _verdict(self, turn: OpenTurn, draft: Draft, told: str, last_said: str) -> Verdict:
        change, wanted = draft.change, draft.escalation
        team = self.settings.support_team_name
        return Verdict(
            outcome="escalated" if wanted else "replied",
            reason=wanted.reason if wanted else None,
            text=handoff_of(turn, wanted.reason, team, last_said) if wanted else "",
            summary=told,
            category=change.category,
            priority=change.priority,
            ticket_subject=change.subject,
            new_tickets=tuple((new.category, new.priority, new.subject) for new in change.new_tickets),
            model="mcp",
            follow_up=draft.follow_up,
            record=record(draft.calls, told),
            link=draft.link and replace(draft.link, company=self.settings.company_name, team=team),
        )
