"""A model without a network: it searches, quotes and cites, or hands over.

It implements the SDK's `Model`, so that it drives the very tool loop that a live model drives: it reads
the same instructions and input, calls the same tools, and its text goes through the same gate.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

from agents import ModelResponse, Usage
from agents.items import TResponseInputItem, TResponseOutputItem, TResponseStreamEvent
from agents.models.interface import Model
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)

from shared.agent.offline_plan import Say, ToolUse, plan
from shared.agent.offline_reading import read

OFFLINE = "offline"


class OfflineModel(Model):
    """See the module. It keeps no state: everything is in the input of each call."""

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        *_rest: Any,
        **_options: Any,
    ) -> ModelResponse:
        """The next step: one or more tool calls, or the message. Nothing else of the call matters here."""
        steps = plan(read(system_instructions or "", input))
        return ModelResponse(output=[_item(step) for step in steps], usage=Usage(requests=1), response_id=None)

    async def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        *_rest: Any,
        **_options: Any,
    ) -> AsyncIterator[TResponseStreamEvent]:
        """The same step as one completed event: there is nothing to wait for."""
        steps = plan(read(system_instructions or "", input))
        response = Response(
            id=f"offline-{uuid.uuid4()}",
            created_at=0,
            model=OFFLINE,
            object="response",
            output=[_item(step) for step in steps],
            parallel_tool_calls=True,
            tool_choice="auto",
            tools=[],
        )
        yield ResponseCompletedEvent(type="response.completed", sequence_number=0, response=response)


def _item(step: Say | ToolUse) -> TResponseOutputItem:
    made = f"offline-{uuid.uuid4()}"
    if isinstance(step, ToolUse):
        arguments = json.dumps(step.arguments, ensure_ascii=False)
        return ResponseFunctionToolCall(
            id=made, call_id=made, type="function_call", name=step.tool, arguments=arguments
        )
    text: Any = ResponseOutputText(text=step.text, type="output_text", annotations=[], logprobs=[])
    return ResponseOutputMessage(id=made, type="message", role="assistant", status="completed", content=[text])
