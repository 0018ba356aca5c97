"""What people read of the desk's answers: whole ids, a row a line, short times, nothing that steers a terminal."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from rich.cells import cell_len

from shared.cli import output
from shared.cli.aftermath import Aftermath, decided, tickets_of
from shared.cli.columns import Screen, cell, field_lines, short_time, table_lines
from shared.cli.customer import EmailCustomer, WebCustomer, WhatsAppCustomer
from shared.cli.customer_view import customer_lines, link_lines, link_question
from shared.cli.status_view import status_lines, unavailable
from shared.cli.ticket_view import ticket_lines
from shared.cli.why_view import why_lines
from shared.errors import Permanent

NOW = datetime(2026, 3, 4, 22, 53, tzinfo=UTC)
PIPE = Screen(None, NOW)
NARROW = Screen(80, NOW)
LETTERS = ("id", "event_id", "event_type", "topic", "cause", "failures", "status", "arrived_at")


def at(**ago: float) -> str:
    """An ISO 8601 time so long ago."""
    return (NOW - timedelta(**ago)).isoformat()


def row(**more: Any) -> dict[str, Any]:
    """A ticket as the desk lists it."""
    fields = {"id": "TRRYWUAUWVBLXIH4RZTCYPNW", "status": "escalated", "reason": "refund", "channel": "web"}
    return {
        **fields,
        "address": "ada@example.org",
        "subject": "Where is my money " * 6,
        "updated_at": at(minutes=2),
        **more,
    }


TICKETS = ("id", "status", "reason", "channel", "address", "subject", "updated_at")


def test_a_piped_list_is_never_cut() -> None:
    """One row a line, everything in it, columns under each other."""
    head, *lines = table_lines([row(), row(subject="two\nlines", reason=None)], TICKETS, PIPE)
    assert len(lines) == 2
    assert ("Where is my money " * 6).strip() in lines[0]
    assert "two lines" in lines[1]
    assert all(line[head.index("REASON") :].startswith(word) for line, word in zip(lines, ("refund", "-"), strict=True))
    assert lines[0].endswith("22:51")


@pytest.mark.parametrize("subject", ["Where is my money " * 6, "価格について教えてください" * 4, "🙂" * 60])
def test_a_terminal_s_row_fits_and_keeps_its_id(subject: str) -> None:
    """The subject is shortened, by cells and not by characters; the id never is."""
    lines = table_lines([row(subject=subject)], TICKETS, NARROW)
    assert max(map(cell_len, lines)) <= 80
    assert "…" in lines[1]
    assert lines[1].startswith("TRRYWUAUWVBLXIH4RZTCYPNW  ")
    wider = table_lines([row(subject=subject)], TICKETS, Screen(100, NOW))
    assert max(map(cell_len, wider)) <= 100
    assert "  web  " in wider[1], "a column is left out without need"


def test_columns_that_matter_least_go_first() -> None:
    """Where shortening is not enough whole columns go, and the row is found by its id still."""
    letter = dict.fromkeys(LETTERS, "x" * 36) | {"cause": "bad-event", "failures": 1, "status": "waiting"}
    head, line = table_lines([{**letter, "arrived_at": at(days=2)}], LETTERS, NARROW)
    assert "EVENT ID" not in head
    assert {"ID", "CAUSE", "STATUS"} <= set(head.split())
    assert line.startswith("x" * 36)
    assert "EVENT ID" in table_lines([letter], LETTERS, PIPE)[0]


@pytest.mark.parametrize(
    ("ago", "terminal", "piped"),
    [
        ({"seconds": 5}, "just now", "22:52"),
        ({"minutes": 2}, "2 min ago", "22:51"),
        ({"hours": 3}, "19:53", "19:53"),
        ({"days": 3}, "2026-03-01", "2026-03-01"),
    ],
)
def test_times_are_short(ago: dict[str, float], terminal: str, piped: str) -> None:
    """How long ago, the hour today, else the date; without spaces where programs split."""
    assert short_time(at(**ago), NARROW) == terminal
    assert short_time(at(**ago), PIPE) == piped


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        ([], "-"),
        ("", "-"),
        (["email"], "email"),
        (["email", "web"], "email, web"),
        (0, "0"),
        (True, "yes"),
    ],
)
def test_values_read_as_words(value: Any, shown: str) -> None:
    """Lists without brackets, nothing as a dash, zero as zero."""
    assert cell("channels", value, PIPE) == shown


def test_what_a_customer_writes_steers_no_terminal() -> None:
    """Escape sequences and direction marks are gone; joined emoji stay whole."""
    shown = cell("subject", "a\x1b[2Jb\u202ec\r\nd 👩\u200d💻", PIPE)
    assert not set(shown) & set("\x1b\u202e\r\n")
    assert "👩\u200d💻" in shown


def message(**more: Any) -> dict[str, Any]:
    """A message as the desk shows it."""
    fields: dict[str, Any] = {"author": "customer", "channel": "email", "trust": "verified", "subject": "Export"}
    fields |= {"text": "Hello,\n\n" + "how do I export my data? " * 6, "details": {"attachments": []}}
    fields |= {"received_at": at(), "outcome": "replied", "outcome_reason": None, "delivery": None, "error_code": None}
    return {**fields, **more}


def ticket(**more: Any) -> dict[str, Any]:
    """A ticket as the desk shows it."""
    record = {
        "passages": [{"document_id": "exporting-data", "version": 3, "heading_path": "Exporting > How", "score": 1.0}],
        "tool_calls": [{"name": "search_knowledge", "ok": True}, {"name": "reply", "ok": False}],
        "checks": [{"attempt": 1, "reasons": ["no-source"]}, {"attempt": 2, "reasons": []}],
        "evidence": [],
    }
    decision = {"outcome": "replied", "reason": None, "model": "offline", "instructions": "email-1", "tokens_in": 0}
    decision |= {"tokens_out": 0, "record": record, "decided_at": at()}
    fields = row(subject="Export", summary="Who: Ada\nWhat: refund", priority="normal", category="billing")
    fields |= {"created_at": at(days=1), "closed_at": None, "state": "human", "trust": "verified"}
    return {**fields, "messages": [message()], "decisions": [decision], **more}


def plain(shown: dict[str, Any], screen: Screen = NARROW) -> list[str]:
    """The lines without their styles."""
    return [line for _, line in ticket_lines(shown, screen)]


def test_a_ticket_is_a_head_its_messages_and_the_reasons() -> None:
    """Each part under its heading, texts wrapped to the terminal, passages by document and version."""
    lines = plain(ticket())
    assert lines[0].split() == ["ticket", "TRRYWUAUWVBLXIH4RZTCYPNW"]
    assert "escalated (refund), with a person" in lines[1]
    assert any(line.endswith("What: refund") and line.startswith("          ") for line in lines)
    assert "22:53 customer · email · replied" in lines
    text = lines[lines.index("22:53 customer · email · replied") + 1 : lines.index("why")]
    assert text[0] == "Hello,"
    assert max(map(len, text)) <= 80
    assert " ".join(" ".join(text).split()) == " ".join(message()["text"].split())
    why = "\n".join(lines[lines.index("why") :])
    for words in ("exporting-data@3  Exporting > How", "search_knowledge ok", "reply failed", "draft 1: no-source"):
        assert words in why
    assert "draft 2: passed" in why


def test_a_mood_stands_at_the_head_and_at_each_message() -> None:
    """The last one in a word and a number, and where it goes; at a message the number alone."""
    assert not [line for line in plain(ticket()) if line.startswith("mood")]
    mood = {"score": -0.67, "band": "very-negative", "trend": "falling"}
    lines = plain(ticket(mood=mood, messages=[message(mood=-0.67)]))
    assert [line.split(maxsplit=1)[1] for line in lines if line.startswith("mood")] == [
        "very negative (-0.67), falling"
    ]
    assert "22:53 customer · email · replied · mood -0.67" in lines
    (first,) = [line for line in plain(ticket(mood=mood | {"trend": None})) if line.startswith("mood")]
    assert first.endswith("very negative (-0.67)")


def test_a_rating_stands_at_the_ticket_s_head() -> None:
    """The score out of five, and the customer's words if there are any, harmless."""
    assert not [line for line in plain(ticket()) if line.startswith("rating")]
    bare = plain(ticket(rating={"score": 4, "comment": None, "rated_at": at()}))
    assert [line.split() for line in bare if line.startswith("rating")] == [["rating", "4", "of", "5"]]
    said = plain(ticket(rating={"score": 1, "comment": "\x1b[31mtoo long " * 20, "rated_at": at()}))
    assert max(map(len, said)) <= 80
    assert not [line for line in said if "\x1b" in line]
    assert any("too long" in line for line in said)


