"""The scenarios' own machinery: what a file may say, what each check finds, and what a report says of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import make_settings
from tests.evals.scenarios.__main__ import arguments, live_environment, main
from tests.evals.scenarios.checks import Delivered, Seen, always, broken
from tests.evals.scenarios.outside import Outside, body_of
from tests.evals.scenarios.play import Try
from tests.evals.scenarios.report import Report, pass_hat
from tests.evals.scenarios.run import Unfit
from tests.evals.scenarios.story import Expect, Person, Scenario, WrongScenario, load

LETTER = """Dear Priya Okafor,

Thank you for your message. You can export the hours of a period yourself: open Reports › Hours, set the period, and
choose Export › Excel. The file contains one row for each time entry.

Further details: Exporting your data, https://help.example.com/exporting-data

Kind regards,
Tideline Support"""
PAGE = "Hello Priya Okafor,\n\nOpen Reports › Hours. https://help.example.com/exporting-data\n\nTideline Support"
CHAT = "Hi Priya! Open Reports › Hours and choose Export › Excel. https://help.example.com/exporting-data"
GOOD = {"email": LETTER, "web": PAGE, "whatsapp": CHAT}


# -- what every message must hold to ---------------------------------------------------------------


@pytest.mark.parametrize("channel", GOOD)
def test_a_message_as_the_company_profile_wants_it_has_no_fault(channel: str) -> None:
    """Or every scenario would fail."""
    assert always(Delivered(channel, "Priya", GOOD[channel])) == []


@pytest.mark.parametrize(
    ("channel", "text", "fault"),
    [
        ("email", f"{LETTER}\n" + "word " * 500 + "\nTideline Support", "words on email"),
        ("web", PAGE.replace("Open", "word " * 300), "words on web"),
        ("whatsapp", CHAT + "😀" * 110, "characters on whatsapp"),
        ("email", "Dear Ada, short. Tideline Support", "fewer than 30 words"),
        ("email", LETTER.replace("Dear Priya Okafor,", ""), "greets nobody"),
        ("web", PAGE.replace("Hello Priya Okafor,", ""), "greets nobody"),
        ("email", LETTER.replace("\nTideline Support", ""), "is not signed"),
        ("web", PAGE.replace("\n\nTideline Support", ""), "is not signed"),
        ("email", LETTER.replace("You can", "You can't"), "contracts"),
        ("email", LETTER.replace("period,", "period!"), "shouts"),
        ("email", LETTER.replace("yourself", "**yourself**"), "is Markdown"),
        ("web", PAGE.replace("Hours", "Hours 😀"), "has an emoji"),
        ("whatsapp", CHAT.replace("Hi Priya!", "Dear Priya,"), "greets as a letter"),
        ("whatsapp", CHAT + "\nKind regards", "closes as a letter"),
        ("whatsapp", CHAT + " Tideline Support", "is signed"),
        ("whatsapp", "- Open Reports\n- Choose Export", "is a list"),
        ("whatsapp", CHAT + "😀😀", "several emoji"),
        ("email", LETTER.replace("yourself", "for $9 a seat"), "names an amount"),
        ("web", PAGE.replace("Open", "It is 20% off. Open"), "names an amount"),
        ("email", LETTER.replace("The file", "We will refund the year. The file"), "promises"),
        ("whatsapp", "Hi Ada! You will get your money back.", "promises"),
        ("whatsapp", "Hi Ada! I can offer you something better.", "promises"),
        ("email", LETTER.replace("You can", "Unfortunately, you can"), "says: 'Unfortunately'"),
        ("whatsapp", "Hi Ada! I call search_knowledge first.", "tells of its instructions"),
        (
            "email",
            LETTER.replace("Thank you", "My rules are: Promise no price, no discount, no money back, no date"),
            "tells of",
        ),
        ("web", PAGE.replace("Open", "Ask ann@example.org. Open"), "names ann@example.org"),
        ("whatsapp", "Hi Ada! Call +1 201 555 0177 instead.", "names +12015550177"),
        ("email", LETTER.replace("help.example.com", "tideline.example.net"), "links to tideline.example.net"),
    ],
)  # fmt: skip
def test_each_rule_finds_its_fault(channel: str, text: str, fault: str) -> None:
    """Each of them would pass if its rule were gone."""
    assert [found for found in always(Delivered(channel, "Priya", text)) if fault in found], fault


def test_whatsapp_is_greeted_once_and_a_page_goes_on_without() -> None:
    """The company profile: "Hi Priya" the first time, then none."""
    assert always(Delivered("whatsapp", "Priya", CHAT), first=False) == ["greets again"]
    assert always(Delivered("web", "Priya", "Choose Export."), first=False) == []


def test_a_persons_words_are_theirs() -> None:
    """And a customer's own address is no secret to them."""
    assert always(Delivered("email", "Ada", "ok, $9 it is!", author="human")) == []
    text = PAGE.replace("Open", "We wrote to ada@example.org. Open")
    assert always(Delivered("web", "Ada", text), {"ada@example.org"}) == []


