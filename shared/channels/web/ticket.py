"""What the form sends: `POST /tickets` and what is added on its page, checked and made messages.

Unknown fields are ignored, so that a page may send more than this version knows. NUL and other
control characters are removed; a field in which nothing can be seen counts as missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, model_validator

from shared.channels.addresses import normalise_email, normalise_phone
from shared.channels.message import Attachment, Channel, FormFields, InboundMessage, Sender, Trust
from shared.channels.plain_text import clean, is_blank, one_line
from shared.channels.web.token import Holder, keyed_id
from shared.errors import Rejected

#: In code points. Four bytes each and the other fields still fit one event of 512 KiB.
MAX_MESSAGE = 120_000
#: With files, whose own text is in the event too.
MAX_MESSAGE_WITH_FILES = 90_000
MAX_COMMENT = 2_000

_NEEDED = ["name", "email", "subject", "category", "message"]


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

MessageText = Annotated[str, Field(min_length=1, max_length=MAX_MESSAGE), AfterValidator(clean), _Visible]


class PageFacts(BaseModel):
    """What a page says of how it was filled in; a program that calls the API leaves it out."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    trap: str = Field(default="", max_length=10_000, description="a field that people do not see: empty")
    opened_ms: StrictInt = Field(ge=0, description="milliseconds since the page was opened")
    challenge: str = Field(default="", max_length=4096, description="what the challenge answered, where one is set up")


class TicketRequest(BaseModel):
    """The body of `POST /tickets`; lengths are in code points."""

    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra={"required": [*_NEEDED]})

    # No default of these passes: an absent one is made an empty one below, but for a signed visitor.
    name: Annotated[str, Field(min_length=1, max_length=200), _Line, _Visible] = ""
    email: Annotated[str, Field(min_length=3, max_length=254), AfterValidator(_accepted(normalise_email))] = ""
    phone: Annotated[Annotated[str, Field(max_length=40)] | None, AfterValidator(_phone)] = Field(
        default=None, description="with its country code"
    )
    subject: Annotated[str, Field(min_length=1, max_length=300), _Line, _Visible]
    category: Literal["general", "technical", "billing", "feedback"]
    message: MessageText
    files: StrictInt = Field(
        default=0,
        ge=0,
        le=100,
        description="files that follow at once, in one request to its attachments: both are answered together",
    )
    identity: Annotated[str, Field(max_length=4096)] | None = Field(
        default=None, description="a token that the embedding site signed; it overrules name and email"
    )
    page: PageFacts | None = Field(default=None, description="sent by a page, and not by a program")

    @model_validator(mode="before")
    @classmethod
    def _typed_or_signed(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        if data.get("identity"):
            typed: dict[str, Any] = {name: value for name, value in data.items() if name != "email"}
            name = typed.get("name")
            blank = name is None or (isinstance(name, str) and is_blank(name))
            return {key: value for key, value in typed.items() if key != "name" or not blank}
        return {"name": "", "email": "", **data}

    def ticket_id(self, key: bytes, idempotency_key: str, address: str, trust: Trust) -> str:
        """The id of the ticket this request opens for who it is from.

        What may differ between two tries of one sending is no part of it: the site's token, the page's clock, and the
        files, which a reload takes.
        """
        sent = self.model_dump_json(exclude={"identity", "page", "email", "files"}).encode()
        return keyed_id(key, "ticket", idempotency_key.encode(), address.encode(), trust.encode(), sent)

    def message_of(self, holder: Holder, received_at: datetime) -> InboundMessage:
        """The ticket's first message."""
        form = FormFields(category=self.category, phone=self.phone, files=self.files)
        first = _message(holder, "", self.message, received_at)
        reason = "signed-visitor" if holder.trust is Trust.VERIFIED else "typed-address"
        sender = first.sender.model_copy(update={"trust_reason": reason})
        return first.model_copy(update={"subject": self.subject, "form": form, "sender": sender})


class MessageRequest(BaseModel):
    """The body of `POST /tickets/{id}/messages`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    message: MessageText


class RatingRequest(BaseModel):
    """The body of `POST /tickets/{id}/rating`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    score: StrictInt = Field(ge=1, le=5)
    comment: Annotated[str, Field(max_length=MAX_COMMENT), AfterValidator(clean)] = ""


def message_id(key: bytes, holder: Holder, idempotency_key: str, text: str, files: Sequence[Attachment] = ()) -> str:
    """The id of a message on the page: the same key, words and files by the same holder are the same message."""
    who = (holder.ticket.encode(), holder.address.encode(), holder.trust.encode())
    what = (f"{file.name}\x00{file.sha256}".encode() for file in files)
    return keyed_id(key, "message", *who, idempotency_key.encode(), text.encode(), *what)


def added_message(
    holder: Holder, message: str, text: str, received_at: datetime, files: Sequence[Attachment] = ()
) -> InboundMessage:
    """A later message on the page; `message` is its id."""
    return _message(holder, message, text, received_at).model_copy(update={"attachments": tuple(files)})


def _message(holder: Holder, message: str, text: str, received_at: datetime) -> InboundMessage:
    return InboundMessage(
        channel=Channel.WEB,
        provider_message_id=f"{holder.ticket}.{message}" if message else holder.ticket,
        received_at=received_at,
        sender=Sender(
            kind="email", address=holder.address, name=holder.name, trust=holder.trust, trust_reason="page-token"
        ),
        thread=holder.ticket,
        text=text,
    )