def test_a_ticket_names_what_is_unusual() -> None:
    """Attachments, another subject, an unproven sender, a failed delivery, what waits, and what was erased."""
    files = [{"name": "a\x1b.pdf", "content_type": "application/pdf", "size": 20_480}]
    shown = ticket(
        messages=[
            message(details={"attachments": files}, subject="Other", trust="held", outcome=None, text=""),
            message(author="agent", outcome=None, delivery="failed", error_code="63016", details=None),
            message(text="[erased]", details="[erased]"),
        ],
        decisions=[{**ticket()["decisions"][0], "record": "[erased]"}],
        trust="held",
    )
    lines = plain(shown, PIPE)
    for line in ("Subject: Other", "attached: a .pdf (application/pdf, 20 kB)", "(no text)", "[erased]"):
        assert line in lines
    assert "22:53 customer · email · held · waiting" in lines
    assert "22:53 agent · email · failed (63016)" in lines
    assert "how do I export my data? " * 5 in "\n".join(lines), "a pipe is not wrapped"


def test_status_says_what_waits_and_what_is_away() -> None:
    """Human labels, each channel, and one line when the desk can't serve."""
    health = {"status": "ok", "channels": {"email": {"status": "degraded", "reason": "quota", "since": at(hours=1)}}}
    lines = [line for _, line in status_lines({"waiting": 3, "undelivered": 0}, health, PIPE)]
    assert [line.split("  ")[0] for line in lines] == ["messages to answer", "answers to deliver", "email"]
    assert lines[2].endswith("degraded (quota) since 21:53")
    assert [line.index(value) for line, value in zip(lines, ("3", "0", "degraded"), strict=True)] == [20, 20, 20]
    assert unavailable(health) is None
    assert unavailable({"status": "unavailable", "reason": "kafka-away"}) == "the desk is unavailable: kafka is away"


