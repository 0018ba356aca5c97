"""What every tool is given, and what its arguments are made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict

from shared.agent.contract import TurnInput
from shared.agent.draft import Draft
from shared.agent.ports import LinkPort, NoLinks, SearchPort


class Arguments(BaseModel):
    """Base of a tool's arguments: bounded, and nothing beside what is named."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Noted(BaseModel):
    """What was put down, to be committed together with the reply."""

    noted: str


@dataclass(slots=True)
class ToolRun:
    """What the tools of one run may see and where they leave what they found."""

    turn: TurnInput
    search: SearchPort
    draft: Draft
    links: LinkPort = field(default_factory=NoLinks)
