"""`make bench`: inbound to delivered per channel, at 1 and at 10 messages a second, with the offline model.

A whole system of its own is started, without the WhatsApp pause (WHATSAPP_QUIET_S=0). Beside it runs
a bare functions-framework function, called at the same rate in the same seconds: machines are noisy,
so the ratio to that floor is what can be compared. Inbound is the instant before the provider's
simulator (or the form) is called, delivered the instant the provider took the answer, or the page's
row was committed; all on this machine's clock. The escalation check, for which agent-run's event loop waits, is
timed alone.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from rich.console import Console
from rich.table import Table

from shared.local.server_process import free_port

QUESTION = "How do I export my data?"
CHANNELS = ("email", "whatsapp", "web")
HOW = "inbound to delivered"
#: Reserved for fiction in every area code.
_numbers = (f"+1{area}55501{last:02d}" for area in range(202, 990) for last in range(100))


@dataclass
class Run:
    """What one rate measured: seconds by channel, and the floor's."""

    rate: int
    sent: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    floor: list[float] = field(default_factory=list)
    lost: int = 0


async def main() -> None:
    """Start, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="how long each rate is held")
    parser.add_argument("--rates", type=int, nargs="+", default=[1, 10])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fte-bench-") as home:
        environment = {**os.environ, "FTE_HOME": home, "WHATSAPP_QUIET_S": "0"}
        fte = [sys.executable, "-m", "shared.cli.fte"]
        await run(*fte, "up", "--detach", environment=environment)
        hello, url = start_hello()
        try:
            runs = [await measure(Path(home), url, rate, arguments.seconds) for rate in arguments.rates]
        finally:
            hello.terminate()
            hello.wait(10)
            await run(*fte, "down", environment=environment)
    report(runs, checked(), arguments.seconds)


def checked() -> list[float]:
    """Seconds of the escalation check for a message of one sentence, each another."""
    from shared.agent.escalation import check, load_rules

    load_rules()
    took: list[float] = []
    for number in range(200):
        began = time.perf_counter()
        check([f"How do I reset the password of user {number}? The link says expired."])
        took.append(time.perf_counter() - began)
    return took


async def run(*command: str, environment: dict[str, str]) -> None:
    """Run a command, quietly unless it fails."""
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    if process.returncode:
        sys.exit(said.decode())


def start_hello() -> tuple[subprocess.Popen[bytes], str]:
    """The floor as a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "functions_framework.aio:app", "--port", str(port)]
    environment = {
        **os.environ,
        "FUNCTION_TARGET": "hello",
        "FUNCTION_SOURCE": str(Path(__file__).with_name("hello.py")),
    }
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, env=environment, **quiet), f"http://127.0.0.1:{port}/"


async def measure(home: Path, hello: str, rate: int, seconds: int) -> Run:
    """Hold one rate, the channels in turn, and collect what was delivered."""
    import json

    endpoints = json.loads((home / "endpoints.json").read_text())
    result = Run(rate)
    async with httpx.AsyncClient(timeout=30, trust_env=False, limits=httpx.Limits(max_connections=100)) as client:
        await warm(client, endpoints, hello)
        writers = {"email": email, "whatsapp": whatsapp, "web": form}
        tasks = []
        began = time.monotonic()
        for number in range(rate * seconds):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            channel = CHANNELS[number % 3]
            tasks.append(asyncio.create_task(one(client, endpoints, result, channel, writers[channel])))
            tasks.append(asyncio.create_task(floor(client, hello, result)))
        await asyncio.gather(*tasks)
        await collect(client, endpoints, result)
    return result


async def warm(client: httpx.AsyncClient, endpoints: dict[str, Any], hello: str) -> None:
    """A few of each first: imports and connections are not what is measured."""
    for _ in range(3):
        for write in (email, whatsapp, form):
            await write(client, endpoints)
    for _ in range(50):
        try:
            await client.post(hello, json={})
            break
        except httpx.HTTPError:
            await asyncio.sleep(0.1)
    await asyncio.sleep(8)


Write = Callable[[httpx.AsyncClient, dict[str, Any]], Awaitable[str]]


async def one(client: httpx.AsyncClient, endpoints: dict[str, Any], result: Run, channel: str, write: Write) -> None:
    """One customer writes; remembered by whom the answer goes to."""
    began = time.time()
    result.sent[channel][await write(client, endpoints)] = began


async def floor(client: httpx.AsyncClient, url: str, result: Run) -> None:
    """One call of the bare function."""
    began = time.perf_counter()
    await client.post(url, json={"message": QUESTION})
    result.floor.append(time.perf_counter() - began)