def test_status_says_how_content_customers_are() -> None:
    """The mean of the week's ratings, how many there were, and how many were asked."""
    week = {"rating_week": 4.25, "ratings_week": 4, "surveys_week": 9}
    (line,) = [line for _, line in status_lines(week, {"status": "ok"}, PIPE)]
    assert line.split("  ") == ["satisfaction, last 7 days", "4.2 of 5 (4 ratings, 9 asked)"]
    nobody = week | {"rating_week": None, "ratings_week": 0}
    assert status_lines(nobody, {"status": "ok"}, PIPE)[0][1].endswith("- (0 ratings, 9 asked)")


def test_what_was_asked_and_answered_stands_at_the_head() -> None:
    """By which way, when, and whether it went out; the rating says by which way it came."""
    survey = {"channel": "email", "asked_at": at(minutes=5), "delivery": "sent"}
    rating = {"score": 4, "comment": None, "channel": "email", "rated_at": at()}
    lines = plain(ticket(survey=survey, rating=rating))
    assert [line.split(maxsplit=1)[1] for line in lines if line.startswith(("asked", "rating"))] == [
        "for a rating by email, 22:48 (sent)",
        "4 of 5, by email",
    ]


def test_fields_stand_under_each_other() -> None:
    """A value's further lines begin where its first does."""
    assert field_lines({"a": "1\n2", "long": ""}) == ["a     1", "      2", "long  -"]


def test_a_table_and_an_object_are_printed_unwrapped(capsys: pytest.CaptureFixture[str]) -> None:
    """On a pipe a long row is one line, and markup in it is text."""
    output.show([row(subject="[bold]x[/bold] " * 30)], output.Format.TABLE, TICKETS)
    output.show({"id": "1", "reopened": [], "rows": [row()]}, output.Format.TABLE)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].count("[bold]") == 30
    assert lines[2:4] == ["id        1", "reopened  -"]


