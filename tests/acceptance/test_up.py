"""`fte up`, `fte down` and their corner cases, in a home of their own."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from shared.local.system.home import PREFERRED
from tests.system import System, eventually, new_number, stays

FTE = [sys.executable, "-m", "shared.cli.fte"]
KN = [sys.executable, "-m", "shared.cli.kn_fte"]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A home where nothing is up; whatever a test leaves there is taken down."""
    home = tmp_path_factory.mktemp("own")
    system = System(home, {**os.environ, "FTE_HOME": str(home), "FTE_OPERATOR_TOKEN": secrets.token_urlsafe(12)})
    yield system
    system.fte("down", "--purge")


def test_a_system_comes_up_answers_goes_down_and_is_purged(own: System) -> None:
    """One life: up beside another system, a second up refused, kill -9, up again, down, purge."""
    with taken_port():
        started = time.monotonic()
        up = own.fte("up", "--detach", timeout=280)
        assert up.returncode == 0, up.stderr
        assert "INFO" not in up.stderr, "a library speaks on a person's screen"
        assert time.monotonic() - started < 240
    assert PREFERRED["form-submit"] not in ports_of(own), "a taken port was not stepped around"

    # A token of the caller's is the functions', the supervisor's and, in a shell without it, the commands'.
    assert own.endpoints["operator_token"] == own.environment["FTE_OPERATOR_TOKEN"]
    elsewhere = System(own.home, {n: v for n, v in own.environment.items() if n != "FTE_OPERATOR_TOKEN"})
    assert isinstance(elsewhere.kn("status"), dict)
    assert elsewhere.fte("start", "gmail").returncode == 0
    assert open_to_others(own.home) == []

    again = own.fte("up", "--detach")
    assert again.returncode == 1
    assert "up already" in again.stderr
    assert "Traceback" not in again.stderr
    status = own.fte("status")
    for said in (again, status):
        assert own.endpoints["webform"] in said.stderr
    assert "whatsapp-webhook  up" in status.stdout

    number = new_number()
    assert own.fte("stop", "agent-run").returncode == 0
    assert own.whatsapp("how do i export my data?", sender=number)["status_code"] == 200
    kill_everything(own)

    back = own.fte("up", "--detach", timeout=280)
    assert back.returncode == 0, back.stderr
    if (own.home / "kafka").exists():
        # Durable Kafka: the event that waited is worked on after the restart.
        eventually(lambda: own.whatsapps_to(number), 60)
        stays(lambda: len(own.whatsapps_to(number)) == 1, 3)

    assert own.fte("down").returncode == 0
    assert not (own.home / "endpoints.json").exists()
    assert processes_of(own) == []
    assert own.fte("down", "--purge").returncode == 0
    assert not own.home.exists()


def ports_of(system: System) -> set[int]:
    return {int(url.rpartition(":")[2]) for url in system.endpoints["functions"].values()}


def open_to_others(home: Path) -> list[str]:
    """Folders of customers' texts that another user could enter."""
    folders = [home / name for name in ("kafka", "simulators", "logs", "postgres/cluster")]
    return [folder.name for folder in folders if folder.exists() and folder.stat().st_mode & 0o077]


class taken_port:  # noqa: N801  reads as a statement
    """Somebody else listens on the preferred port of the form."""

    def __enter__(self) -> None:
        self._socket = socket.socket()
        # A running system may have it: as good.
        with suppress(OSError):
            self._socket.bind(("127.0.0.1", PREFERRED["form-submit"]))
            self._socket.listen()

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def processes_of(system: System) -> list[int]:
    """Living processes that know this home."""
    found: list[int] = []
    for process in psutil.process_iter(["cmdline", "environ", "status"]):
        home = (process.info["environ"] or {}).get("FTE_HOME")
        line = " ".join(process.info["cmdline"] or [])
        ours = home == str(system.home) or str(system.home) in line
        if ours and process.pid != os.getpid() and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


def kill_everything(system: System) -> None:
    """kill -9 of the supervisor first, then of whatever is left."""
    supervisor = int((system.home / "supervisor.pid").read_text().split()[0])
    os.kill(supervisor, signal.SIGKILL)
    for pid in processes_of(system):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_detach_holds_nobody_s_output(system: System) -> None:
    """What `up --detach` left running has neither the caller's stdout nor stderr open."""
    supervisor = int((system.home / "supervisor.pid").read_text().split()[0])
    for name in ("1", "2"):
        target = os.readlink(f"/proc/{supervisor}/fd/{name}")
        assert target.startswith(str(system.home)), target


