"""Playing one scenario: its steps in order, each settled before the next, and what of it is not as expected.

A step is settled when every message that was sent has its outcome and no delivery is under way: then nothing more
comes, and "no message" can be told from "not yet". Nothing is waited for by the clock alone.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from tests.evals.scenarios.checks import Delivered, Seen, always, broken
from tests.evals.scenarios.outside import Customer, Outside
from tests.evals.scenarios.story import Scenario, Step

_EVERY_S = 0.4
_UNDER_WAY = {"queued", "sending", "unknown", "deferred"}
_IGNORED = {"author": "customer", "outcome": "ignored", "outcome_reason": "", "delivery": None}


class ScriptedModel:
    """The fake of a model's endpoint: its turns are used in order, so that one scenario plays at a time."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url, self._client = url, client

    async def will_say(self, turns: tuple[dict[str, Any], ...]) -> None:
        """These are its next answers."""
        await self._client.post(f"{self._url}/_control/reset")
        answer = await self._client.post(f"{self._url}/_control/script", json={"turns": list(turns)})
        if answer.status_code != 200:
            raise AssertionError(f"the scripted model does not take its script: {answer.text}")

    async def left(self) -> int:
        """How many answers nobody asked for."""
        return (await self._client.post(f"{self._url}/_control/script", json={"turns": []})).json()["waiting"]


@dataclass
class Try:
    """One playing of a scenario.

    `faults` in words, each beginning with its step; `known` those of steps that are known to fail, by step;
    `matters` are (expected, got).
    """

    scenario: Scenario
    number: int
    faults: list[str] = field(default_factory=list[str])
    known: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    matters: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    said: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    decisions: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.faults

    @property
    def flawless(self) -> bool:
        """Whether it passed without a step that failed as known either."""
        return self.passed and not any(self.known.values())


