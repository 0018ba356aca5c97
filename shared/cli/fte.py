"""`fte`: the whole system on one machine, and a customer's side to try it from."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.doctor import doctor_report
from shared.cli.entry import run as run_app
from shared.cli.evaluate import app as evaluate
from shared.cli.gmail import gmail
from shared.cli.inspect import inspect
from shared.cli.output import Format, Output, command, errors, fail, print_lines, say, screen, show
from shared.settings import Settings

app = typer.Typer(
    name="fte", help="The Customer Success FTE on one machine.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(evaluate, name="eval")
app.add_typer(inspect, name="inspect")
app.add_typer(gmail, name="gmail")
Name = Annotated[str, typer.Argument(metavar="NAME", help="kafka, postgres, dispatcher, gmail, twilio or a function")]
ChannelName = Annotated[str, typer.Argument(metavar="CHANNEL", help="email, whatsapp or web")]
Sender = Annotated[str | None, typer.Option("--from", help="e-mail address or phone number to write from")]
Subject = Annotated[str | None, typer.Option(help="of an e-mail or a ticket; else the first words of the message")]


@app.command()
@command
async def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="return when everything answers")] = False,
    skip_webform: Annotated[bool, typer.Option(help="do not build the web form when it is missing")] = False,
) -> None:
    """Start everything: database, Kafka, functions, simulators, dispatcher."""
    from shared.local.system import run
    from shared.local.system.home import Home

    home = Home.default()
    run.refuse_second(home)
    if not skip_webform:
        await _build_webform()
    if detach:
        endpoints = await run.detach(home, say)
        _invite(endpoints)
        return
    down = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, down.set)
    async with run.running(home, say, down) as supervisor:
        endpoints = home.endpoints()
        if endpoints is not None:
            _invite(endpoints)
        from shared.local.system.view import watch

        await watch(supervisor, down)
        say("going down …")


@app.command(hidden=True)
@command
async def supervise() -> None:
    """The detached supervisor: what `fte up --detach` leaves running."""
    from shared.local.system import run
    from shared.local.system.home import Home

    await run.supervise(Home.default())


@app.command()
@command
async def down(purge: Annotated[bool, typer.Option(help="remove its data, keys and logs too")] = False) -> None:
    """Stop everything."""
    from shared.local.system import run
    from shared.local.system.home import Home

    was_up = await run.take_down(Home.default(), purge=purge)
    say(("it is down" if was_up else "nothing was up") + ("; its data is removed" if purge else ""))


@app.command()
@command
async def status(output: Output = Format.TABLE) -> None:
    """What runs here, and where the form is."""
    from shared.local.system import run
    from shared.local.system.home import Home

    home = Home.default()
    found = await run.call(home, "GET", "/state")
    form = (home.endpoints() or {}).get("webform")
    if output is Format.JSON:
        show({**found, "webform": form}, output)
        return
    rows = [{**part, "copies": len(part["pids"])} for part in found["parts"]]
    show(rows, output, ("name", "state", "copies", "restarts"))
    say(f"the form: {form}" if form else "the form is not up")


@app.command()
@command
async def stop(name: Name) -> None:
    """Take one part away, to see what carries on."""
    await _act("stop", name)


@app.command()
@command
async def start(name: Name) -> None:
    """Bring one part back."""
    await _act("start", name)


@app.command()
@command
async def doctor(output: Output = Format.TABLE) -> None:
    """What this machine has, what it lacks, and how to get it."""
    report = await doctor_report()
    show([check.as_row() for check in report], output, ("name", "state", "found", "get_it"))
    if any(check.required and not check.present for check in report):
        raise typer.Exit(1)


@app.command()
@command
async def migrate(
    phase: Annotated[str, typer.Option(help="before, after or all")] = "all", output: Output = Format.TABLE
) -> None:
    """Bring the database's schema up to date."""
    from shared.cli.local_settings import local_settings
    from shared.db import migrate as migrations

    if phase not in ("before", "after", "all"):
        fail("--phase is before, after or all")
    applied = await migrations.migrate(local_settings().database_url.get_secret_value(), phase=phase)
    show({"applied": applied}, output)


