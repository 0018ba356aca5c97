"""POST /v1/responses, without streaming (platform.openai.com/docs/api-reference/responses)."""

from __future__ import annotations

from typing import Any

from shared.local.simulators.openai.chat import arguments, new_id, usage
from shared.local.simulators.openai.script import Turn

#: What chat completions call a finish reason, in this endpoint's words.
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def response(turn: Turn, asked: dict[str, Any], created: int) -> dict[str, Any]:
    """The response object."""
    cut = _INCOMPLETE.get(turn.finish_reason or "")
    answer = {
        "id": new_id("resp"),
        "object": "response",
        "created_at": created,
        "status": "incomplete" if cut else "completed",
        "error": None,
        "incomplete_details": {"reason": cut} if cut else None,
        "instructions": asked.get("instructions"),
        "metadata": asked.get("metadata") or {},
        "model": asked["model"],
        "output": _output(turn),
        "parallel_tool_calls": asked.get("parallel_tool_calls", True),
        "temperature": asked.get("temperature", 1.0),
        "tool_choice": asked.get("tool_choice", "auto"),
        "tools": asked.get("tools") or [],
        "top_p": asked.get("top_p", 1.0),
        "usage": _usage(turn, asked),
    }
    return answer | turn.extra


def _output(turn: Turn) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = [
        {
            "id": new_id("fc"),
            "type": "function_call",
            "status": "completed",
            "call_id": call.id or new_id("call"),
            "name": call.name,
            "arguments": arguments(call),
        }
        for call in turn.tool_calls
    ]
    parts: list[dict[str, Any]] = []
    if turn.content is not None:
        parts.append({"type": "output_text", "text": turn.content, "annotations": [], "logprobs": []})
    if turn.refusal is not None:
        parts.append({"type": "refusal", "refusal": turn.refusal})
    if parts:
        message = {"id": new_id("msg"), "type": "message", "role": "assistant", "status": "completed"}
        items.append({**message, "content": parts})
    return items


def _usage(turn: Turn, asked: dict[str, Any]) -> dict[str, Any]:
    counted = usage(turn, asked)
    return {
        "input_tokens": counted["prompt_tokens"],
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": counted["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": counted["total_tokens"],
    }