def test_the_aftermath_is_that_of_the_last_message() -> None:
    """The newest ticket of the address, on the channel first, and only of a message written since."""
    rows = [row(id="old", updated_at=at(hours=1)), row(id="new"), row(id="other", channel="email")]
    assert [found["id"] for found in tickets_of(rows, "web", "ADA@example.org")] == ["new", "old", "other"]
    shown = ticket(messages=[message(outcome="escalated", outcome_reason="refund")])
    assert decided(shown, "email", NOW + timedelta(minutes=1)) is None
    assert decided(shown, "web", NOW) is None
    found = decided(shown, "email", NOW)
    assert found is not None
    assert found.with_person
    assert found.sentence().startswith("with a person (ticket TRRYWUAUWVBLXIH4RZTCYPNW, refund): kn-fte tickets reply ")
    assert "ignored it (ticket A)" in Aftermath("A", "open", None, "ignored", "acknowledgement").sentence()


def test_an_address_fits_its_channel() -> None:
    """A number is no e-mail address and the other way round; a number may have spaces."""
    assert WhatsAppCustomer.fitting("+1 201 555 0123") == "+12015550123"
    assert EmailCustomer.fitting(" Ada@example.org ") == "Ada@example.org"
    for kind, address in ((EmailCustomer, "+12015550123"), (WebCustomer, "ada"), (WhatsAppCustomer, "ada@example.org")):
        with pytest.raises(Permanent, match="--from"):
            kind.fitting(address)


def test_an_address_beyond_ascii_is_no_traceback() -> None:
    """The simulator of Gmail hands over no internationalised mail."""
    with pytest.raises(Permanent, match="is not ASCII"):
        EmailCustomer.fitting("ünï@bücher.example")


@pytest.mark.parametrize(
    ("kind", "address", "name"),
    [
        (EmailCustomer, "ada@example.org", "Ada Example"),
        (WebCustomer, "ada@example.org", "Ada Example"),
        (WebCustomer, "sam_o.hill+x@example.org", "Sam O Hill X"),
        (WebCustomer, "ADA@example.org", "Ada"),
        (WhatsAppCustomer, "+12015550123", "Ada Example"),
        (WhatsAppCustomer, "+12015550199", ""),
    ],
)
def test_only_the_default_person_is_ada(kind: Any, address: str, name: str) -> None:
    """Another --from is somebody else, with a name of their own or none."""
    assert kind(None, {}, address).name == name


def test_a_note_stands_at_its_time() -> None:
    """Between the messages that it was written between; times may come in other zones."""
    said = [message(received_at=at(hours=hours), text=f"{hours} ago") for hours in (3, 1)]
    early = (NOW - timedelta(hours=2)).astimezone(timezone(timedelta(hours=5))).isoformat()
    notes = [{"author": "sam", "text": text, "written_at": when} for text, when in (("late", at()), ("early", early))]
    lines = plain(ticket(messages=said, notes=notes))
    order = [line for line in lines if line in {"3 ago", "early", "1 ago", "late"}]
    assert order == ["3 ago", "early", "1 ago", "late"]


def test_a_matter_that_was_given_back_asks_for_no_step() -> None:
    """What it was is still told; what a person should have done is done or nobody's."""
    lines = plain(ticket(status="open", state="agent", summary="Who: Ada\nNext: check the charge"))
    assert any("open, was for a person (refund)" in line for line in lines)
    assert not any("check the charge" in line for line in lines)
    assert any("check the charge" in line for line in plain(ticket(summary="Who: Ada\nNext: check the charge")))


def test_status_says_how_many_are_recognised() -> None:
    """One line of two counts; nothing to divide by is a dash."""
    lines = [line for _, line in status_lines({"recognised_week": 97, "inbound_week": 100}, {}, PIPE)]
    assert lines == ["senders recognised, last 7 days  97.0% (97 of 100)"]
    assert status_lines({"recognised_week": 0, "inbound_week": 0}, {}, PIPE)[0][1].endswith("-")


def test_a_customer_is_shown_with_identifiers_conversations_and_merges() -> None:
    """Whole ids, the trust of each identifier, and which merge to undo."""
    one, other = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
    customer = {
        "id": one,
        "name": None,
        "created_at": at(days=2),
        "merged_from": other,
        "identifiers": [{"value": "ada@example.org", "kind": "email", "trust": "verified", "created_at": at(days=2)}],
        "conversations": [],
        "merges": [{"id": 7, "cause": "code", "winner": one, "loser": other, "merged_at": at(hours=1)}],
    }
    text = "\n".join(line for _, line in customer_lines(customer, PIPE))
    assert f"{other}, who was merged into this one" in text
    assert "ada@example.org  email  verified" in text
    assert f"7   code   {one}  {other}" in text
    assert "conversations" not in text