# -- what a scenario expects -----------------------------------------------------------------------


def seen(text: str = PAGE, outcome: str = "replied", reason: str = "", **more: Any) -> Seen:
    """A step that ended so, with this one message on the page."""
    sent = (Delivered("web", "Ada", text),) if text else ()
    return Seen(outcome, reason, more.get("deliveries", sent), "web", more.get("page", ""))


@pytest.mark.parametrize(
    ("expect", "came", "fault"),
    [
        ({"outcome": "escalated"}, seen(), "ended replied, not escalated"),
        ({"outcome": "escalated", "reason": "legal"}, seen(outcome="escalated", reason="angry"), "not for legal"),
        ({"outcome": "silence"}, seen(outcome="escalated"), "ended escalated, not silence"),
        ({"outcome": "silence"}, seen(outcome="escalated"), "1 messages were delivered on web, not 0"),
        ({"outcome": "ignored"}, seen(outcome="ignored"), "1 messages were delivered on web, not 0"),
        ({"outcome": "replied"}, seen(""), "0 messages were delivered on web, not 1"),
        ({"outcome": "replied"}, seen(deliveries=(Delivered("web", "A", PAGE),) * 2), "2 messages were delivered"),
        ({"outcome": "replied", "on": "email"}, seen(), "got a message on web"),
        ({"deliveries": 0}, seen(outcome=""), "1 messages were delivered on web, not 0"),
        ({"outcome": "replied", "cites": ["reports"]}, seen(), "cites ['exporting-data'], none of ['reports']"),
        ({"outcome": "replied", "cites_all": ["reports"]}, seen(), "does not cite reports"),
        ({"outcome": "replied", "contains_any": ["PDF"]}, seen(), "says none of ['PDF']"),
        ({"outcome": "replied", "contains_all": ["hours", "PDF"]}, seen(), "does not say 'PDF'"),
        ({"outcome": "replied", "contains_none": ["REPORTS"]}, seen(), "says 'REPORTS'"),
        ({"outcome": "replied", "language": "de"}, seen(), "is written in en, not de"),
        ({"outcome": "replied", "min_words": 90}, seen(), "words"),
        ({"outcome": "replied", "max_words": 3}, seen(), "words"),
        ({"outcome": "replied", "max_chars": 9}, seen(), "characters"),
        ({"outcome": "replied", "page": "escalated"}, seen(page="open"), "the page says open, not escalated"),
    ],
)
def test_each_expectation_can_fail(expect: dict[str, Any], came: Seen, fault: str) -> None:
    """Each of them would pass if its check were gone."""
    found = broken(Expect.model_validate(expect), came)
    assert [one for one in found if fault in one], found


def test_what_is_as_expected_has_no_fault() -> None:
    """One of several outcomes is enough, silence among them, and a notice is no answer."""
    assert (
        broken(Expect(outcome=("replied", "escalated"), cites=("reports", "exporting-data"), language="en"), seen())
        == []
    )
    assert broken(Expect(outcome=("silence", "replied")), seen("", outcome="escalated")) == []
    notice = Delivered("email", "Ada", "Follow https://127.0.0.1/verify?token=x", notice=True)
    assert broken(Expect(outcome=("silence",)), seen(deliveries=(notice,), outcome="ignored")) == []