def test_errors_are_one_line(system: System) -> None:
    """A user's mistake: one line that says what to do, exit code 1 or 2, no traceback."""
    cases = [
        (1, [*KN, "tickets", "show", "NOSUCH"], "kn-fte tickets list"),
        (1, [*KN, "customers", "show", "NOSUCH"], "kn-fte customers list"),
        (1, [*KN, "customers", "show", str(uuid.uuid4())], "kn-fte customers list"),
        (1, [*KN, "customers", "link", "not-an-address", "+12015550123"], "address"),
        (1, [*KN, "dead-letters", "discard", "NOSUCH", "--yes"], "kn-fte dead-letters list"),
        (1, [*FTE, "stop", "nothing"], "agent-run"),
        (1, [*FTE, "send", "pigeon", "hello"], "whatsapp"),
        (1, [*FTE, "mcp", "--conversation", "NOSUCH"], "kn-fte tickets list"),
        (2, [*KN, "tickets", "list", "--state", "foo"], "'open', 'escalated', 'closed'"),
        (2, [*KN, "tickets", "list", "--limit", "0"], "kn-fte tickets list --help"),
        (2, [*KN, "tickets", "show"], "ID"),
        (2, [*FTE, "try", "--wait", "long"], "fte try --help"),
        (2, [*FTE, "pu"], "fte --help"),
    ]
    for code, command, help_ in cases:
        done = subprocess.run(command, env=system.environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, command
        assert done.stdout == ""
        assert help_ in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_without_a_system_the_commands_say_how_to_start_one(tmp_path: Path) -> None:
    """Nothing up: `make up` is named."""
    environment = {**os.environ, "FTE_HOME": str(tmp_path)}
    for command in ([*KN, "status"], [*FTE, "stop", "kafka"], [*FTE, "try", "web", "hi"]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1
        assert "make up" in done.stderr


def test_json_output_is_bare(system: System) -> None:
    """`-o json`: an array or object on stdout and nothing else."""
    assert isinstance(system.kn("tickets", "list"), list)
    assert isinstance(system.kn("status"), dict)
    assert isinstance(system.kn("customers", "list"), list)
    assert isinstance(system.kn("dead-letters", "list"), list)
    assert isinstance(system.kn("knowledge", "search", "export data"), list)
    assert len(system.kn("knowledge", "list")) >= 15


def test_knowledge_is_added_once_and_then_answers(system: System, tmp_path: Path) -> None:
    """`knowledge add`: a new document answers, the same again changes nothing, a changed one is a new version."""
    document = tmp_path / "sundial.md"
    text = (
        "---\nid: sundial\ntitle: The sundial view\nurl: https://help.example.com/sundial\n---\n\n"
        "# The sundial view\n\n"
        "## How do I turn on the sundial view?\n\nTo turn on the sundial view, open Settings, choose Views and "
        "switch on Sundial.\n"
    )
    document.write_text(text)
    assert system.kn("knowledge", "add", str(document))[0]["change"] == "added"
    assert system.kn("knowledge", "add", str(document))[0]["change"] == "unchanged"
    document.write_text(text.replace("Views", "Appearance"))
    assert system.kn("knowledge", "add", str(document))[0]["version"] == 2
    ticket = system.form("How do I turn on the sundial view?")
    [answer] = eventually(lambda: system.answers_on(ticket))
    assert "Appearance" in answer["text"]


def test_health_and_metrics_of_every_function(system: System) -> None:
    """/health without a token with its three channels; /metrics in Prometheus's format."""
    for url in system.endpoints["functions"].values():
        health = httpx.get(url + "/health", trust_env=False)
        assert health.status_code == 200
        channels = {name: each["status"] for name, each in health.json()["channels"].items()}
        assert set(channels) == {"email", "whatsapp", "web"}
        # The one function that does without PostgreSQL, where the channels' marks stand.
        assert "unknown" not in channels.values() or url == system.endpoints["functions"]["whatsapp-webhook"]
        assert re.search(r"^# TYPE fte_\w+ counter$", httpx.get(url + "/metrics", trust_env=False).text, re.MULTILINE)


def test_try_talks_to_every_channel(system: System) -> None:
    """`fte try CHANNEL TEXT` prints the answer."""
    senders = {"email": "try@example.org", "whatsapp": new_number(), "web": "try@example.org"}
    for channel, sender in senders.items():
        done = system.fte("try", channel, "How do I export my data?", "--from", sender)
        assert done.returncode == 0, done.stderr
        assert "export" in done.stdout.lower()


def test_doctor_names_what_there_is() -> None:
    """Every prerequisite with its state, as JSON too."""
    done = subprocess.run([*FTE, "doctor", "-o", "json"], capture_output=True, text=True, timeout=60, check=False)
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert {"Python 3.11+", "Node 20+", "Java 17+", "Maven", "Chromium"} <= set(rows)
    assert rows["Python 3.11+"]["state"] == "ok"
