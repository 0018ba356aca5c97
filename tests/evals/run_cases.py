"""The cases, through the tools of the MCP server and through the production agent: `python -m tests.evals.run_cases`.

Prints a table, one line a case, and the baseline: how many passed, how many cases reached a person, how
long a turn took. Works on the database at DATABASE_URL if that is set, else on one of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from statistics import median

from shared.agent.confusion import LABELS, NONE, Confusion, confusion, read_labelled
from shared.agent.contract import HistoryMessage, TurnInput, TurnMessage
from shared.agent.ports import SearchPort
from shared.agent.turn import AgentDeps, open_agent, run_turn
from shared.channels.gmail.automated import reason_not_to_answer
from shared.channels.gmail.message import parse
from shared.channels.message import Channel
from shared.db.migrate import migrate
from shared.db.pool import Database
from shared.knowledge.embed import WordLlamaEmbedder
from shared.knowledge.ingest import ingest_folder
from shared.knowledge.search import KnowledgeSearch
from shared.settings import Settings
from tests.evals import prototype
from tests.evals.cases import Case, Outcome, broken, load_cases

DOCUMENTS = Path(__file__).resolve().parents[2] / "context" / "products"
ESCALATION = Path(__file__).with_name("escalation_held_out.jsonl")
#: Of the check before the model (R5.2): how many matters reach a person, how many of each, and of ordinary messages.
LEAST_RECALL = 0.98
LEAST_OF_A_MATTER = 0.97
MOST_FALSE_ALARMS = 0.05
_BEGAN = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)

Answer = Callable[[TurnInput], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Ran:
    """One case through one agent."""

    case: Case
    got: Outcome
    broken: list[str]
    seconds: float


async def production(deps: AgentDeps, turn: TurnInput) -> Outcome:
    """One turn of the production agent."""
    result = await run_turn(deps, turn)
    documents = frozenset(passage.document_id for passage in result.passages)
    return Outcome(result.outcome, result.reason, result.text, documents)


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
        got = _unanswerable(case, texts) or await answer(_turn(case, texts, at, history))
        seconds = time.perf_counter() - began
        said = [HistoryMessage("customer", case.channel, text, case.subject, at, case.id) for text in texts]
        said += [HistoryMessage("agent", case.channel, got.text, case.subject, at, case.id)] if got.text else []
        history = (*history, *said)
    return Ran(case, got, broken(case, got), seconds)


def _turn(case: Case, texts: tuple[str, ...], at: datetime, history: tuple[HistoryMessage, ...]) -> TurnInput:
    return TurnInput(
        channel=case.channel,
        trust=case.trust,
        customer_id="customer",
        conversation_id=case.id,
        ticket_id="ticket",
        customer_name="Robin Hale",
        messages=tuple(TurnMessage(text, case.subject, at) for text in texts),
        history=history,
        answered_here=any(one.author != "customer" and one.channel is case.channel for one in history),
    )


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
    """Both ways through the same knowledge base."""

    deps: AgentDeps
    search: SearchPort

    async def by_tools(self, turn: TurnInput) -> Outcome:
        """The prototype."""
        return await prototype.answer(self.deps.settings, self.search, turn)

    async def by_production(self, turn: TurnInput) -> Outcome:
        """The production agent."""
        return await production(self.deps, turn)


@asynccontextmanager
async def agents(db: Database, settings: Settings, documents: Path = DOCUMENTS) -> AsyncGenerator[Agents]:
    """Store the documents and open the agents, with the offline model: no key is used here."""
    embedder = WordLlamaEmbedder()
    await ingest_folder(db, embedder, documents)
    search = KnowledgeSearch(db, embedder)
    async with open_agent(settings, search) as deps:
        yield Agents(deps, search)


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
    same = sum(tools.got.outcome == made.got.outcome for tools, made in pairs)
    times = [made.seconds for _, made in pairs if made.got.outcome == "replied"]
    return "\n".join(
        (
            f"passed through the tools      {passed[0]} of {total}",
            f"passed in production          {passed[1]} of {total}",
            f"same outcome in both          {same} of {total}",
            f"a reply takes (median, most)  {1000 * median(times):.0f} ms, {1000 * max(times):.0f} ms",
        )
    )


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
    """The code to end with: 1 when a case fails or escalation is below a floor, which is then named."""
    worse = below_floor(measured)
    for line in worse:
        print(f"worse than expected: {line}")
    return 1 if worse or any(ran.broken for pair in pairs for ran in pair) else 0


async def run_all(both: Agents, cases: list[Case]) -> list[tuple[Ran, Ran]]:
    """Every case through both agents."""
    return [(await run_case(case, both.by_tools), await run_case(case, both.by_production)) for case in cases]


async def _main(only: str) -> int:
    cases = [case for case in load_cases() if only in case.id]
    settings = Settings().model_copy(update={"openai_api_key": type(Settings().openai_api_key)("")})
    async with _database() as db, agents(db, settings) as both:
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
