"""POST /v1/chat/completions: the answer and its stream (platform.openai.com/docs/api-reference/chat)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

from shared.local.simulators.openai.script import ToolCall, Turn


def completion(turn: Turn, asked: dict[str, Any], created: int) -> dict[str, Any]:
    """The chat.completion object."""
    message: dict[str, Any] = {"role": "assistant", "content": turn.content, "refusal": turn.refusal, "annotations": []}
    if turn.tool_calls:
        message["tool_calls"] = tool_calls(turn)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(turn)}
    answer = {**_envelope("chat.completion", asked, created), "choices": [choice], "usage": usage(turn, asked)}
    return answer | turn.extra


def chunks(turn: Turn, asked: dict[str, Any], created: int) -> Iterator[str]:
    """The same as server-sent events: role, words, tool calls, the end, and the usage where asked for."""
    envelope = _envelope("chat.completion.chunk", asked, created)

    def event(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _event({**envelope, "choices": [choice]})

    yield event({"role": "assistant", "content": "" if turn.content else None})
    for word in (turn.content or "").splitlines(keepends=True):
        yield event({"content": word})
    for index, call in enumerate(tool_calls(turn)):
        yield event({"tool_calls": [{"index": index, **call}]})
    yield event({}, _finish(turn))
    options: dict[str, Any] = asked.get("stream_options") or {}
    if options.get("include_usage"):
        yield _event({**envelope, "choices": [], "usage": usage(turn, asked)})
    yield "data: [DONE]\n\n"


def tool_calls(turn: Turn) -> list[dict[str, Any]]:
    return [
        {"id": call.id or new_id("call"), "type": "function", "function": {"name": call.name, "arguments": _text(call)}}
        for call in turn.tool_calls
    ]


def arguments(call: ToolCall) -> str:
    """The arguments as the JSON text that a model writes."""
    return _text(call)


def usage(turn: Turn, asked: dict[str, Any]) -> dict[str, Any]:
    """Tokens at four characters each, unless the turn says how many."""
    if turn.usage is not None:
        return {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": sum(turn.usage.values())} | turn.usage
    prompt = len(json.dumps(asked.get("messages") or asked.get("input") or "")) // 4 + 1
    written = (len(turn.content or "") + sum(len(_text(call)) for call in turn.tool_calls)) // 4 + 1
    return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


def _finish(turn: Turn) -> str:
    return turn.finish_reason or ("tool_calls" if turn.tool_calls else "stop")


def _envelope(kind: str, asked: dict[str, Any], created: int) -> dict[str, Any]:
    return {"id": f"chatcmpl-{secrets.token_hex(12)}", "object": kind, "created": created, "model": asked["model"]}


def _text(call: ToolCall) -> str:
    return call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments)


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"
