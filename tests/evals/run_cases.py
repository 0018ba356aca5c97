"""The cases, through the tools of the MCP server and through the production agent: `python -m tests.evals.run_cases`.

Prints a table, one line a case, and the baseline: how many passed, how many cases reached a person, how
long a turn took. Works on the database at DATABASE_URL if that is set, else on one of its own. A case that tells what
its model does has the fake of a model's endpoint as its model.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from pydantic import SecretStr

from shared.agent.confusion import LABELS, NONE, Confusion, confusion, read_labelled
from shared.agent.contract import HistoryMessage, TicketFacts, TurnInput, TurnMessage
from shared.agent.ports import SearchPort
from shared.agent.turn import AgentDeps, open_agent, run_turn
from shared.channels.gmail.automated import reason_not_to_answer
from shared.channels.gmail.message import parse
from shared.channels.language import ENGLISH
from shared.channels.message import Channel, Trust
from shared.conversations.codes import Kind, State
from shared.db.migrate import migrate
from shared.db.pool import Database
from shared.knowledge.embed import WordLlamaEmbedder
from shared.knowledge.ingest import ingest_folder
from shared.knowledge.search import KnowledgeSearch
from shared.settings import Settings
from tests.evals import prototype
from tests.evals.cases import Call, Case, Outcome, broken, load_cases
from tests.evals.scenarios.run import scripted_model

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ROOT / "context" / "products"
ESCALATION = Path(__file__).with_name("escalation_held_out.jsonl")
#: Of the check before the model (R5.2): how many matters reach a person, how many of each, and of ordinary messages.
LEAST_RECALL = 0.98
LEAST_OF_A_MATTER = 0.97
MOST_FALSE_ALARMS = 0.05
_BEGAN = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)

Script = Sequence[Mapping[str, Any]]
Answer = Callable[[TurnInput, Script], Awaitable[Outcome]]
#: What the cases of linking take for the code that was sent.
CODE = "402915"


@dataclass(frozen=True, slots=True)
class Ran:
    """One case through one agent."""

    case: Case
    got: Outcome
    broken: list[str]
    seconds: float


class Links:
    """Whoever asks for a code is sent one, and it is CODE: what the database knows otherwise."""

    async def standing(self, turn: TurnInput, kind: Kind, address: str) -> State | None:
        """Nothing is linked yet."""
        return "sent"

    async def judged(self, turn: TurnInput, code: str) -> State | None:
        """While one is awaited."""
        if not turn.code_awaited:
            return None
        return "linked" if code == CODE else "wrong"


async def production(deps: AgentDeps, turn: TurnInput) -> Outcome:
    """One turn of the production agent."""
    result = await run_turn(deps, turn)
    documents = frozenset(passage.document_id for passage in result.passages)
    link = result.link.state if result.link else ""
    return Outcome(
        result.outcome, result.reason, result.text, documents, result.summary, result.ticket, result.follow_up, link
    )


async def scripted(deps: AgentDeps, endpoint: str, turn: TurnInput, script: Script) -> Outcome:
    """One turn of the production agent whose model, at the wire, does what the script says."""
    async with httpx.AsyncClient(base_url=f"{endpoint}/_control/", trust_env=False) as control:
        await control.post("reset")
        (await control.post("script", json={"turns": list(script)})).raise_for_status()
        got = await production(deps, turn)
        asked = (await control.get("requests")).raise_for_status().json()
        left = (await control.post("script", json={"turns": []})).json()["waiting"]
    if left:
        return Outcome("failed", f"{left} answers of the model were not asked for")
    return replace(got, said=_said(asked[-1]["body"]["messages"]))


def _said(messages: Sequence[Mapping[str, Any]]) -> tuple[Call, ...]:
    """What the tools answered, as the model was told."""
    names = {one["id"]: one["function"]["name"] for message in messages for one in message.get("tool_calls") or ()}
    tools = [message for message in messages if message["role"] == "tool"]
    return tuple(Call(names[one["tool_call_id"]], str(one["content"])) for one in tools)


async def run_case(case: Case, answer: Answer) -> Ran:
    """Send the case's messages in order; what follows a handoff is a person's, and the agent is silent."""
    history: tuple[HistoryMessage, ...] = ()
    got, seconds = Outcome("ignored"), 0.0
    for number, texts in enumerate(case.turns):
        at = _BEGAN + timedelta(minutes=10 * number)
        if got.outcome == "escalated":
            got = Outcome("escalated", "with-a-person")
            continue
        began = time.perf_counter()
        script = case.model if number == len(case.turns) - 1 else ()
        got = _unanswerable(case, texts) or await answer(_turn(case, texts, at, history), script)
        seconds = time.perf_counter() - began
        said = [HistoryMessage("customer", case.channel, text, case.subject, at, case.id) for text in texts]
        said += [HistoryMessage("agent", case.channel, got.text, case.subject, at, case.id)] if got.text else []
        history = (*history, *said)
    return Ran(case, got, broken(case, got), seconds)


def _turn(case: Case, texts: tuple[str, ...], at: datetime, history: tuple[HistoryMessage, ...]) -> TurnInput:
    turn = TurnInput(
        channel=case.channel,
        trust=case.trust,
        customer_id="customer",
        conversation_id=case.id,
        ticket_id="ticket",
        customer_name="Robin Hale",
        messages=tuple(TurnMessage(text, case.subject, at) for text in texts),
        ticket=TicketFacts(case.subject if case.trust is Trust.VERIFIED else "", "open", "general", "normal", _BEGAN),
        code_awaited=case.code_awaited,
        history=history,
        answered_here=any(one.author != "customer" and one.channel is case.channel for one in history),
    )
    return replace(turn, has_pages=(DOCUMENTS / (turn.language or ENGLISH)).is_dir())


def _unanswerable(case: Case, texts: tuple[str, ...]) -> Outcome | None:
    """What the e-mail channel ignores before any agent sees it."""
    if case.channel is not Channel.EMAIL:
        return None
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "robin@example.org", "support@example.com", case.subject
    for name, value in case.headers.items():
        mail[name] = value
    mail.set_content("\n".join(texts))
    reason = reason_not_to_answer(parse(mail.as_bytes()), frozenset({"support@example.com"}))
    return Outcome("ignored", reason) if reason else None


@dataclass(frozen=True, slots=True)
class Agents:
    """Both ways through the same knowledge base; `live` has the fake at `endpoint` as its model."""

    deps: AgentDeps
    search: SearchPort
    live: AgentDeps | None = None
    endpoint: str = ""

    async def by_tools(self, turn: TurnInput, script: Script = ()) -> Outcome:
        """The prototype."""
        return await prototype.answer(self.deps.settings, self.search, turn, links=self.deps.links, script=script)

    async def by_production(self, turn: TurnInput, script: Script = ()) -> Outcome:
        """The production agent."""
        if not script:
            return await production(self.deps, turn)
        assert self.live is not None, "a scripted case needs an endpoint"
        return await scripted(self.live, self.endpoint, turn, script)


@asynccontextmanager
async def agents(
    db: Database, settings: Settings, documents: Path = DOCUMENTS, endpoint: str = ""
) -> AsyncGenerator[Agents]:
    """Store the documents and open the agents: offline, and over the wire to the fake of a model at `endpoint`."""
    embedder = WordLlamaEmbedder()
    await ingest_folder(db, embedder, documents)
    search = KnowledgeSearch(db, embedder)
    key = SecretStr("local" if endpoint else "")
    live = settings.model_copy(update={"openai_api_key": key, "openai_base_url": f"{endpoint}/v1"})
    async with open_agent(settings, search, links=Links()) as deps, open_agent(live, search, links=Links()) as other:
        yield Agents(deps, search, other if endpoint else None, endpoint)


@asynccontextmanager
async def _database() -> AsyncGenerator[Database]:
    from shared.local.postgres import OWNER, EmbeddedPostgres
    from shared.local.server_process import free_port

    if os.environ.get("DATABASE_URL"):
        db = Database.from_settings(Settings())
        yield db
        await db.close()
        return
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder), free_port(), options={"fsync": "off"})
        await server.start()
        try:
            await server.create_database("cases")
            await migrate(server.dsn(OWNER, "cases"))
            db = Database(server.dsn(OWNER, "cases"), size=4, timeout_s=10)
            yield db
            await db.close()
        finally:
            await server.stop()


def table(pairs: list[tuple[Ran, Ran]]) -> str:
    """One line a case: what the prototype and the production agent did, and what is wrong."""
    lines = [f"{'case':34} {'tools':22} {'production':22} {'ms':>5}"]
    for tools, made in pairs:
        lines.append(f"{tools.case.id:34} {_shown(tools):22} {_shown(made):22} {1000 * made.seconds:5.0f}")
        lines += [
            f"    {who}: {fault}" for who, ran in (("tools", tools), ("production", made)) for fault in ran.broken
        ]
    return "\n".join(lines)


def _shown(ran: Ran) -> str:
    mark = "✗" if ran.broken else "✓"
    return f"{mark} {ran.got.outcome}{' ' + ran.got.reason if ran.got.reason else ''}"


def baseline(pairs: list[tuple[Ran, Ran]]) -> str:
    """The numbers to compare a later version with."""
    total = len(pairs)
    passed = [sum(not ran.broken for ran in column) for column in zip(*pairs, strict=True)]
    same = sum(tools.got.decided == made.got.decided for tools, made in pairs)
    times = [made.seconds for _, made in pairs if made.got.outcome == "replied"]
    return "\n".join(
        (
            *counted(passed[0], passed[1], same, total),
            f"a reply takes (median, most)  {1000 * median(times):.0f} ms, {1000 * max(times):.0f} ms",
        )
    )


def counted(by_tools: int, in_production: int, alike: int, total: int) -> tuple[str, ...]:
    """What of the baseline is the same on every machine."""
    return (
        f"passed through the tools      {by_tools} of {total}",
        f"passed in production          {in_production} of {total}",
        f"same outcome in both          {alike} of {total}",
    )


@cache
def escalation() -> Confusion:
    """What the check before the model says of the held-out messages.

    None is an example; two fifths of them shaped phrases, and all of them the threshold (decision 0032).
    """
    return confusion(read_labelled(ESCALATION.read_text(encoding="utf-8").split("\n")))


def escalation_matrix(measured: Confusion) -> str:
    """The confusion matrix, with the share of each label that reaches a person for whichever reason."""
    head = "".join(f"{label:>9}" for label in (*LABELS, "reached"))
    reached = _reached(measured)
    rows = [
        f"{label:10}" + "".join(f"{row[given]:9}" for given in LABELS) + f"{reached.get(label, 0):>9.1%}"
        for label, row in measured.matrix.items()
    ]
    return "\n".join(
        (
            f"{'escalation':10}{head}",
            *rows,
            f"matters that reach a person   {measured.recall:.1%}",
            f"false alarms                  {measured.false_alarms:.1%}",
        )
    )


def below_floor(measured: Confusion) -> list[str]:
    """What the check is worse at than R5.2 asks for: recall, that of each matter, false alarms."""
    matters = {"matters that reach a person": (measured.recall, LEAST_RECALL)} | {
        label: (share, LEAST_OF_A_MATTER) for label, share in _reached(measured).items() if label != NONE
    }
    found = [f"{what}: {share:.1%}, expected {least:.1%}" for what, (share, least) in matters.items() if share < least]
    if measured.false_alarms > MOST_FALSE_ALARMS:
        found.append(f"false alarms: {measured.false_alarms:.1%}, expected {MOST_FALSE_ALARMS:.1%} at most")
    return found


def _reached(measured: Confusion) -> dict[str, float]:
    return {row["label"]: row["reached"] for row in measured.rows()}


def verdict(pairs: list[tuple[Ran, Ran]], measured: Confusion) -> int:
    """1 when a case fails or ends otherwise by the tools, or escalation is below a floor, which is then named."""
    worse = below_floor(measured)
    for line in worse:
        print(f"worse than expected: {line}")
    alike = all(tools.got.decided == made.got.decided for tools, made in pairs)
    return 0 if alike and not worse and not any(ran.broken for pair in pairs for ran in pair) else 1


async def run_all(both: Agents, cases: list[Case]) -> list[tuple[Ran, Ran]]:
    """Every case through both agents."""
    return [(await run_case(case, both.by_tools), await run_case(case, both.by_production)) for case in cases]


async def _main(only: str) -> int:
    cases = [case for case in load_cases() if only in case.id]
    settings = Settings().model_copy(update={"openai_api_key": type(Settings().openai_api_key)("")})
    async with scripted_model(ROOT) as endpoint, _database() as db, agents(db, settings, endpoint=endpoint) as both:
        pairs = await run_all(both, cases)
    print(table(pairs))
    print(baseline(pairs))
    measured = escalation()
    print(escalation_matrix(measured))
    return verdict(pairs, measured)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="run the cases through the tools and through the production agent")
    parser.add_argument("only", nargs="?", default="", help="part of a case's id")
    sys.exit(asyncio.run(_main(parser.parse_args().only)))
