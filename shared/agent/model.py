"""Which model writes: any OpenAI-compatible endpoint by environment, and the offline model when it is away.

The live model stands behind a circuit breaker: after a few failures in a row it is left alone for a
while, so that an outage costs the first customers some seconds and the next ones nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agents import ModelResponse, OpenAIResponsesModel, set_tracing_disabled
from agents.models.interface import Model
from openai import AsyncOpenAI
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from shared.agent.model_faults import ChatModel, Unusable, is_of_this_message, rest_of, retry_in
from shared.agent.offline import OFFLINE, OfflineModel
from shared.clock import Clock
from shared.observability.logs import logger
from shared.settings import Settings

_FAILURES = 3
_PAUSE = timedelta(seconds=30)
#: Part of a turn that one call of the live model may take, so that time is left for the offline model.
_SHARE_OF_TURN = 0.5


@dataclass(slots=True)
class CircuitBreaker:
    """Opens after `failures` in a row, lets one call through after `pause`, closes with its success."""

    clock: Clock
    failures: int = _FAILURES
    pause: timedelta = _PAUSE
    _failed: int = 0
    _until: datetime | None = None
    _probing: bool = False

    def allows(self) -> bool:
        """Whether a call may be made now."""
        if self._until is None:
            return True
        if self._probing or self.clock.now() < self._until:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """Close."""
        self._failed, self._until, self._probing = 0, None, False

    def failed(self, rest: timedelta | None = None) -> None:
        """Count; open at the limit, when the one call let through failed, or for a `rest` that was asked for."""
        self._failed += 1
        if rest is not None or self._probing or self._failed >= self.failures:
            self._until = self.clock.now() + max(self.pause, rest or self.pause)
        self._probing = False

    def cancelled(self) -> None:
        """The call was given up by its caller, or failed by its contents: it says nothing about the model."""
        self._probing = False


class FallbackModel(OfflineModel):
    """The live model while it answers, the offline model otherwise: call by call, in one and the same tool loop."""

    def __init__(self, live: Model, name: str, breaker: CircuitBreaker, timeout_s: float) -> None:
        self._live = live
        self.name = name
        self._breaker = breaker
        self._timeout_s = timeout_s

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """As the SDK calls it; never raises for a model that is away or answers nonsense."""
        if self._breaker.allows():
            try:
                async with asyncio.timeout(self._timeout_s):
                    response = await self._asked(*args, **kwargs)
            except asyncio.CancelledError:
                self._breaker.cancelled()
                raise
            except Exception as error:  # noqa: BLE001  what libraries make of a strange answer is no closed set
                self._note(error)
            else:
                self._breaker.succeeded()
                return response
        return await super().get_response(*args, **kwargs)

    async def _asked(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """The live model's step; asked once more where that may help, and soon."""
        try:
            return _usable(await self._live.get_response(*args, **kwargs))
        except Exception as error:
            wait = retry_in(error)
            if wait is None:
                raise
            logger().info("model_asked_again", error_type=type(error).__name__, model=self.name)
        await asyncio.sleep(wait)
        return _usable(await self._live.get_response(*args, **kwargs))

    def _note(self, error: Exception) -> None:
        logger().warning("model_away", error_type=type(error).__name__, model=self.name)
        if is_of_this_message(error):
            self._breaker.cancelled()
        else:
            self._breaker.failed(rest_of(error))

    async def close(self) -> None:
        """Close the live model's connections."""
        await self._live.close()


def _usable(response: ModelResponse) -> ModelResponse:
    """The step, if it calls a tool or says something. Raises Unusable for a refusal, an empty text, nothing at all."""
    for item in response.output:
        parts = item.content if isinstance(item, ResponseOutputMessage) else ()
        said = "".join(part.text for part in parts if isinstance(part, ResponseOutputText))
        if isinstance(item, ResponseFunctionToolCall) or said.strip():
            return response
    raise Unusable("the model said nothing")


def name_of(model: Model) -> str:
    """The model's name for the decision record and the metrics: a closed set."""
    return str(getattr(model, "name", getattr(model, "model", OFFLINE if isinstance(model, OfflineModel) else "model")))


@asynccontextmanager
async def open_model(settings: Settings, clock: Clock) -> AsyncGenerator[Model]:
    """The model that the environment names, closed at the end; without OPENAI_API_KEY the offline model."""
    # The SDK would send traces to OpenAI, customers' words included.
    set_tracing_disabled(True)
    key = settings.openai_api_key.get_secret_value()
    if not key:
        yield OfflineModel()
        return
    timeout_s = settings.agent_turn_timeout_s * _SHARE_OF_TURN
    # Asking once more is ours to decide: the client would wait as long as it is told to, customer or not.
    client = AsyncOpenAI(api_key=key, base_url=settings.openai_base_url or None, timeout=timeout_s, max_retries=0)
    try:
        live = _live_model(settings)(settings.agent_model, client)
        yield FallbackModel(live, settings.agent_model, CircuitBreaker(clock), timeout_s)
    finally:
        await client.close()


def _live_model(settings: Settings) -> Callable[[str, AsyncOpenAI], Model]:
    return OpenAIResponsesModel if settings.openai_api == "responses" else ChatModel