def linked(*was: str, merge_id: int | None = None) -> dict[str, Any]:
    """What the desk says of a link."""
    values = (("ada@example.org", "email"), ("+12015550123", "phone"))
    sides = [{"value": value, "kind": kind, "was": one} for (value, kind), one in zip(values, was, strict=True)]
    return {"customer_id": "c-1", "merged": merge_id is not None, "merge_id": merge_id, "identifiers": sides}


def test_a_link_says_what_was_known_and_how_it_is_undone() -> None:
    """A number nobody wrote from is asked about by name; what came of it, and the way back, are shown."""
    assert link_question(linked("theirs", "another")) is None
    question = link_question(linked("theirs", "unknown"))
    assert question is not None
    assert "+12015550123" in question
    assert "ada@example.org" not in question
    text = "\n".join(link_lines(linked("theirs", "unknown"), PIPE))
    assert re.search(r"\+12015550123 +added: nobody had written from it", text)
    assert text.endswith("kn-fte customers unlink +12015550123")
    merged = "\n".join(link_lines(linked("theirs", "another", merge_id=7), PIPE))
    assert merged.endswith("kn-fte customers unmerge 7")
    assert "undo" not in "\n".join(link_lines(linked("theirs", "theirs"), PIPE))


def test_a_function_that_is_down_and_what_waits_for_it_are_seen() -> None:
    """Marked, with how many events it has not taken; one that takes none says nothing of it."""
    functions = {
        "agent-run": {"status": "down", "reason": "no-answer", "waiting": 12},
        "send-reply": {"status": "ok", "reason": None, "waiting": 0},
        "form-submit": {"status": "ok", "reason": None, "waiting": None},
    }
    shown = {line.split()[0]: (style, line) for style, line in status_lines({"functions": functions}, {}, PIPE) if line}
    assert shown["agent-run"][0] == "red"
    assert shown["agent-run"][1].endswith("down (no-answer), 12 events waiting")
    assert shown["send-reply"] == ("", "send-reply   ok, 0 events waiting")
    assert shown["form-submit"][1].endswith("ok")


def test_a_ticket_says_for_whom_it_waits_who_has_it_and_why_it_was_closed() -> None:
    """The reason of the escalation stays beside that of the closing; notes are marked as ours alone."""
    note = {"author": "sam", "text": "VIP, be quick", "written_at": at(minutes=3)}
    lines = plain(ticket(waits_for="person", waits_since=at(minutes=3), assigned_to="sam", notes=[note]))
    text = "\n".join(lines)
    assert re.search(r"waits for +a person, since 3 min ago|waits for +a person, since 22:50", text)
    assert re.search(r"assigned to +sam", text)
    assert re.search(r"note by sam, for us alone\nVIP, be quick", text)
    closed = "\n".join(plain(ticket(status="closed", closed_at=at(), close_reason="solved by telephone")))
    assert "closed (refund)" in closed
    assert "(solved by telephone)" in closed


def test_why_is_read_in_full() -> None:
    """Asked and said, passages with versions and scores, tools, checks, tokens; a cost nobody knows is no zero."""
    shown = ticket()
    decision = shown["decisions"][0] | {"asked": "How do I export?", "reply": "Open Settings.", "sentiment": -0.5}
    for cost, said in ((None, "unknown"), (0.0, "$0.000000"), (0.0123, "$0.012300")):
        text = "\n".join(line for _, line in why_lines({"decisions": [decision | {"cost_usd": cost}]}, PIPE))
        assert re.search(rf"cost +{re.escape(said)}", text)
    for words in ("How do I export?", "Open Settings.", "exporting-data@3", "(1.00)", "search_knowledge ok"):
        assert words in text
    assert "draft 1: no-source" in text
    assert "draft 2: passed" in text
    assert re.search(r"mood +-0.50", text)
    assert why_lines({"decisions": []}, PIPE) == [("", "the agent decided nothing here")]
