"""Greeting and signature of each channel: added where a model left them out, never twice."""

from __future__ import annotations

import re
import unicodedata

from shared.agent.frames import frame
from shared.channels.language import ENGLISH
from shared.channels.message import Channel

_GREETED = re.compile(
    r"^\s*(?:dear|hello|hi|hey|good (?:morning|afternoon|evening)|hallo|guten tag|sehr|¡?hola|buen[oa]s|estimad[oa]"
    r"|bonjour|beste|olá|مرحبا|السلام)\b",
    re.IGNORECASE,
)
#: A greeting that stands by itself, before more.
_GREETING_LINE = re.compile(
    r"^(?:dear|hello|hi|hey|hallo|guten tag|¡?hola|buen[oa]s|bonjour|beste|olá|مرحبا|السلام)\b"
    r"[^\n,.!?:،]{0,80}[,!:،]?[ \t]*\n+(?=\S)",
    re.IGNORECASE,
)
_SIGNED = re.compile(r"\b(?:regards|sincerely|best wishes|gr[uü](?:ß|ss)e?n?|saludos?|cordialement)\b", re.IGNORECASE)
_NAME = re.compile(r"^[^\W\d_][\w .'’-]{0,59}$")
_UNWANTED = re.compile(r"[<>{}\[\]@/\\|\n\r\t]")


def greeting_name(name: str) -> str:
    """The name as it may be greeted with: one line of letters, else empty. Names come from strangers."""
    plain = " ".join(unicodedata.normalize("NFC", name).split())
    visible = "".join(one for one in plain if unicodedata.category(one)[0] != "C")
    if _UNWANTED.search(name) or not _NAME.match(visible) or sum(one.isdigit() for one in visible):
        return ""
    return visible


def first_name(name: str) -> str:
    """The first word of the name, as WhatsApp greets."""
    parts = [part for part in greeting_name(name).split() if part.rstrip(".").lower() not in {"mr", "mrs", "ms", "dr"}]
    return parts[0].rstrip(".,") if parts else ""


def dressed(channel: Channel, text: str, *, name: str, team: str, greet: bool = True, language: str = ENGLISH) -> str:
    """`text` with the greeting and signature that its channel wants (company profile: tone on each channel).

    `greet` is false in a thread that has an answer of ours: the page then begins with the answer, a mail plainer.
    """
    body = text.strip()
    if channel is Channel.WHATSAPP or not body:
        return body
    if channel is Channel.WEB and not greet:
        body = _GREETING_LINE.sub("", body)
    elif not _GREETED.match(body):
        body = f"{_greeting(channel if greet else Channel.WEB, greeting_name(name), language)}\n\n{body}"
    if team.lower() not in body[-120:].lower():
        body = f"{_unsigned(body)}\n\n{_signature(channel, team, language)}"
    return body


def _greeting(channel: Channel, name: str, language: str) -> str:
    return frame(language, f"hello.{channel}", name=name) if name else frame(language, "hello")


def _signature(channel: Channel, team: str, language: str) -> str:
    return f"{frame(language, 'signature')}\n{team}" if channel is Channel.EMAIL else team


def _unsigned(body: str) -> str:
    """Without a closing line that names nobody: ours takes its place."""
    lines = body.rstrip().splitlines()
    if len(lines) > 1 and len(lines[-1].split()) <= 4 and _SIGNED.search(lines[-1]):
        return "\n".join(lines[:-1]).rstrip()
    return body
