"""`fte sent` as it is used: a process that reads what two simulators delivered."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.channels.gmail.sender import GmailReplySender
from shared.local.server_process import free_port
from tests.contract.gmail_side import GmailSide, gmail_settings, reply_to
from tests.contract.served import Served, simulated

_SID = f"AC{secrets.token_hex(16)}"
_TOKEN = secrets.token_hex(16)
_PHONE = "+12015550123"
_TEXT = "Žluťoučký kůň: your code is in the next line.\n\nhttps://support.example.com/rate"


@dataclass(frozen=True)
class Place:
    """A home with an endpoints file, and the simulators that it names."""

    home: Path
    gmail: Served
    twilio: Served

    def fte(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `fte` here."""
        return subprocess.run(
            [sys.executable, "-m", "shared.cli.fte", *arguments],
            env={**os.environ, "FTE_HOME": str(self.home), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def tell(self, **simulators: str) -> None:
        """Write the endpoints file."""
        (self.home / "endpoints.json").write_text(json.dumps({"simulators": simulators, "functions": {}}))

    def whatsapp(self, text: str) -> None:
        """A WhatsApp message that was sent."""
        body = {"To": f"whatsapp:{_PHONE}", "From": "whatsapp:+12015550100", "Body": text}
        with self.twilio.client(auth=(_SID, _TOKEN)) as client:
            client.post(f"/2010-04-01/Accounts/{_SID}/Messages.json", data=body).raise_for_status()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("sent")
    nowhere = f"http://127.0.0.1:{free_port()}/"
    options = ("--account-sid", _SID, "--auth-token", _TOKEN, "--webhook-url", nowhere)
    with (
        simulated("gmail", tmp_path_factory.mktemp("gmail"), free_port()) as gmail,
        simulated("twilio", tmp_path_factory.mktemp("twilio"), free_port(), *options) as twilio,
    ):
        with twilio.client() as client:
            client.post("/_control/inbound", json={"from": _PHONE, "body": "hello"}).raise_for_status()
        made = Place(folder, gmail, twilio)
        made.tell(gmail=gmail.url, twilio=twilio.url)
        yield made


async def _kept(_draft_id: str) -> None:
    """The ledger's part, which nobody asks for here."""


async def test_what_left_is_read_newest_last(place: Place) -> None:
    """When, to whom, subject and the text decoded; of both channels or of one, the last of them, as JSON too."""
    assert place.fte("sent").stderr == "nothing was sent yet\n"
    side = GmailSide(place.gmail.url)
    sender = GmailReplySender(gmail_settings(place.gmail.url, provider_timeout_s=30.0))
    await sender.send(reply_to(side.arrive(), text=_TEXT), _kept)
    await sender.close()
    side.close()
    for text in ("first", "your code\x1b[2J is in the mail"):
        place.whatsapp(text)
    found = json.loads(place.fte("sent", "-o", "json").stdout)
    assert [(row["channel"], row["subject"]) for row in found] == [
        ("email", "Re: Exporting my data"),
        ("whatsapp", None),
        ("whatsapp", None),
    ]
    assert found == sorted(found, key=lambda row: row["at"])
    assert "ada@example.org" in found[0]["to"]
    assert found[0]["text"].startswith(_TEXT)
    assert (found[1]["to"], found[1]["text"]) == (_PHONE, "first")
    assert json.loads(place.fte("sent", "-n", "1", "-o", "json").stdout) == found[-1:]
    shown = place.fte("sent", "--channel", "email").stdout
    assert _TEXT in shown
    assert "Re: Exporting my data" in shown.splitlines()[0]
    assert _PHONE not in shown
    assert "\x1b" not in place.fte("sent", "--channel", "whatsapp").stdout


def test_without_a_simulator_it_says_why(place: Place, tmp_path: Path) -> None:
    """Nothing up, one that does not answer, a real provider, no such channel: one line each, exit code 1."""
    alone = Place(tmp_path, place.gmail, place.twilio)
    nobody = f"http://127.0.0.1:{free_port()}"
    for said, simulators in (
        ("make up", None),
        ("does not answer", {"gmail": nobody}),
        ("real providers send", {}),
    ):
        if simulators is not None:
            alone.tell(**simulators)
        done = alone.fte("sent")
        assert (done.returncode, done.stdout) == (1, "")
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1
    refused = place.fte("sent", "--channel", "web")
    assert refused.returncode == 1
    assert "ticket's page" in refused.stderr
