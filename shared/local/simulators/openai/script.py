"""The turns a test has scripted, and what was asked."""

from __future__ import annotations

from collections import deque
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.clock import Clock


class ToolCall(BaseModel):
    """One call of a tool; `arguments` an object, or text as the model wrote it, broken JSON too."""

    name: str
    arguments: dict[str, Any] | str = {}
    id: str | None = None


class Turn(BaseModel):
    """One answer: text, tool calls, a refusal, an error status, or a raw body as it stands."""

    model_config = ConfigDict(extra="forbid")

    content: str | None = None
    tool_calls: list[ToolCall] = []
    status: int = Field(default=200, ge=200, le=599)
    delay_ms: int = Field(default=0, ge=0)
    raw: str | None = Field(default=None, description="the whole response body, in place of a built one")
    refusal: str | None = None
    finish_reason: Literal["stop", "length", "content_filter", "tool_calls"] | None = None
    usage: dict[str, int] | None = Field(default=None, description="tokens in place of counted ones")
    extra: dict[str, Any] = Field(default={}, description="fields that no client knows, put on top of the answer")
    headers: dict[str, str] | None = Field(
        default=None, description="of an error, such as retry-after; none: the usual"
    )
    cut_after: int | None = Field(default=None, ge=0, description="bytes of the body, after which the line is dead")


class Scripted(BaseModel):
    """What `POST /_control/script` takes; the turns go behind those still waiting."""

    model_config = ConfigDict(extra="forbid")

    turns: list[Turn]


class Script:
    """Turns are used in order, one for each completion asked for; then the default answers."""

    def __init__(self, default_content: str, latency_ms: int, clock: Clock) -> None:
        self._default = Turn(content=default_content)
        self._turns: deque[Turn] = deque()
        self._clock = clock
        self._usual_latency_ms = latency_ms
        self.latency_ms = latency_ms
        self.requests: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._turns)

    def add(self, turns: list[Turn]) -> None:
        self._turns.extend(turns)

    def note(self, path: str, body: dict[str, Any]) -> None:
        self.requests.append({"path": path, "body": body, "at": self._clock.now().isoformat()})

    async def next(self) -> Turn:
        """The turn for the next completion, after its delay."""
        turn = self._turns.popleft() if self._turns else self._default
        await self._clock.sleep((turn.delay_ms + self.latency_ms) / 1000)
        return turn

    def reset(self) -> None:
        self._turns.clear()
        self.requests.clear()
        self.latency_ms = self._usual_latency_ms
