"""What a scenario is, and reading them: `email.yaml`, `whatsapp.yaml`, `web.yaml`, `scripted.yaml`.

A scenario is one story of one or a few customers. The file's key `channel` is where its steps happen unless
they say otherwise; `scenarios` is the list.

    id         unique over all files; begins with the file's name
    title      one line
    story      who this is and what makes it hard
    people     name → {name, trust, linked}; without it there is one, called `customer`
                   name    how they are called, on every channel
                   trust   of their e-mails: verified (default), claimed, held
                   linked  true: an operator joined number and address before the first word
    steps      in order; each is exactly one of say, act, rate

    say        a text, or a list that arrives at once; `{address}` and `{number}` stand for the writer's own,
               `{ann.address}` for another's
      as       who writes; the first person if nobody is named
      channel  email | whatsapp | web
      subject  of an e-mail or a form
      new      true: a new thread or form; else the thread or page goes on where there is one
      typed    the address typed into the form; the writer's own if not given
      quote    true: the last answer is quoted below an e-mail's text
      trust    of this one e-mail
      headers  of the e-mail, beside the usual ones
      files    [{name, text | base64}]; `say: ""` sends them alone
      model    what the scripted model answers in this step: [{content?, tool_calls?: [{name, arguments}], …}]
    act        reply | note | return | close | link, by kn-fte; `text` for reply, note and close
    rate       1 to 5, on the page
    known      why this step fails today. Its faults are told apart from the others', its scenario is counted apart, and
               a mark that is no longer true fails the run, so that it is taken away

    expect     after any of them; texts are compared whatever their case
      outcome        replied | escalated | ignored | silence (nothing is sent, whatever it is filed as), or a list
      reason         of the outcome, or a list
      cites          at least one of these documents' ids
      cites_all      every one of them
      contains_any, contains_all, contains_none
      language       ISO 639-1 of what was sent
      deliveries     how many messages; one for replied and escalated, none for ignored and silence, if not given
      on             the channel they come on; the one written on, if not given
      min_words, max_words, max_chars
      page           what the web page says: open | answered | escalated | closed

Limits and tone of the channel, leaked instructions, promises, foreign addresses and messages to anybody else are
checked on every message, and need not be asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

FOLDER = Path(__file__).parent
FILES = ("email", "whatsapp", "web", "scripted")

ChannelName = Literal["email", "whatsapp", "web"]
Outcome = Literal["replied", "escalated", "ignored", "silence"]
TrustName = Literal["verified", "claimed", "held"]


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Outcomes = Annotated[tuple[Outcome, ...], BeforeValidator(_listed)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Person(_Strict):
    """A customer of the story."""

    name: str = "Robin Hale"
    trust: TrustName = "verified"
    linked: bool = False


class File(_Strict):
    """What is attached; its type is its name's."""

    name: str
    text: str = ""
    base64: str = ""


class Expect(_Strict):
    """What must hold once everything is settled."""

    outcome: Outcomes = ()
    reason: Texts = ()
    cites: Texts = ()
    cites_all: Texts = ()
    contains_any: Texts = ()
    contains_all: Texts = ()
    contains_none: Texts = ()
    language: str = ""
    deliveries: int | None = Field(default=None, ge=0)
    on: ChannelName | None = None
    min_words: int = 0
    max_words: int = 10_000
    max_chars: int = 100_000
    page: Literal["", "open", "answered", "escalated", "closed"] = ""

    @model_validator(mode="after")
    def _agrees(self) -> Expect:
        says = self.cites + self.cites_all + self.contains_any + self.contains_all
        if says and self.outcome and not set(self.outcome) & {"replied", "escalated"}:
            raise ValueError("asks for words where nothing is sent: outcome must be replied or escalated")
        return self


class Step(_Strict):
    """One thing that happens; see the module."""

    say: Texts | None = None
    act: Literal["reply", "note", "return", "close", "link"] | None = None
    rate: int | None = Field(default=None, ge=1, le=5)
    who: str = Field(default="", alias="as")
    channel: ChannelName | None = None
    subject: str | None = None
    typed: str = ""
    new: bool = False
    quote: bool = False
    trust: TrustName | None = None
    headers: dict[str, str] = {}
    files: tuple[File, ...] = ()
    model: tuple[dict[str, Any], ...] = ()
    text: str = ""
    known: str = ""
    expect: Expect = Expect()

    @model_validator(mode="after")
    def _is_one_thing(self) -> Step:
        if sum(thing is not None for thing in (self.say, self.act, self.rate)) != 1:
            raise ValueError("is exactly one of say, act, rate")
        if self.say is not None and not self.expect.outcome:
            raise ValueError("says something and expects no outcome")
        if self.act in {"reply", "note"} and not self.text.strip():
            raise ValueError("replies or notes without a text")
        return self


class Scenario(_Strict):
    """One story, to be played from beginning to end."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)+$")
    title: str = Field(min_length=5, max_length=100)
    story: str = Field(min_length=20)
    channel: ChannelName
    people: dict[str, Person] = {"customer": Person()}
    steps: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_people(self) -> Scenario:
        strangers = [step.who for step in self.steps if step.who and step.who not in self.people]
        if strangers:
            raise ValueError(f"steps name {strangers[0]!r}, who is not among people")
        return self

    @property
    def known(self) -> bool:
        """Whether a step of it is known to fail."""
        return any(step.known for step in self.steps)

    @property
    def scripted(self) -> bool:
        """Whether it tells what the model answers."""
        return any(step.model for step in self.steps)


class WrongScenario(ValueError):
    """A file that fits nothing; each line names file, scenario, key and fault."""


def load(folder: Path = FOLDER, files: tuple[str, ...] = FILES) -> list[Scenario]:
    """All scenarios in order. Raises WrongScenario naming every key that is wrong."""
    found: list[Scenario] = []
    faults: list[str] = []
    for name in files:
        raw = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
        for place, one in enumerate(raw["scenarios"], 1):
            where = f"{name}.yaml: {one.get('id', f'scenario {place}')}"
            try:
                found.append(Scenario.model_validate({"channel": raw.get("channel"), **one}))
            except ValidationError as error:
                faults += [f"{where}: {_key(fault['loc'])}: {_told(fault)}" for fault in error.errors()]
    ids = [one.id for one in found]
    faults += [f"{one}: the id is there twice" for one in sorted({one for one in ids if ids.count(one) > 1})]
    if faults:
        raise WrongScenario("\n".join(faults))
    return found


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in location) or "the scenario"


def _told(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "there is no such key"
    return str(fault["msg"]).removeprefix("Value error, ")
