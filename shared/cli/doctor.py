"""`fte doctor`: what the system needs of this machine, and how to get what is missing."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from dataclasses import dataclass

#: ECMA-48, section 5.4: control sequences, among them those that set colours.
_COLOUR = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked for. `required`: without it nothing runs; else something is left out, as `without` says."""

    name: str
    present: bool
    found: str
    required: bool
    without: str
    get_it: str

    def as_row(self) -> dict[str, str | bool]:
        """As printed."""
        state = "ok" if self.present else "missing" if self.required else "optional"
        return {
            "name": self.name,
            "state": state,
            "required": self.required,
            "found": self.found,
            "without": "" if self.present else self.without,
            "get_it": "" if self.present else f"{self.get_it} ({self.without})",
        }


async def doctor_report() -> list[Check]:
    """All checks, side by side."""
    return list(await asyncio.gather(_python(), _node(), _java(), _maven(), _chromium(), _kubectl()))


async def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Check("Python 3.11+", sys.version_info >= (3, 11), version, True, "nothing runs", "apt install python3")


async def _node() -> Check:
    version = await _version("node", "--version")
    return Check(
        "Node 20+",
        _major(version) >= 20,
        version,
        True,
        "the web form can't be built",
        "apt install nodejs npm, or nodejs.org",
    )


async def _java() -> Check:
    version = await _version("java", "-version")
    return Check(
        "Java 17+",
        _major(version) >= 17,
        version,
        False,
        "Kafka runs in memory: what waits is lost at exit",
        "apt install default-jre-headless",
    )


async def _maven() -> Check:
    version = await _version("mvn", "--version")
    return Check(
        "Maven", bool(version), version, False, "Kafka runs in memory: what waits is lost at exit", "apt install maven"
    )


async def _chromium() -> Check:
    path = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
    )
    return Check("Chromium", bool(path), path, False, "browser tests are skipped", "apt install chromium")


async def _kubectl() -> Check:
    version = shutil.which("kubectl") or shutil.which("kustomize") or ""
    return Check(
        "kubectl",
        bool(version),
        version,
        False,
        "manifests can't be built or deployed",
        "kubernetes.io/docs/tasks/tools",
    )


async def _version(program: str, flag: str) -> str:
    if shutil.which(program) is None:
        return ""
    process = await asyncio.create_subprocess_exec(
        program, flag, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return first_version(said.decode(errors="replace"))


def first_version(said: str) -> str:
    """The first version in what a program said of itself, empty without one. Maven writes its first line in bold."""
    match = re.search(r"\d+(\.\d+)*", _COLOUR.sub("", said))
    return match.group(0) if match else ""


def _major(version: str) -> int:
    return int(version.split(".", maxsplit=1)[0]) if version else 0
