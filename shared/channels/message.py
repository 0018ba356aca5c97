"""The one shape in which every channel hands a customer's message to the system.

It is the data of `fte.message.received`. Parsing has happened: `text` is what the customer wrote
now, without the quoted original. Trust is the channel's word, never the text's.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Channel(StrEnum):
    """The three channels, equals (R1.1)."""

    EMAIL = "email"
    WHATSAPP = "whatsapp"
    WEB = "web"


class Trust(StrEnum):
    """How sure the channel is of who writes; see 'Who is speaking' in specs/architecture.md."""

    VERIFIED = "verified"
    CLAIMED = "claimed"
    HELD = "held"


#: From most to least trusted: a turn's trust is the least of its messages'.
TRUST_ORDER = (Trust.VERIFIED, Trust.CLAIMED, Trust.HELD)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sender(_Strict):
    """Who wrote. `address` is a normalised e-mail address or an E.164 number."""

    kind: Literal["email", "phone"]
    address: str = Field(min_length=3, max_length=320)
    name: str = Field(default="", max_length=400)
    trust: Trust
    trust_reason: str = Field(
        default="", max_length=100, description="why, in the channel's words: dmarc=pass, signed-webhook"
    )


class Attachment(_Strict):
    """A file that came along, as facts (shared.channels.files); it is never opened, run or unpacked.

    With `blob` its contents are kept in that blob; without, and with `ref`, they are to be fetched from
    the provider after the inbox commit; `refused` says why they never will be.
    """

    name: str = Field(max_length=255)
    content_type: str = Field(max_length=120, description="by content where that can be told, else as declared")
    size: int = Field(ge=0, description="bytes; 0 until known")
    ref: str = Field(default="", max_length=2000, description="where the provider keeps it")
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$", description="of the contents, in hex")
    pages: int | None = Field(default=None, ge=0, description="of a PDF")
    text: str = Field(default="", max_length=20_000, description="of a small text or PDF file, cut")
    blob: UUID | None = Field(default=None, description="the blob that has the contents")
    refused: str = Field(default="", max_length=40, description="why the contents are not kept: too-large, too-many")


class EmailHeaders(_Strict):
    """What an answer needs to stand in its thread (RFC 5322, section 3.6.4)."""

    gmail_thread_id: str = Field(max_length=64)
    message_id: str = Field(default="", max_length=998)
    references: tuple[str, ...] = Field(default=(), max_length=200)
    date: str = Field(default="", max_length=200)
    cc: str = Field(default="", max_length=1000, description="as written; data, never who is answered")
    reply_to: str = Field(default="", max_length=1000, description="as above")
    about_delivery: str = Field(default="", max_length=64, description="of a delivery report: the delivery it is about")


class FormFields(_Strict):
    """What the web form asked besides the message."""

    category: Literal["general", "technical", "billing", "feedback"]
    phone: str | None = Field(default=None, max_length=32)
    files: int = Field(
        default=0,
        ge=0,
        le=100,
        # An agent-run from before knows no such field, and refuses what it does not know.
        exclude_if=lambda files: files == 0,
        description="that were sent with it and follow as one message",
    )


class WhatsAppFacts(_Strict):
    """What a WhatsApp message says besides its words. The ids are Twilio's, of other messages.

    `settled`: Twilio answered the command itself (Advanced Opt-Out).
    """

    command: Literal["", "stop", "start", "help"] = ""
    language: str = Field(default="", max_length=8, description="of the command's word, where it tells one")
    settled: bool = False
    replies_to: str = Field(default="", max_length=64)
    edits: str = Field(default="", max_length=64)
    deletes: str = Field(default="", max_length=64)
    forwarded: Literal["", "once", "often"] = ""


class InboundMessage(_Strict):
    """One message of one customer on one channel.

    `provider_message_id` is unique per channel: Gmail's id, Twilio's MessageSid, the ticket's id (a
    later message on the page: ticket id and its own). `thread` names the reply route: Gmail thread
    id, phone number in E.164, ticket id.
    """

    channel: Channel
    provider_message_id: str = Field(min_length=1, max_length=200)
    received_at: datetime
    sender: Sender
    thread: str = Field(min_length=1, max_length=200)
    subject: str = Field(default="", max_length=1000)
    text: str = Field(default="", max_length=200_000)
    quoted: str = Field(default="", max_length=200_000)
    ignored: str = Field(
        default="", max_length=100, description="why no person or agent need look: auto-submitted, empty, …"
    )
    attachments: tuple[Attachment, ...] = Field(default=(), max_length=50)
    raw_blob: UUID | None = Field(default=None, description="the blob that has the message as the provider had it")
    email: EmailHeaders | None = None
    form: FormFields | None = None
    whatsapp: WhatsAppFacts | None = None