class Player:
    """Plays one try."""

    def __init__(self, outside: Outside, scenario: Scenario, number: int, model: ScriptedModel | None = None) -> None:
        self._outside, self._model, self.result = outside, model, Try(scenario, number)
        self._scenario = scenario
        self._people: dict[str, Customer] = {}
        self._got: dict[str, list[Delivered]] = {}
        self._sent = 0
        self._judged: set[str] = set()
        #: By conversation: its ticket, its messages and its decisions as the desk last showed them.
        self._tickets: dict[str, str] = {}
        self._shown: dict[str, list[Mapping[str, Any]]] = {}
        self._records: dict[str, list[Mapping[str, Any]]] = {}
        self._operator_said: list[str] = []
        #: Where the agent wrote since the conversation began.
        self._greeted: set[tuple[str, str]] = set()
        self._end = 0.0

    async def play(self, patience_s: float) -> Try:
        """Every step, until one does not come to an end. Never raises for what the system does."""
        began = time.monotonic()
        place = 0
        try:
            await self._meet()
            for place, step in enumerate(self._scenario.steps, 1):
                await self._step(place, step, patience_s)
        except (AssertionError, TimeoutError, httpx.HTTPError, KeyError) as error:
            self.result.faults.append(f"step {place}: {error or type(error).__name__}")
        self.result.seconds = time.monotonic() - began
        return self.result

    async def recount(self, since: float) -> None:
        """Long after: nobody got anything more."""
        for key, customer in self._people.items():
            more = _added(self._got[key], await self._outside.deliveries(customer, since=since))
            self.result.faults += [f"afterwards: {one.person} got another message on {one.channel}" for one in more]

    async def _meet(self) -> None:
        for key, person in self._scenario.people.items():
            customer = self._people[key] = await self._outside.customer(person)
            self._got[key] = []
            if person.linked:
                await self._outside.kn("customers", "link", customer.address, customer.number, "--yes")

    async def _step(self, place: int, step: Step, patience_s: float) -> None:
        who = step.who or next(iter(self._people))
        if step.model and self._model is not None:
            await self._model.will_say(step.model)
        await self._do(step, who)
        began = time.monotonic()
        messages = await self._settled(began + patience_s, step)
        seen = await self._seen(step, who, messages)
        expect = step.expect
        faults = broken(expect, seen) + self._told_well(seen.deliveries)
        if step.model and self._model is not None and (left := await self._model.left()):
            faults.append(f"{left} answers of the scripted model were not asked for")
        said = " / ".join(one.text for one in seen.deliveries if not one.notice)
        self.result.said.append((" / ".join(step.say or (step.act or "rate",)), said))
        if step.known:
            self.result.known[place] = faults
        else:
            self.result.faults += [f"step {place}: {fault}" for fault in faults]
        if step.say is not None and {"replied", "escalated"} & set(expect.outcome):
            self.result.matters.append((_expected(step, seen), _got(seen)))

    async def _do(self, step: Step, who: str) -> None:
        customer = self._people[who]
        channel = step.channel or self._scenario.channel
        if step.rate is not None:
            await self._outside.rate(customer, step.rate)
        elif step.act is not None:
            await self._act(step, customer)
        else:
            write = {"email": self._outside.email, "whatsapp": self._outside.whatsapp, "web": self._outside.web}
            step = step.model_copy(update={"typed": self._filled(step.typed, customer)})
            for text in step.say or ():
                await write[channel](customer, self._filled(text, customer), step)
                self._sent += 1

    async def _act(self, step: Step, customer: Customer) -> None:
        if step.act == "link":
            await self._outside.kn("customers", "link", customer.address, customer.number, "--yes")
            return
        ticket = next(reversed(self._tickets.values()), None)
        assert ticket is not None, "there is no ticket yet"
        self._operator_said += [step.text] if step.act == "reply" else []
        if step.act == "close":  # a page goes on as it was; elsewhere the next message begins anew
            self._greeted = {one for one in self._greeted if one[0] == "web"}
        more = {"reply": [step.text], "note": [step.text], "close": ["--reason", step.text or "done"], "return": []}
        await self._outside.kn("tickets", str(step.act), ticket, *more[str(step.act)])

    async def _settled(self, deadline: float, step: Step) -> list[Mapping[str, Any]]:
        """The messages of all conversations, once everything that was sent has come to its end."""
        while True:
            messages = await self._look()
            ours = [one for one in messages if one["author"] == "customer"]
            if len(ours) < self._sent and "ignored" in step.expect.outcome:
                ours += await self._ignored_at_the_door()
            moving = [one for one in messages if one["delivery"] in _UNDER_WAY]
            ended = [one for one in ours if one["outcome"]]
            if len(ended) >= self._sent and len(ended) == len(ours) and not moving:
                return messages if len(messages) >= len(ours) else ours
            if time.monotonic() > deadline:
                waiting = (
                    f"{len(ended)} of {self._sent} messages have an outcome, {len(moving)} deliveries are under way"
                )
                raise AssertionError(f"did not come to an end: {waiting}")
            await asyncio.sleep(_EVERY_S)

    async def _ignored_at_the_door(self) -> list[Mapping[str, Any]]:
        """Robots' mails open no ticket: a conversation without one is all that is to be seen of them."""
        identities = {one for customer in self._people.values() for one in customer.identities}
        unseen = await self._outside.conversations(identities) - set(self._tickets)
        return [{**_IGNORED, "id": one} for one in sorted(unseen)]

    async def _look(self) -> list[Mapping[str, Any]]:
        identities = {one for customer in self._people.values() for one in customer.identities}
        for row in reversed(await self._outside.tickets(identities, since=time.monotonic())):
            self._tickets.setdefault(row["conversation_id"], row["id"])
        for conversation, ticket in self._tickets.items():
            shown = await self._outside.ticket(ticket)
            self._shown[conversation] = shown["messages"]
            self._records[conversation] = shown["decisions"]
        self.result.decisions = [one for rows in self._records.values() for one in rows]
        return sorted((one for rows in self._shown.values() for one in rows), key=lambda one: one["received_at"])

    async def _seen(self, step: Step, who: str, messages: list[Mapping[str, Any]]) -> Seen:
        """What came of the step, on what was really delivered."""
        ours = [one for one in messages if one["author"] == "customer"]
        fresh = [one for one in ours if one["id"] not in self._judged] or ours[-1:]
        self._judged |= {one["id"] for one in ours}
        last = fresh[-1] if fresh else {"outcome": "", "outcome_reason": ""}
        new: list[Delivered] = []
        self._end = time.monotonic()
        for key, customer in self._people.items():
            every = [self._signed(one) for one in await self._outside.deliveries(customer, since=self._end)]
            new += _added(self._got[key], every)
            self._got[key] = every
        page = await self._outside.page(self._people[who]) if step.expect.page else {}
        on = step.channel or self._scenario.channel
        return Seen(last["outcome"] or "", last["outcome_reason"] or "", tuple(new), on, page.get("status", ""))

    def _signed(self, one: Delivered) -> Delivered:
        """WhatsApp does not tell whose words they are."""
        human = any(text.strip() in one.text for text in self._operator_said)
        return replace(one, author="human") if human else one

    def _told_well(self, new: Sequence[Delivered]) -> list[str]:
        """What every message of the agent's must hold to."""
        own = {one for customer in self._people.values() for one in customer.identities}
        faults: list[str] = []
        for one in new:
            if one.author == "agent" and not one.notice:
                faults += always(one, own, first=(one.channel, one.person) not in self._greeted)
                self._greeted.add((one.channel, one.person))
        return faults

    def _filled(self, text: str, writer: Customer) -> str:
        """The text with addresses and numbers in place."""
        for key, customer in self._people.items():
            text = text.replace(f"{{{key}.address}}", customer.address).replace(f"{{{key}.number}}", customer.number)
        return text.replace("{address}", writer.address).replace("{number}", writer.number)


def _added(before: Sequence[Delivered], after: Sequence[Delivered]) -> list[Delivered]:
    """What came since, channel by channel: each channel's messages only ever grow in number."""
    had = Counter(one.channel for one in before)
    new: list[Delivered] = []
    for one in after:
        if had[one.channel] > 0:
            had[one.channel] -= 1
        else:
            new.append(one)
    return new


def _expected(step: Step, seen: Seen) -> str:
    """The matter that was expected, as one word: of several, the one it came to."""
    outcomes = set(step.expect.outcome)
    if "escalated" not in outcomes or (seen.outcome == "replied" and "replied" in outcomes):
        return "none"
    wanted = step.expect.reason
    return seen.reason if seen.reason in wanted else (wanted[0] if wanted else "any")


def _got(seen: Seen) -> str:
    return seen.reason if seen.outcome == "escalated" else "none" if seen.outcome == "replied" else seen.outcome