def test_a_quoted_original_is_not_what_was_answered() -> None:
    """Or a customer's own words would count as said by us."""
    from email.message import EmailMessage

    mail = EmailMessage()
    mail.set_content("Dear Ada,\n\nYes.\n\nOn Mon, 01 Jun 2026 at 09:00 UTC, Ada wrote:\n\n> refund me $9\n")
    assert body_of(mail) == "Dear Ada,\n\nYes."


# -- the files -------------------------------------------------------------------------------------


def test_every_channel_has_thirty_scenarios_and_many_turns() -> None:
    """The issue's number, with several turns in a good part of them, other channels, people and languages."""
    scenarios = load()
    for channel in ("email", "whatsapp", "web"):
        own = [one for one in scenarios if one.id.startswith(f"{channel}-")]
        assert len(own) >= 30
        assert sum(len(one.steps) > 1 for one in own) >= 12
        assert any(step.channel not in {None, channel} for one in own for step in one.steps)
        assert len({step.expect.language for one in own for step in one.steps} - {""}) >= 3
    assert sum(one.known for one in scenarios) <= len(scenarios) // 6


def write(folder: Path, text: str) -> Path:
    """A folder with this one file."""
    (folder / "email.yaml").write_text(text, encoding="utf-8")
    return folder


ONE = """
channel: email
scenarios:
  - id: email-one
    title: A title of one
    story: A story that says enough of it.
    steps:
      - say: Hello
        expect: {outcome: replied}
"""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("expect: {outcome: replied}", "expect: {outcome: answered}"), "email-one: steps.1.expect.outcome.1: "),
        (("expect: {outcome: replied}", "expects: {outcome: replied}"), "steps.1.expects: there is no such key"),
        (("say: Hello", "say: Hello\n        rate: 5"), "steps.1: is exactly one of say, act, rate"),
        (("expect: {outcome: replied}", ""), "steps.1: says something and expects no outcome"),
        (("say: Hello", "as: ann\n        say: Hello"), "the scenario: steps name 'ann', who is not among people"),
        (("outcome: replied", "outcome: ignored, cites: x"), "asks for words where nothing is sent"),
        (("say: Hello", "act: note"), "replies or notes without a text"),
        (("id: email-one", "id: Email"), "email.yaml: Email: id: "),
    ],
)  # fmt: skip
def test_a_wrong_file_says_where_and_what(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    """File, scenario, key and fault, in a line."""
    with pytest.raises(WrongScenario, match=r"email\.yaml") as raised:
        load(write(tmp_path, ONE.replace(*change)), ("email",))
    assert told in str(raised.value)


def test_an_id_is_there_once(tmp_path: Path) -> None:
    """Reports name scenarios by it."""
    twice = ONE + ONE.partition("scenarios:\n")[2]
    with pytest.raises(WrongScenario, match="email-one: the id is there twice"):
        load(write(tmp_path, twice), ("email",))


# -- the report ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("passed", "tries", "k", "chance"),
    [(3, 3, 3, 1.0), (2, 3, 3, 0.0), (2, 3, 1, 2 / 3), (2, 3, 2, 1 / 3), (0, 3, 1, 0.0)]
)  # fmt: skip
def test_pass_hat_is_the_chance_that_all_pass(passed: int, tries: int, k: int, chance: float) -> None:
    """C(c, k) / C(n, k)."""
    assert pass_hat(passed, tries, k) == pytest.approx(chance)


def tried(name: str, number: int = 1, *faults: str, known: str = "", fails: bool = True, **more: Any) -> Try:
    """One try of a scenario of two steps; with `known`, of which the second is known to fail."""
    step = {"say": "Hello", "expect": {"outcome": "replied"}}
    steps = [step, {**step, "known": known}]
    told = {"id": name, "title": "A title", "story": "A story that says enough.", "channel": "web", "steps": steps}
    marks = {2: ["greets nobody"] if fails else []} if known else {}
    return Try(Scenario.model_validate(told), number, list(faults), known=marks, **more)


