"""One turn: what a person must decide first, then the model with its tools, then the gate, and never nothing.

`run_turn` writes nowhere and sends nothing: it returns what to commit. Errors of ours in a tool
(PostgreSQL away) come out as they are, so that the turn is tried again; everything a model can do wrong
ends in an answer or in a person.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

from agents import Agent, FunctionToolResult, ModelResponse, RunConfig, RunContextWrapper, RunHooks, Runner
from agents.agent import ToolsToFinalOutputResult
from agents.exceptions import AgentsException, MaxTurnsExceeded
from agents.models.interface import Model
from openai import OpenAIError

from shared.agent import escalation, handoff
from shared.agent.backing import neutral
from shared.agent.compose import Source, whole
from shared.agent.contract import Check, Citation, TurnInput, TurnResult
from shared.agent.draft import Draft
from shared.agent.dress import dressed
from shared.agent.escalation import Reason
from shared.agent.gate import GateContext, cited, faults
from shared.agent.intrusion import with_first_steps
from shared.agent.linking import in_form, is_offer, link_text
from shared.agent.longer import Offered, shorter, with_offer, worth_offering
from shared.agent.model import name_of, open_model
from shared.agent.offline import OFFLINE, OfflineModel
from shared.agent.outcome import escalated, replied, settled_without_model
from shared.agent.own_words import is_reply
from shared.agent.ports import LinkPort, NoLinks, SearchPort
from shared.agent.promises import load_promises
from shared.agent.prompt import (
    MAX_TEXT,
    REVIEW_MARK,
    Instructions,
    conversation,
    load_instructions,
    rules,
    system_prompt,
    too_long,
)
from shared.agent.sdk_tools import sdk_tools
from shared.agent.small_talk import small_talk
from shared.agent.tool_run import ToolRun
from shared.agent.translation import load_glossary
from shared.channels.language import language_of
from shared.channels.message import Channel, Trust
from shared.clock import Clock, SystemClock
from shared.observability.logs import logger
from shared.observability.metrics import TOKENS
from shared.settings import Settings

_MAX_MODEL_CALLS = 8
#: Part of a turn's time that is kept for the offline model, should the live one use up the rest.
_OFFLINE_SHARE = 0.2
_MODEL_FAULTS = (AgentsException, OpenAIError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class AgentDeps:
    """What a turn needs, opened once a process."""

    settings: Settings
    search: SearchPort
    model: Model
    clock: Clock
    instructions: Mapping[Channel, Instructions]
    links: LinkPort = field(default_factory=NoLinks)


@asynccontextmanager
async def open_agent(
    settings: Settings, search: SearchPort, clock: Clock | None = None, links: LinkPort | None = None
) -> AsyncGenerator[AgentDeps]:
    """The dependencies of every turn: reads the rules and phrases, opens the model and closes it at the end."""
    instructions = load_instructions()
    escalation.load_rules()
    load_promises()
    neutral()
    load_glossary()
    handoff.load_texts()
    used = clock or SystemClock()
    async with open_model(settings, used) as model:
        yield AgentDeps(settings, search, model, used, instructions, links or NoLinks())


async def run_turn(deps: AgentDeps, turn: TurnInput) -> TurnResult:
    """Decide one turn. Raises Retryable when the knowledge base is away; nothing else of what a model may do."""
    if (settled := await _settled(deps, turn)) is not None:
        return settled
    run, written = ToolRun(turn, deps.search, Draft(), deps.links), _Written()
    try:
        async with asyncio.timeout(deps.settings.agent_turn_timeout_s * (1 - _OFFLINE_SHARE)):
            await _write(deps, run, deps.model, written)
    except _MODEL_FAULTS as error:
        _raise_fault(run)
        logger().warning("model_failed", error_type=type(error).__name__)
        # What the live model did is on record all the same, and was paid for.
        run = ToolRun(turn, deps.search, Draft(calls=run.draft.calls), deps.links)
        await _write_offline(deps, run, written)
    return _result(deps, run, written)


async def _settled(deps: AgentDeps, turn: TurnInput) -> TurnResult | None:
    """What needs no model; a long text is read beside the event loop, which others are waiting for."""
    if too_long(turn):
        return await asyncio.to_thread(settled_without_model, turn, deps.settings)
    done = settled_without_model(turn, deps.settings)
    return done and await with_first_steps(deps.search, turn, done, deps.settings.escalation_policy)


@dataclass(slots=True)
class _Written:
    """What came out of the model: the text that passed the gate, or None. `long`: a draft too long, and else fine."""

    text: str | None = None
    long: str = ""
    checks: list[Check] = field(default_factory=list[Check])
    responses: list[ModelResponse] = field(default_factory=list[ModelResponse])
    model: str = OFFLINE
    failed: bool = False


async def _write_offline(deps: AgentDeps, run: ToolRun, written: _Written) -> None:
    try:
        async with asyncio.timeout(deps.settings.agent_turn_timeout_s * _OFFLINE_SHARE):
            await _write(deps, run, OfflineModel(), written)
    except _MODEL_FAULTS as error:
        _raise_fault(run)
        logger().error("offline_model_failed", error_type=type(error).__name__)
        written.failed = True


async def _write(deps: AgentDeps, run: ToolRun, model: Model, written: _Written) -> None:
    """Let the model write, hold its text against the gate, and let it repair the text once."""
    written.model, written.long = name_of(model), ""
    agent = _agent(deps, run.turn, model)
    items: Any = conversation(run.turn)
    for attempt in (1, 2):
        hooks = _Budget(deps, written)
        result = await Runner.run(
            agent, items, context=run, max_turns=_MAX_MODEL_CALLS, hooks=hooks, run_config=_run_config()
        )
        _raise_fault(run)
        written.text = _settled_text(deps, run, str(result.final_output or ""))
        if written.text is not None or run.draft.escalation is not None:
            return
        text = _dressed(deps, run.turn, str(result.final_output or ""))
        reasons = faults(text, _gate_context(deps, run))
        written.checks.append(Check(attempt, tuple(reasons)))
        if not reasons:
            written.text = text
            return
        if run.turn.channel is Channel.WHATSAPP and [reason.partition(":")[0] for reason in reasons] == ["too-long"]:
            written.long = text
        review = "\n".join([REVIEW_MARK, *(f"- {reason}" for reason in reasons)])
        items = [*result.to_input_list(), {"role": "system", "content": review}]
    written.text = _shortened(deps, run, written)


class _Budget(RunHooks[ToolRun]):
    """Keeps each response; ends a run that costs more tokens than an answer is worth."""

    def __init__(self, deps: AgentDeps, written: _Written) -> None:
        self._most, self._kept = deps.settings.agent_max_tokens, written.responses

    async def on_llm_end(self, context: RunContextWrapper[ToolRun], agent: Any, response: Any) -> None:
        """After each call of the model. Raises MaxTurnsExceeded."""
        self._kept.append(response)
        if context.usage.total_tokens > self._most:
            raise MaxTurnsExceeded("the turn's tokens are used up")


def _settled_text(deps: AgentDeps, run: ToolRun, said: str) -> str | None:
    """Fixed words of ours, which need no gate: what a link came to, whatever a model says; an offer; a regret."""
    turn, settings, greet = run.turn, deps.settings, not run.turn.answered_here
    if run.draft.escalation is None and run.draft.link is not None:
        run.draft.link = replace(run.draft.link, company=settings.company_name, team=settings.support_team_name)
        return link_text(turn.channel, run.draft.link, turn.customer_name, greet=greet)
    if is_reply(said) or (is_offer(said) and turn.trust is Trust.VERIFIED):
        return in_form(turn.channel, said, name=turn.customer_name, team=settings.support_team_name, greet=greet)
    return None


def _shortened(deps: AgentDeps, run: ToolRun, written: _Written) -> str | None:
    """What of a draft that is only too long fits, in whole sentences, and passes the gate; the rest is offered."""
    if not written.long or written.checks[-1].reasons[0].partition(":")[0] != "too-long":
        return None
    context = _gate_context(deps, run)
    room = (text for text in shorter(written.long) if with_offer(text, "x").whole)
    return next((text for text in room if not faults(text, context)), None)


def _agent(deps: AgentDeps, turn: TurnInput, model: Model) -> Agent[ToolRun]:
    return Agent[ToolRun](
        name="support",
        instructions=system_prompt(deps.instructions[turn.channel], turn, deps.settings),
        model=model,
        tools=list(sdk_tools()),
        tool_use_behavior=_after_tools,
    )


def _after_tools(context: RunContextWrapper[ToolRun], _results: list[FunctionToolResult]) -> ToolsToFinalOutputResult:
    """A handoff, and what a link came to, are said in our words: the model has no more to say."""
    draft = context.context.draft
    return ToolsToFinalOutputResult(draft.escalation is not None or draft.link is not None, "")


def _run_config() -> RunConfig:
    return RunConfig(tracing_disabled=True, trace_include_sensitive_data=False, workflow_name="turn")


def _dressed(deps: AgentDeps, turn: TurnInput, text: str) -> str:
    team, greet, language = deps.settings.support_team_name, not turn.answered_here, language_of([text])
    return dressed(turn.channel, text, name=turn.customer_name, team=team, greet=greet, language=language)


def _gate_context(deps: AgentDeps, run: ToolRun) -> GateContext:
    turn, settings = run.turn, deps.settings
    earlier = [f"{turn.earlier.at.day} {turn.earlier.subject}"] if turn.earlier else []
    # As much of the history as the model was shown.
    before = [message.text[:MAX_TEXT] for message in turn.known_history]
    known = [*turn.texts, turn.customer_name, *before, *earlier]
    written_rules = rules(deps.instructions[turn.channel], settings)
    talk = small_talk(turn.said, turn.customer_name) is not None
    return GateContext(
        channel=turn.channel,
        passages=tuple(run.draft.passages.values()),
        known="\n".join(known),
        addresses=frozenset({settings.gmail_mailbox}),
        # The examples show what a reply looks like: only the rules themselves are secret.
        instructions=written_rules.split("\nExample:", 1)[0],
        policy=settings.escalation_policy,
        small_talk=talk,
        names=f"{turn.customer_name} {settings.company_name} {settings.support_team_name}",
        # One word of greeting tells a language by its own list, if at all.
        language=None if talk else turn.language,
    )


def _raise_fault(run: ToolRun) -> None:
    if run.draft.fault is not None:
        raise run.draft.fault


def _result(deps: AgentDeps, run: ToolRun, written: _Written) -> TurnResult:
    facts = _facts(deps, run, written)
    if written.text is not None:
        offered = _offered(deps, run, written, written.text)
        return replied(run, offered.text, whole=offered.whole, **facts)
    if run.draft.escalation is not None:
        return escalated(run, run.draft.escalation.reason, deps.settings, **facts)
    return escalated(run, Reason.MODEL_DOWN if written.failed else Reason.GATE, deps.settings, **facts)


def _offered(deps: AgentDeps, run: ToolRun, written: _Written, text: str) -> Offered:
    """The text, with the offer of the rest where WhatsApp had no room: of the longer draft, or of the pages quoted."""
    if run.turn.channel is not Channel.WHATSAPP:
        return Offered(text)
    all_of_it = written.long
    if not all_of_it and _answered_by(written) == OFFLINE:
        found = cited(text, tuple(run.draft.passages.values()))
        sources = [Source(one.title, one.heading, one.url, one.text, language=one.language) for one in found[:2]]
        all_of_it = whole(sources, deps.settings.escalation_policy)
    return with_offer(text, all_of_it) if worth_offering(text, all_of_it) else Offered(text)


def _facts(deps: AgentDeps, run: ToolRun, written: _Written) -> dict[str, Any]:
    tokens_in = sum(response.usage.input_tokens for response in written.responses)
    tokens_out = sum(response.usage.output_tokens for response in written.responses)
    model = _answered_by(written)
    TOKENS.labels(model, "input").inc(tokens_in)
    TOKENS.labels(model, "output").inc(tokens_out)
    found = cited(written.text or "", tuple(run.draft.passages.values()))
    return {
        "passages": tuple(
            Citation(one.document_id, one.version, one.heading_path, one.url, one.score) for one in found
        ),
        "checks": tuple(written.checks),
        "model": model,
        "instructions_version": deps.instructions[run.turn.channel].version,
        "tokens_in": tokens_in,
        "tokens_out": tokens_out,
    }


def _answered_by(written: _Written) -> str:
    """The model of the last step: a live model that went away in mid-turn did not write the answer."""
    if not written.responses or written.model == OFFLINE:
        return written.model
    last = cast(Any, written.responses[-1].output[-1]) if written.responses[-1].output else None
    return OFFLINE if str(getattr(last, "id", "")).startswith(f"{OFFLINE}-") else written.model
