"""The live model at the wire: the SDK's real HTTP clients against an OpenAI-compatible endpoint on this machine."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from shared.agent.turn import open_agent, run_turn
from tests.conftest import make_settings
from tests.unit.test_agent_tools import Shelf
from tests.unit.test_agent_turn import GOOD, PAGE, URL, turn

SEARCH = {"tool_calls": [{"name": "search_knowledge", "arguments": {"query": "export", "limit": 3, "language": None}}]}


async def control(url: str, path: str, body: Any = None) -> Any:
    """POST to a control endpoint, or GET without a body."""
    async with httpx.AsyncClient(base_url=f"{url}/_control/") as http:
        answer = await (http.get(path) if body is None else http.post(path, json=body))
        return answer.raise_for_status().json()


def settings(url: str, api: str = "chat", **more: object) -> Any:
    """Settings with a key and this endpoint."""
    key = SecretStr("local")
    return make_settings(openai_api_key=key, openai_base_url=f"{url}/v1", openai_api=api, **more)


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_both_apis_drive_the_same_turn(endpoint: str, api: str) -> None:
    """Issue 3, item 7: any compatible endpoint by chat completions, OPENAI_API=responses switches."""
    await control(endpoint, "script", {"turns": [SEARCH, {"content": GOOD}]})
    async with open_agent(settings(endpoint, api), Shelf(PAGE)) as deps:
        result = await run_turn(deps, turn())
    assert (result.outcome, result.model) == ("replied", "gpt-4.1-mini")
    assert URL in result.text
    assert result.tokens_in > 0
    asked = await control(endpoint, "requests")
    assert [one["path"].rsplit("/", 1)[-1] for one in asked] == ["completions" if api == "chat" else "responses"] * 2
    assert "Open Settings" in json.dumps(asked[-1]["body"], ensure_ascii=False)


async def test_a_refused_draft_goes_back_over_the_wire(endpoint: str) -> None:
    """The review is a system message that chat endpoints take in the middle of a conversation."""
    turns = [SEARCH, {"content": f"{GOOD} We will refund you."}, {"content": GOOD}]
    await control(endpoint, "script", {"turns": turns})
    async with open_agent(settings(endpoint), Shelf(PAGE)) as deps:
        result = await run_turn(deps, turn())
    assert result.outcome == "replied"
    roles = [message["role"] for message in (await control(endpoint, "requests"))[-1]["body"]["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "assistant", "system"]


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_an_endpoint_that_refuses_is_bridged(endpoint: str, status: int) -> None:
    """A wrong key, a limit or an outage: the customer gets the offline model's answer."""
    await control(endpoint, "script", {"turns": [{"status": status}] * 4})
    async with open_agent(settings(endpoint), Shelf(PAGE)) as deps:
        result = await run_turn(deps, turn())
    assert (result.outcome, result.model) == ("replied", "offline")


async def test_a_slow_endpoint_is_bridged_in_time(endpoint: str) -> None:
    """A turn ends within its time whatever the endpoint does."""
    await control(endpoint, "latency", {"ms": 30_000})
    # Far more than its time, on a busy machine too, and less than the endpoint takes.
    async with asyncio.timeout(20), open_agent(settings(endpoint, agent_turn_timeout_s=2.0), Shelf(PAGE)) as deps:
        result = await run_turn(deps, turn())
    assert (result.outcome, result.model) == ("replied", "offline")
