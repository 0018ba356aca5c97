"""What the form sends: `POST /tickets`, checked and made a message.

Unknown fields are ignored, so that a page may send more than this version knows. NUL and other
control characters are removed; a field in which nothing can be seen counts as missing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.channels.addresses import normalise_email, normalise_phone
from shared.channels.message import Channel, FormFields, InboundMessage, Sender, Trust
from shared.channels.plain_text import clean, is_blank, one_line
from shared.channels.web.token import ticket_id
from shared.errors import Rejected

#: In code points. Four bytes each and the other fields still fit one event of 512 KiB.
MAX_MESSAGE = 120_000


def _visible(text: str) -> str:
    if is_blank(text):
        raise ValueError("must not be empty")
    return text


def _accepted(normalise: Callable[[str], str]) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            return normalise(text)
        except Rejected as error:
            raise ValueError(str(error)) from None

    return check


def _phone(text: str | None) -> str | None:
    return None if text is None or is_blank(text) else _accepted(normalise_phone)(clean(text))


def _line(text: str) -> str:
    return one_line(text, len(text))


_Line = AfterValidator(_line)
_Visible = AfterValidator(_visible)


class TicketRequest(BaseModel):
    """The body of `POST /tickets`; lengths are in code points."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=200), _Line, _Visible]
    email: Annotated[str, Field(min_length=3, max_length=254), AfterValidator(_accepted(normalise_email))]
    phone: Annotated[Annotated[str, Field(max_length=40)] | None, AfterValidator(_phone)] = Field(
        default=None, description="with its country code"
    )
    subject: Annotated[str, Field(min_length=1, max_length=300), _Line, _Visible]
    category: Literal["general", "technical", "billing", "feedback"]
    message: Annotated[str, Field(min_length=1, max_length=MAX_MESSAGE), AfterValidator(clean), _Visible]

    def ticket_id(self, key: bytes, idempotency_key: str) -> str:
        """The id of the ticket this request opens."""
        return ticket_id(key, idempotency_key, self.email, self.model_dump_json().encode())

    def message_of(self, ticket: str, received_at: datetime) -> InboundMessage:
        """The message; whoever typed the address need not own it, so the sender is claimed."""
        return InboundMessage(
            channel=Channel.WEB,
            provider_message_id=ticket,
            received_at=received_at,
            sender=Sender(
                kind="email", address=self.email, name=self.name, trust=Trust.CLAIMED, trust_reason="typed-address"
            ),
            thread=ticket,
            subject=self.subject,
            text=self.message,
            quoted="",
            ignored="",
            attachments=(),
            form=FormFields(category=self.category, phone=self.phone),
        )
