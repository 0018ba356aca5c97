"""A simulator as a process: configured by arguments and environment, killed, and found again as it was."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

MAIL = b"From: ana@example.org\r\nTo: support@example.com\r\nSubject: Hello\r\n\r\nHello\r\n"
OUT = b"From: support@example.com\r\nTo: ana@example.org\r\nSubject: Hello\r\n\r\nHello\r\n"


def test_gmail_survives_a_kill(spawn: Any, connect: Any, webhook: Any, eventually: Any, tmp_path: Path) -> None:
    """Mail, tokens, keys, counters, and notifications not acknowledged; a line torn by the kill is dropped."""
    options = ("--state", str(tmp_path), "--push-url", f"{webhook.url}/push")
    webhook.answers[:] = [(503, "", "")]
    gmail, process = spawn("gmail", *options)
    put = gmail.post("inbound", MAIL)
    with connect(gmail.url) as mailbox:
        sent = mailbox.messages().send(userId="me", body={"raw": base64.urlsafe_b64encode(OUT).decode()}).execute()
        cursor = mailbox.getProfile(userId="me").execute()["historyId"]
        headers = {"Authorization": f"Bearer {mailbox._http.credentials.token}"}
    keys = httpx.get(f"{gmail.url}/certs").json()
    eventually(lambda: webhook.received)
    process.kill()
    process.wait(10)
    with (tmp_path / "journal.jsonl").open("a") as torn:
        torn.write('{"table": "messages", "key": "0", "ro')
    webhook.answers[:] = [(204, "", "")]
    gmail, _ = spawn("gmail", *options)
    profile = httpx.get(f"{gmail.url}/gmail/v1/users/me/profile", headers=headers).json()
    assert (profile["messagesTotal"], profile["historyId"]) == (2, cursor)
    assert [entry["id"] for entry in gmail.get("sent")] == [sent["id"]]
    assert httpx.get(f"{gmail.url}/certs").json() == keys
    eventually(lambda: gmail.get("push") == {"waiting": 0})
    assert gmail.post("inbound", MAIL)["id"] > put["id"]


def test_twilio_survives_a_kill(spawn: Any, webhook: Any, eventually: Any, tmp_path: Path, connect_twilio: Any) -> None:
    """Messages and windows are there again, and a message on its way goes on to be delivered."""
    options = ("--state", str(tmp_path), "--auth-token", "local", "--webhook-url", f"{webhook.url}/whatsapp")
    twilio, process = spawn("twilio", *options, "--status-delay-s", "30")
    heard = twilio.post("inbound", {"from": "+12015550123", "body": "Hello"})
    message = {"to": "whatsapp:+12015550123", "from_": "whatsapp:+12015550100", "body": "Hi"}
    sent = connect_twilio(twilio.url, "local").messages.create(**message)
    process.kill()
    process.wait(10)
    twilio, _ = spawn("twilio", *options)
    client = connect_twilio(twilio.url, "local")
    assert client.messages(heard["sid"]).fetch().direction == "inbound"
    eventually(lambda: client.messages(sent.sid).fetch().status == "delivered")
    assert [entry["sid"] for entry in twilio.get("sent")] == [sent.sid]


def test_without_a_folder_nothing_is_kept(spawn: Any) -> None:
    gmail, process = spawn("gmail")
    gmail.post("inbound", MAIL)
    process.terminate()
    assert process.wait(10) is not None
    port = int(gmail.url.rpartition(":")[2])
    gmail, _ = spawn("gmail", port=port)
    assert gmail.get("sent") == []


def test_settings_come_from_the_environment_too(spawn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_SIMULATOR_DEFAULT_CONTENT", "from the environment")
    monkeypatch.setenv("OPENAI_SIMULATOR_API_KEY", "right")
    openai, _ = spawn("openai", "--latency-ms", "200")
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    url = f"{openai.url}/v1/chat/completions"
    assert httpx.post(url, json=body, headers={"Authorization": "Bearer wrong"}).status_code == 401
    start = time.monotonic()
    answer = httpx.post(url, json=body, headers={"Authorization": "Bearer right"}).json()
    assert answer["choices"][0]["message"]["content"] == "from the environment"
    assert time.monotonic() - start >= 0.2


def test_nothing_personal_is_printed(spawn: Any, capfd: pytest.CaptureFixture[str], webhook: Any) -> None:
    """No address and no text reaches what the process prints."""
    gmail, _ = spawn("gmail", "--push-url", "http://127.0.0.1:9/")
    twilio, _ = spawn("twilio", "--webhook-url", f"{webhook.url}/")
    gmail.post("inbound", MAIL)
    httpx.get(f"{gmail.url}/gmail/v1/users/ana@example.org/messages", params={"q": "from:ana@example.org"})
    twilio.post("inbound", {"from": "+12015550123", "body": "Hello"})
    printed = "".join(capfd.readouterr())
    assert not any(word in printed for word in ("example.org", "2015550123", "Hello"))
