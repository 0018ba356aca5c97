"""Reading a mail takes time that grows with its length, not with its square: no mail stops the worker."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from shared.channels.gmail.html_text import to_text
from shared.channels.gmail.message import parse
from shared.channels.gmail.quoting import split

_HEAD = b"From: ada@example.org\r\nSubject: Re: x\r\nReferences: <a@example.org>\r\n"
# Below this a clock measures little but itself.
_FLOOR = 0.2


def _cpu(work: Callable[[], object]) -> float:
    """Seconds of this process: what else the machine does counts for nothing."""
    start = time.process_time()
    work()
    return time.process_time() - start


def _within(times: int, short: Callable[[], object], long: Callable[[], object]) -> bool:
    """Whether `long` takes at most so many times as long as `short` in one of three tries."""
    return any(_cpu(long) <= times * _cpu(short) + _FLOOR for _ in range(3))


def _plain(text: str) -> bytes:
    return _HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text.encode()


def _both(text: str, html: str) -> bytes:
    head = _HEAD + b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"
    plain = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text.encode() + b"\r\n--b\r\n"
    return head + plain + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html.encode() + b"\r\n--b--"


_MARKED = '<p>hi</p><div class="gmail_signature">Ann</div>'
_LONG: dict[str, Callable[[int], bytes]] = {
    "a long word below a closing": lambda size: _plain("Hello\n\nThanks\nAnn\n" + "a" * size),
    "dots below a closing": lambda size: _plain("Hello\n\nThanks\nAnn\n" + "a.b-" * (size // 4)),
    "signs below a closing": lambda size: _plain("Hello\n\nThanks\nAnn\n" + "a@" * (size // 2)),
    "spaces before a signature": lambda size: _both("hi" + " " * size + "x", _MARKED),
    "wide spaces before a signature": lambda size: _both("hi" + "\u2009" * size + "x", _MARKED),
    "half a notice": lambda size: _plain("Hello\n\nconfiden intended " + "bestimm" * (size // 7)),
    "half a notice, again": lambda size: _plain("Hello\n\nconfiden " + "intended " * (size // 9)),
    "quoted lines": lambda size: _plain("Hello\n" + ">\n" * (size // 2)),
    "blank lines": lambda size: _plain("Hello" + "\n" * size + "x"),
    "footers": lambda size: _plain("Hello\n\n" + "Please think before printing this e-mail\n\n" * (size // 41)),
    "devices": lambda size: _plain("Hello\n\n" + "Sent from my iPhone\n" * (size // 20)),
    "dashes": lambda size: _plain("Hello\n\n" + "--\n" * (size // 3)),
}


@pytest.mark.parametrize("name", _LONG)
def test_twenty_times_the_length_takes_about_twenty_times_as_long(name: str) -> None:
    """Squared it would be four hundred times: both lengths are measured in the same run."""
    short, long = _LONG[name](10_000), _LONG[name](200_000)
    assert _within(40, lambda: parse(short), lambda: parse(long))


_PREFIXES = ["", "Hello\n\nThanks\nAnn\n", "Hello\n\nconfidential intended ", "-- \n", "> ", "On 2026-11-03 10:12 "]
_UNITS = [
    "a",
    " ",
    "\n",
    "a.",
    "a@",
    "1-",
    ">\n",
    "\n\n",
    "--\n",
    "intended ",
    "bestimm",
    "www.",
    "|",
    "From: x\n",
    "é ",
]


@examples(deadline=None)
@given(st.sampled_from(_PREFIXES), st.lists(st.sampled_from(_UNITS), min_size=1, max_size=3).map("".join))
def test_any_repetition_grows_about_linearly(prefix: str, unit: str) -> None:
    """Whatever is said over and over, eight times as much of it takes no sixty-four times as long."""
    short, long = (prefix + unit * (size // len(unit)) for size in (1_000, 8_000))
    assert _within(20, lambda: split(short), lambda: split(long))


_HTML: dict[str, Callable[[int], str]] = {
    "a wide table": lambda size: "<table><tr>" + "<td>ab</td>" * (size // 11) + "</tr></table>",
    "a tall table": lambda size: "<table>" + "<tr><td>a</td><td>b</td></tr>" * (size // 28) + "</table>",
    "rows that never end": lambda size: "<table>" + "<tr><td>x" * (size // 9),
    "tables in tables": lambda size: ("<table><tr><td>" * 40 + "x" + "</td></tr></table>" * 40) * (size // 1_321 + 1),
    "one long line beside many": lambda size: (
        f"<table><tr><td>{'word ' * (size // 10)}</td><td>{'word<br>' * (size // 16)}</td></tr></table>"
    ),
    "many tables of a long line beside many": lambda size: (
        f"<table><tr><td>{'word ' * 400}</td><td>{'word<br>' * 250}</td></tr></table>" * (size // 4_040 + 1)
    ),
    "rules of style": lambda size: "<style>" + "p.a{color:red}" * (size // 14) + "</style><p class=a>hi</p>",
    "a long style": lambda size: f'<p style="{"color:red;" * (size // 10)}">x</p>',
    "many attributes": lambda size: "<p " + " ".join(f"a{at}=1" for at in range(size // 8)) + ">hi</p>",
    "quoted attributes": lambda size: "<p " + " ".join(f'a{at}=">"' for at in range(size // 10)) + ">hi</p>",
    "attributes behind a script": lambda size: (
        "<script>\"<a x='</script><p " + " ".join(f'a{at}=">"' for at in range(size // 10)) + ">hi</p>"
    ),
    "attributes without values": lambda size: "<p " + "/".join(f"a{at}" for at in range(size // 6)) + ">hi</p>",
    "deep elements": lambda size: ("<div>" * 100 + "x" + "</div>" * 100) * (size // 1_101 + 1),
    "elements deeper than any": lambda size: "<div>" * (size // 5),
    "quotes in quotes": lambda size: ("<blockquote>" * 90 + "x" + "</blockquote>" * 90) * (size // 2_300 + 1),
    "hidden words": lambda size: "<i hidden>a</i>b" * (size // 16),
    "rules": lambda size: "a<hr>" * (size // 5),
    "half a tag": lambda size: "<b " * (size // 3),
}


@pytest.mark.parametrize("name", _HTML)
def test_eight_times_the_html_takes_about_eight_times_as_long(name: str) -> None:
    """Squared it would be sixty-four times; the shorter one is long enough to be measured."""
    short, long = _HTML[name](15_000), _HTML[name](120_000)
    assert _within(16, lambda: to_text(short), lambda: to_text(long))


@pytest.mark.parametrize("name", ["many attributes", "quoted attributes", "one long line beside many"])
def test_what_is_bounded_keeps_its_words(name: str) -> None:
    """Its layout goes: a table's columns stand below each other, and of a tag with `>` inside attributes may stay."""
    shown = to_text(f"<p>Before</p>{_HTML[name](120_000)}<p>After</p>").split()
    assert shown[0] == "Before"
    assert shown[-1] == "After"
    assert shown[-2].endswith("word" if "line" in name else "hi")
    assert sum(map(len, shown)) < 200_000