async def email(client: httpx.AsyncClient, endpoints: dict[str, Any]) -> str:
    """An e-mail from a new address."""
    address = f"bench.{uuid.uuid4().hex[:10]}@example.org"
    mail = EmailMessage()
    mail["Authentication-Results"] = "mx.google.com; dmarc=pass header.from=example.org"
    mail["From"], mail["To"], mail["Subject"] = address, "support@example.com", "Export"
    mail["Message-ID"] = f"<{uuid.uuid4().hex}@example.org>"
    mail.set_content(QUESTION)
    response = await client.post(endpoints["simulators"]["gmail"] + "/_control/inbound", content=mail.as_bytes())
    response.raise_for_status()
    return address


async def whatsapp(client: httpx.AsyncClient, endpoints: dict[str, Any]) -> str:
    """A WhatsApp message from a new number."""
    number = next(_numbers)
    body = {"from": number, "body": QUESTION}
    response = await client.post(endpoints["simulators"]["twilio"] + "/_control/inbound", json=body)
    response.raise_for_status()
    return number


async def form(client: httpx.AsyncClient, endpoints: dict[str, Any]) -> str:
    """A form from a new visitor."""
    body = {"name": "Bench", "email": "bench@example.net", "subject": "Export", "category": "general"}
    url = endpoints["functions"]["form-submit"] + "/tickets"
    response = await client.post(url, json={**body, "message": QUESTION})
    response.raise_for_status()
    return str(response.json()["ticket_id"])


async def collect(client: httpx.AsyncClient, endpoints: dict[str, Any], result: Run) -> None:
    """Wait for the answers, two minutes at most, and take the times."""
    deadline = time.monotonic() + 120
    wanted = sum(len(sent) for sent in result.sent.values())
    while time.monotonic() < deadline:
        delivered = await all_delivered(client, endpoints)
        found = [(c, who) for c, sent in result.sent.items() for who in sent if who in delivered[c]]
        if len(found) == wanted:
            break
        await asyncio.sleep(1)
    for channel, who in found:
        result.took[channel].append(delivered[channel][who] - result.sent[channel][who])
    result.lost = wanted - len(found)


async def all_delivered(client: httpx.AsyncClient, endpoints: dict[str, Any]) -> dict[str, dict[str, float]]:
    """By channel, who got an answer and when."""
    import base64
    from email import message_from_bytes, policy

    mails = (await client.get(endpoints["simulators"]["gmail"] + "/_control/sent")).json()
    texts = (await client.get(endpoints["simulators"]["twilio"] + "/_control/sent")).json()
    return {
        "email": {
            message_from_bytes(base64.urlsafe_b64decode(m["raw"] + "=="), policy=policy.default)["To"]
            .addresses[0]
            .addr_spec: instant(m["at"])
            for m in mails
        },
        "whatsapp": {m["to"].removeprefix("whatsapp:"): instant(m["at"]) for m in texts},
        "web": await pages(endpoints["postgres"]),
    }


async def pages(dsn: str) -> dict[str, float]:
    """Ticket id to the commit of its first visible answer."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT t.id, min(extract(epoch FROM d.finished_at))::float8 AS at FROM tickets t "
            "JOIN deliveries d ON d.conversation_id = t.conversation_id WHERE d.channel = 'web' "
            "AND d.status = 'delivered' GROUP BY t.id"
        )
        return {row["id"]: row["at"] for row in rows}
    finally:
        await connection.close()


def instant(at: str | float) -> float:
    """Seconds since the epoch."""
    return at if isinstance(at, float) else datetime.fromisoformat(at).timestamp()


def report(runs: list[Run], checks: list[float], seconds: int) -> None:
    """A table: milliseconds, and how many times the floor of the same run."""
    table = Table(title=f"{HOW}, offline model, {seconds} s at each rate, {os.cpu_count()} cores")
    for column in ("msg/s", "what", "n", "P50 ms", "P95 ms", "P50 × floor", "P95 × floor"):
        table.add_column(column, justify="right")
    for result in runs:
        low = [quantile(result.floor, q) for q in (0.5, 0.95)]
        add(table, result.rate, "bare function", result.floor, low)
        for channel in CHANNELS:
            add(table, result.rate, channel, result.took[channel], low)
        if result.lost:
            table.caption = f"{result.lost} not delivered within two minutes"
    add(table, "-", "escalation check", checks, [quantile(runs[0].floor, q) for q in (0.5, 0.95)])
    Console(width=100).print(table)


def add(table: Table, rate: int | str, what: str, took: list[float], low: list[float]) -> None:
    """One row."""
    if not took:
        table.add_row(str(rate), what, "0", "-", "-", "-", "-")
        return
    high = [quantile(took, q) for q in (0.5, 0.95)]
    ratios = [f"{h / floor_:.0f}" for h, floor_ in zip(high, low, strict=True)]
    table.add_row(str(rate), what, str(len(took)), *(f"{h * 1000:.0f}" for h in high), *ratios)


def quantile(values: list[float], q: float) -> float:
    """The q-quantile."""
    if len(values) < 2:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[round(q * 100) - 1]


if __name__ == "__main__":
    asyncio.run(main())