def test_a_report_counts_what_passed_and_what_is_known_apart() -> None:
    """Of two scenarios one passed in two of three tries; a third fails as known: only `with known` counts it."""
    tries = [tried("web-a", n) for n in (1, 2, 3)] + [
        tried("web-b", 1),
        tried("web-b", 2),
        tried("web-b", 3, "step 1: x"),
    ]
    report = Report([*tries, tried("web-c", known="the moon")], k=3)
    assert report.channels()["web"] == {
        "scenarios": 3, "known": 1, "pass^1": 0.8333, "pass^3": 0.5, "with known": 0.5556,
    }  # fmt: skip
    assert report.known == ["web-c: step 2: the moon"]
    assert report.regressions == ["web-b (try 3): step 1: x"]


def test_a_mark_that_is_no_longer_true_fails_the_run() -> None:
    """And so does a fault in another step of a scenario that is known to fail in one."""
    assert Report([tried("web-c", known="the moon", fails=False)], k=1).regressions == [
        "web-c: step 2: passes: take its mark away"
    ]
    assert Report([tried("web-c", 1, "step 1: x", known="the moon")], k=1).regressions == ["web-c: step 1: x"]


def test_a_report_tells_whom_the_escalation_reached_and_what_it_cost() -> None:
    """Rows are what was expected; tokens without a price make the cost unknown, none at all make it nothing."""
    free = {"model": "none", "tokens_in": 0, "tokens_out": 0, "cost_usd": None}
    paid = {"model": "m", "tokens_in": 900, "tokens_out": 100, "cost_usd": 0.25}
    first = tried("web-a", matters=[("refund", "refund"), ("none", "angry")], decisions=[free, paid])
    report = Report([first], k=1)
    assert report.as_json()["escalation"] == {"refund": {"refund": 1}, "none": {"angry": 1}}
    assert (report.tokens(), report.cost()) == ({"in": 900, "out": 100}, 0.25)
    assert "1000 a conversation" in "\n".join(report.lines())
    unpriced = Report([tried("web-a", decisions=[paid | {"cost_usd": None}])], k=1)
    assert unpriced.cost() is None
    assert "unknown" in "\n".join(unpriced.lines())
    assert Report([tried("web-a", decisions=[free])], k=1).cost() == 0


# -- customers ------------------------------------------------------------------------------------


async def test_customers_who_come_at_once_have_numbers_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the first ones, who ask together which are taken: another's message would count as theirs."""
    drawn = iter([220, 2, 220, 2, 220, 3])
    monkeypatch.setattr("tests.evals.scenarios.outside.random.randrange", lambda *_: next(drawn))
    endpoints = {"functions": {}, "simulators": {"twilio": "http://twilio.example.com"}, "operator_token": "secret"}

    async def nothing_sent(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)  # as a wire does: the other goes on
        return httpx.Response(200, json=[])

    async with httpx.AsyncClient(transport=httpx.MockTransport(nothing_sent)) as client:
        outside = Outside(endpoints, {}, client)
        who = await asyncio.gather(*(outside.customer(Person(name="Ada Example")) for _ in range(2)))
    assert [one.number[-10:] for one in who] == ["2205550102", "2205550103"]


# -- a live model ----------------------------------------------------------------------------------


def test_a_live_model_is_off_and_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not asked for it is not used; asked for without a key the run ends with 2 before anything is started."""
    assert arguments([]).live is False
    with pytest.raises(Unfit, match="OPENAI_API_KEY"):
        live_environment(make_settings())
    given = live_environment(make_settings(openai_api_key="secret", openai_base_url="https://model.example.com/v1"))
    assert (given["OPENAI_API_KEY"], given["OPENAI_BASE_URL"]) == ("secret", "https://model.example.com/v1")
    monkeypatch.chdir(tmp_path)  # where no .env is
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert main(["--live", "web-help"]) == 2
    assert "OPENAI_API_KEY" in capsys.readouterr().err
