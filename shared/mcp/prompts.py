"""The agent's own instructions as an MCP prompt: what a client's model must know to answer as the agent does."""

from __future__ import annotations

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    Prompt,
    PromptArgument,
    PromptMessage,
    TextContent,
)

from shared.agent.contract import TurnInput
from shared.agent.prompt import conversation, load_instructions, rules, system_prompt
from shared.channels.message import Channel
from shared.settings import Settings

NAME = "answer_customer"
_CHANNELS = tuple(channel.value for channel in Channel)
_MAX_QUESTION = 4000


def prompts(*, of_conversation: bool) -> ListPromptsResult:
    """One prompt; with a conversation it needs no argument, as channel, history and message are those of it."""
    asked = [
        PromptArgument(name="channel", description=f"one of {', '.join(_CHANNELS)}", required=True),
        PromptArgument(name="question", description="what the customer wrote", required=True),
    ]
    return ListPromptsResult(
        prompts=[
            Prompt(
                name=NAME,
                title="Answer a customer",
                description="The agent's rules and tone for the channel, and the message to answer",
                arguments=[] if of_conversation else asked,
            )
        ]
    )


def prompted(settings: Settings, turn: TurnInput | None, params: GetPromptRequestParams) -> GetPromptResult:
    """The prompt filled in: of `turn`, else of the arguments. Raises MCPError (invalid params)."""
    if params.name != NAME:
        raise MCPError(INVALID_PARAMS, f"there is no such prompt; there is {NAME}")
    if turn is not None:
        told = system_prompt(load_instructions()[turn.channel], turn, settings)
        return _result(told, conversation(turn))
    given = params.arguments or {}
    channel, question = given.get("channel", ""), given.get("question", "").strip()
    if channel not in _CHANNELS or not 0 < len(question) <= _MAX_QUESTION:
        wanted = f"channel is one of {', '.join(_CHANNELS)}, question 1 to {_MAX_QUESTION} characters"
        raise MCPError(INVALID_PARAMS, wanted)
    told = rules(load_instructions()[Channel(channel)], settings)
    return _result(told, [{"role": "user", "content": question}])


def _result(told: str, said: list[dict[str, str]]) -> GetPromptResult:
    """MCP knows no system role: the rules are the first thing that is said."""
    first = PromptMessage(role="user", content=TextContent(type="text", text=told))
    rest = [
        PromptMessage(
            role="assistant" if one["role"] == "assistant" else "user",
            content=TextContent(type="text", text=one["content"]),
        )
        for one in said
    ]
    return GetPromptResult(messages=[first, *rest])