@app.command()
@command
async def topics(output: Output = Format.TABLE) -> None:
    """Create the Kafka topics that are missing."""
    from shared.cli.local_settings import local_settings
    from shared.events.topics import create_topics

    settings = Settings()
    if not settings.kafka_bootstrap_servers:
        settings = local_settings()
    show({"created": await create_topics(settings)}, output)


@app.command("send")
@command
async def send(
    channel: ChannelName,
    text: Annotated[str, typer.Argument(help="the message")],
    sender: Sender = None,
    subject: Subject = None,
    output: Output = Format.TABLE,
) -> None:
    """Write one message as a customer and return at once."""
    from shared.cli.conversation import beginning
    from shared.cli.customer import Customer

    _refuse_empty(text)
    async with Customer.on(channel, sender) as customer:
        show(await customer.write(text, subject or beginning(text)), output)


@app.command("try")
@command
async def try_(
    channel: ChannelName = "web",
    text: Annotated[str | None, typer.Argument(help="one message; without it a conversation begins")] = None,
    sender: Sender = None,
    subject: Subject = None,
    wait: Annotated[float, typer.Option(help="seconds to wait for an answer")] = 40.0,
) -> None:
    """Talk to the system as a customer and see what comes back."""
    from shared.cli.conversation import converse
    from shared.cli.customer import Customer

    _refuse_empty(text)
    async with Customer.on(channel, sender) as customer:
        if not await converse(customer, text, subject, wait):
            raise typer.Exit(1)


@app.command("sent")
@command
async def sent(
    channel: Annotated[str | None, typer.Option(help="email or whatsapp; else both")] = None,
    count: Annotated[int, typer.Option("-n", min=1, help="at most this many")] = 5,
    output: Output = Format.TABLE,
) -> None:
    """Show the last messages that left for customers, newest last: answers, codes, links."""
    from shared.cli.sent import last_sent, sent_lines

    messages = await last_sent(channel, count)
    if output is Format.JSON:
        show(messages, output)
    elif messages:
        print_lines(sent_lines(messages, screen()))
    else:
        say("nothing was sent yet")


@app.command()
@command
async def mcp(
    conversation: Annotated[
        str | None, typer.Option(help="whose tools to offer; without it search_knowledge and the documents")
    ] = None,
    http: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="serve streamable HTTP at /mcp instead; MCP_TOKEN guards it")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="a further name that clients call this server by; may be repeated")
    ] = None,
) -> None:
    """Serve the agent's tools over MCP: on standard input and output, or over HTTP."""
    from shared.cli.mcp_server import serve

    await serve(conversation, http, allow_host or ())


def _refuse_empty(text: str | None) -> None:
    if text is not None and not text.strip():
        fail("the message is empty")


async def _act(verb: str, name: str) -> None:
    from shared.local.system import run
    from shared.local.system.home import Home

    done = await run.call(Home.default(), "POST", f"/{verb}/{name}")
    say(f"{done['name']} is {done['state']}")


def _invite(endpoints: dict[str, object]) -> None:
    errors.print()
    errors.print("[bold]It is up.[/bold] Try it:")
    errors.print(f"  click   {endpoints['webform']}", soft_wrap=True)
    errors.print('  type    .venv/bin/fte try email "How do I export my data?"', soft_wrap=True)
    errors.print('  type    .venv/bin/fte try whatsapp "how do i add a colleague?"', soft_wrap=True)
    errors.print("  operate .venv/bin/kn-fte tickets list", soft_wrap=True)
    errors.print("  stop    .venv/bin/fte down", soft_wrap=True)


async def _build_webform() -> None:
    from shared.local.system.home import PROJECT

    if (PROJECT / "webform" / "dist" / "widget.js").exists():
        return
    say("building the web form …")
    built = await asyncio.to_thread(_run_build, PROJECT)
    if built.returncode != 0:
        fail(
            f"the web form does not build: {built.stderr.strip().splitlines()[-1:] or 'npm failed'}; see `make webform`"
        )


def _run_build(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "webform"], cwd=project, capture_output=True, text=True, check=False)


def main() -> None:
    """Entry point of `fte`."""
    run_app(app, "fte")


if __name__ == "__main__":
    main()
