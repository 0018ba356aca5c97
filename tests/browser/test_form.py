"""(c) The form in a real browser: filled in, sent, and answered on the page without a reload."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.system import System

QUESTION = "How do I export my data?"


def fill(page: Page, message: str = QUESTION) -> None:
    """As a customer would."""
    page.locator("[name=name]").fill("Grace Example")
    page.locator("[name=email]").fill("grace@example.net")
    page.locator("[name=subject]").fill("Exporting")
    page.locator("[name=category]").select_option("technical")
    page.locator("[name=message]").fill(message)


def test_a_customer_sends_the_form_and_reads_the_answer(system: System, page: Page) -> None:
    """Sent once, the thread appears by itself, and a reload keeps it."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.goto(system.endpoints["webform"])
    fill(page)
    page.locator("[type=submit]").dblclick()
    answer = page.locator("[data-author=agent]")
    expect(answer).to_be_visible(timeout=30_000)
    expect(answer).to_contain_text("export", ignore_case=True)
    expect(page.locator("[data-author=customer]")).to_contain_text(QUESTION)
    assert len([url for url in sent if url.endswith("/tickets")]) == 1
    page.reload()
    expect(page.locator("[data-author=agent]")).to_be_visible(timeout=10_000)


def test_mistakes_are_named_beside_their_fields(system: System, page: Page) -> None:
    """Nothing is sent while a field is wrong, and the field says what is."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.goto(system.endpoints["webform"])
    page.locator("[name=email]").fill("not an address")
    page.locator("[type=submit]").click()
    expect(page.locator("[name=email]")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[name=message]")).to_have_attribute("aria-invalid", "true")
    assert sent == []


def test_a_refund_shows_that_a_person_is_on_it(system: System, page: Page) -> None:
    """Escalated: the handoff stands on the page, then the person's reply appears without a reload."""
    page.goto(system.endpoints["webform"])
    fill(page, "I was charged twice and want my money back.")
    page.locator("[type=submit]").click()
    expect(page.locator("[data-author=agent]")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-testid=status]")).to_contain_text("person", ignore_case=True, timeout=15_000)
    ticket = next(row for row in system.kn("tickets", "list", "--state", "escalated") if row["channel"] == "web")
    system.kn("tickets", "reply", ticket["id"], "Sam here: the second charge is on its way back.")
    expect(page.locator("[data-author=human]")).to_contain_text("Sam here", timeout=30_000)


@pytest.fixture
def foreign_site(system: System, tmp_path: Path) -> Iterator[str]:
    """A page of somebody else's, on another origin, that embeds the widget."""
    script = system.endpoints["webform"].rstrip("/") + "/widget.js"
    (tmp_path / "index.html").write_text(f"<!doctype html><h1>Shop</h1><script src='{script}'></script>")
    handler = partial(_Quiet, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_any_site_can_embed_it(foreign_site: str, page: Page) -> None:
    """One script tag on another origin: shadow root, CORS, answer."""
    page.goto(foreign_site)
    fill(page)
    page.locator("[type=submit]").click()
    expect(page.locator("[data-author=agent]")).to_be_visible(timeout=30_000)
