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

from agents import ModelResponse, OpenAIChatCompletionsModel, OpenAIResponsesModel, set_tracing_disabled
from agents.models.interface import Model
from openai import AsyncOpenAI, OpenAIError

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
    _opened_at: datetime | None = None
    _probing: bool = False

    def allows(self) -> bool:
        """Whether a call may be made now."""
        if self._opened_at is None:
            return True
        if self._probing or self.clock.now() - self._opened_at < self.pause:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """Close."""
        self._failed, self._opened_at, self._probing = 0, None, False

    def failed(self) -> None:
        """Count; open at the limit or when the one call that was let through failed."""
        self._failed += 1
        if self._probing or self._failed >= self.failures:
            self._opened_at = self.clock.now()
        self._probing = False

    def cancelled(self) -> None:
        """The call was given up by its caller: it says nothing about the model."""
        self._probing = False


class FallbackModel(OfflineModel):
    """The live model while it answers, the offline model otherwise: call by call, in one and the same tool loop."""

    def __init__(self, live: Model, name: str, breaker: CircuitBreaker, timeout_s: float) -> None:
        self._live = live
        self.name = name
        self._breaker = breaker
        self._timeout_s = timeout_s

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """As the SDK calls it; never raises for a model that is away."""
        if self._breaker.allows():
            try:
                async with asyncio.timeout(self._timeout_s):
                    response = await self._live.get_response(*args, **kwargs)
            except asyncio.CancelledError:
                self._breaker.cancelled()
                raise
            except (OpenAIError, TimeoutError, OSError) as error:
                self._breaker.failed()
                logger().warning("model_away", error_type=type(error).__name__, model=self.name)
            else:
                self._breaker.succeeded()
                return response
        return await super().get_response(*args, **kwargs)

    async def close(self) -> None:
        """Close the live model's connections."""
        await self._live.close()


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
    client = AsyncOpenAI(api_key=key, base_url=settings.openai_base_url or None, timeout=timeout_s, max_retries=1)
    try:
        live = _live_model(settings)(settings.agent_model, client)
        yield FallbackModel(live, settings.agent_model, CircuitBreaker(clock), timeout_s)
    finally:
        await client.close()


def _live_model(settings: Settings) -> Callable[[str, AsyncOpenAI], Model]:
    return OpenAIResponsesModel if settings.openai_api == "responses" else OpenAIChatCompletionsModel
