"""The tools that link an address and a number of one customer, by a code sent to the other side.

They act on whoever wrote the turn, and only when that is sure. A run asks for one code or says one: a text
that holds a hundred codes is one guess.
"""

from __future__ import annotations

from pydantic import Field

from shared.agent.draft import Handover
from shared.agent.escalation import Reason
from shared.agent.link_reading import other_side
from shared.agent.linking import language_to_use
from shared.agent.tool_run import Arguments, Noted, ToolRun
from shared.channels.addresses import normalise_email, normalise_phone
from shared.channels.message import Trust
from shared.conversations.codes import LinkAct
from shared.errors import Rejected

_CONFLICT = (
    "The customer proved the other address or number by a code, but one of the two sides has another of its kind "
    "already, so they were not joined. Ask whose device or mailbox it is; `kn-fte customers link` joins them."
)


class RequestIdentityLink(Arguments):
    """Send a code to the customer's other address, to link it. Only when they say they wrote from there and name it."""

    address: str = Field(
        min_length=3, max_length=320, description="on WhatsApp an e-mail address, else a phone number with country code"
    )


class ConfirmIdentityLink(Arguments):
    """Check the six-digit code that the customer says came to their other address."""

    code: str = Field(pattern=r"^\d{3}[ -]?\d{3}$", max_length=7, description="the six digits, as they were written")


async def request_identity_link(run: ToolRun, arguments: RequestIdentityLink) -> Noted:
    """See RequestIdentityLink; the first call of a run counts."""
    if run.turn.trust is not Trust.VERIFIED:
        return Noted(noted="refused: it is not sure who is writing")
    if run.draft.link is not None:
        return Noted(noted="refused: once a turn")
    kind = other_side(run.turn.channel)
    try:
        address = normalise_email(arguments.address) if kind == "email" else normalise_phone(arguments.address)
    except Rejected as error:
        return Noted(noted=f"refused: {error}")
    state = await run.links.standing(run.turn, kind, address)
    if state is None:
        return Noted(noted="refused: this one cannot be linked")
    run.draft.link = LinkAct(state, kind=kind, address=address, language=language_to_use(run.turn))
    return Noted(noted=f"{state}: the customer is told; write nothing more")


async def confirm_identity_link(run: ToolRun, arguments: ConfirmIdentityLink) -> Noted:
    """See ConfirmIdentityLink; the first call of a run counts."""
    if run.turn.trust is not Trust.VERIFIED:
        return Noted(noted="refused: it is not sure who is writing")
    if run.draft.link is not None:
        return Noted(noted="refused: once a turn")
    code = "".join(char for char in arguments.code if char.isdigit())
    state = await run.links.judged(run.turn, code)
    if state is None:
        return Noted(noted="refused: no code is awaited")
    run.draft.link = LinkAct(state, code=code, language=language_to_use(run.turn))
    if state == "conflict":
        run.draft.escalation = run.draft.escalation or Handover(Reason.LINK_CONFLICT, _CONFLICT)
    return Noted(noted=f"{state}: the customer is told; write nothing more")
