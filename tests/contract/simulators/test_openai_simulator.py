"""The OpenAI-compatible endpoint through OpenAI's own client."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
import pytest_asyncio

ASK: Any = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Where is my invoice?"}]}
CALL = {"name": "search_knowledge", "arguments": {"query": "invoice"}, "id": "call_1"}


@pytest_asyncio.fixture
async def client(openai_url: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key="local", base_url=f"{openai_url}/v1", max_retries=0) as made:
        yield made


async def control(url: str, path: str, body: Any = None) -> Any:
    """POST to a control endpoint, or GET without a body."""
    async with httpx.AsyncClient(base_url=f"{url}/_control/") as http:
        answer = await (http.get(path) if body is None else http.post(path, json=body))
        return answer.raise_for_status().json()


async def test_turns_are_answered_in_order_and_then_the_default(client: openai.AsyncOpenAI, openai_url: str) -> None:
    """A tool call, a text, and the default answer; what was asked is kept."""
    assert await control(openai_url, "script", {"turns": [{"tool_calls": [CALL]}, {"content": "It is attached."}]}) == {
        "waiting": 2
    }
    first = (await client.chat.completions.create(**ASK)).choices[0]
    assert first.finish_reason == "tool_calls"
    assert first.message.content is None
    call: Any = (first.message.tool_calls or [])[0]
    assert (call.id, call.function.name) == ("call_1", "search_knowledge")
    assert json.loads(call.function.arguments) == {"query": "invoice"}
    second = await client.chat.completions.create(**ASK)
    assert second.choices[0].message.content == "It is attached."
    assert second.usage
    assert second.usage.total_tokens > 0
    assert (await client.chat.completions.create(**ASK)).choices[0].message.content == "Thank you for your message."
    asked = await control(openai_url, "requests")
    assert [(one["path"], one["body"]["messages"]) for one in asked] == [("/v1/chat/completions", ASK["messages"])] * 3


async def test_chat_streams(client: openai.AsyncOpenAI, openai_url: str) -> None:
    """Deltas that add up to the turn, and the usage when asked for."""
    await control(openai_url, "script", {"turns": [{"content": "two\nlines", "tool_calls": [CALL]}]})
    text, names, finish, usage = "", [], None, None
    stream = await client.chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True})
    async for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            names += [call.function.name for call in choice.delta.tool_calls or [] if call.function]
            finish = choice.finish_reason or finish
    assert (text, names, finish) == ("two\nlines", ["search_knowledge"], "tool_calls")
    assert usage


async def test_responses(client: openai.AsyncOpenAI, openai_url: str) -> None:
    """The other API over the same script."""
    await control(openai_url, "script", {"turns": [{"tool_calls": [CALL]}, {"content": "Here."}]})
    called: Any = (await client.responses.create(model="gpt-4.1-mini", input="hi")).output[0]
    assert (called.type, called.call_id, called.name) == ("function_call", "call_1", "search_knowledge")
    answer = await client.responses.create(model="gpt-4.1-mini", input="hi")
    assert answer.output_text == "Here."
    assert answer.usage
    assert answer.usage.input_tokens > 0


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
async def test_a_turn_may_be_an_error(client: openai.AsyncOpenAI, openai_url: str, status: int, error: Any) -> None:
    await control(openai_url, "script", {"turns": [{"status": status}]})
    with pytest.raises(error):
        await client.chat.completions.create(**ASK)


async def test_a_turn_may_be_a_raw_body(client: openai.AsyncOpenAI, openai_url: str) -> None:
    """Broken JSON, as a broken gateway gives."""
    await control(openai_url, "script", {"turns": [{"raw": '{"choices": ['}]})
    with pytest.raises(json.JSONDecodeError):
        await client.chat.completions.create(**ASK)


async def test_tool_arguments_may_be_broken(client: openai.AsyncOpenAI, openai_url: str) -> None:
    await control(openai_url, "script", {"turns": [{"tool_calls": [{"name": "escalate", "arguments": '{"reason": '}]}]})
    call: Any = ((await client.chat.completions.create(**ASK)).choices[0].message.tool_calls or [])[0]
    assert call.function.arguments == '{"reason": '


async def test_latency_is_set_for_all_turns_or_one(client: openai.AsyncOpenAI, openai_url: str) -> None:
    await control(openai_url, "latency", {"ms": 150})
    await control(openai_url, "script", {"turns": [{"content": "late", "delay_ms": 150}]})
    start = time.monotonic()
    await client.chat.completions.create(**ASK)
    assert time.monotonic() - start >= 0.3
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(timeout=0.05).chat.completions.create(**ASK)


async def test_faults_and_reset(client: openai.AsyncOpenAI, openai_url: str) -> None:
    """Outage, rate limit and a lost answer as the client raises them; a reset ends them and forgets the script."""
    for kind, error in (
        ("outage", openai.InternalServerError),
        ("rate_limit", openai.RateLimitError),
        ("lost_response", openai.APIConnectionError),
    ):
        await control(openai_url, "faults", {"kind": kind, "for_s": 30, "count": 1})
        with pytest.raises(error):
            await client.chat.completions.create(**ASK)
    await control(openai_url, "faults", {"kind": "outage", "for_s": 30})
    await control(openai_url, "script", {"turns": [{"content": "never"}]})
    await control(openai_url, "reset", {})
    assert (await client.chat.completions.create(**ASK)).choices[0].message.content == "Thank you for your message."
    assert len(await control(openai_url, "requests")) == 1


@pytest.mark.parametrize("encoding", ["float", "base64"])
async def test_embeddings_are_the_same_each_time_and_near_for_shared_words(
    client: openai.AsyncOpenAI, encoding: Any
) -> None:
    """Unit vectors of the size asked for."""
    texts = ["reset my password", "password reset", "an invoice for March"]
    model = "text-embedding-3-small"
    answer = await client.embeddings.create(model=model, input=texts, encoding_format=encoding, dimensions=64)
    again = await client.embeddings.create(model=model, input=texts[0], dimensions=64)
    one, two, other = (item.embedding for item in answer.data) if encoding == "float" else await _decoded(client, texts)
    assert len(one) == 64
    assert sum(a * b for a, b in zip(one, again.data[0].embedding, strict=True)) == pytest.approx(1, abs=1e-5)
    near = sum(a * b for a, b in zip(one, two, strict=True))
    assert near > sum(a * b for a, b in zip(one, other, strict=True))


async def _decoded(client: openai.AsyncOpenAI, texts: list[str]) -> list[list[float]]:
    """Asked for nothing, the client takes base64 and decodes it."""
    answer = await client.embeddings.create(model="text-embedding-3-small", input=texts, dimensions=64)
    return [item.embedding for item in answer.data]


async def test_models_and_refusals(client: openai.AsyncOpenAI, openai_url: str) -> None:
    assert "gpt-4.1-mini" in [model.id async for model in client.models.list()]
    with pytest.raises(openai.BadRequestError) as raised:
        await client.chat.completions.create(model="gpt-4.1-mini", messages=[])
    assert raised.value.param == "messages"
    async with httpx.AsyncClient() as anonymous:
        assert (await anonymous.get(f"{openai_url}/v1/models")).status_code == 401
