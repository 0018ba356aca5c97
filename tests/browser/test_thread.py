"""(c) The thread in a real browser: words and files added, a file fetched, the answer rated, the link followed."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.test_form import fill
from tests.system import System, eventually, new_address

LINK = re.compile(r"https?://\S+")


def test_the_thread_takes_words_files_and_a_rating(system: System, page: Page, tmp_path: Path) -> None:
    """Each is sent once, appears without a reload, and what comes back of a file are its bytes."""
    page.goto(system.endpoints["webform"])
    fill(page)
    page.locator("[type=submit]").click()
    expect(page.locator("[data-author=agent]")).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("trust")).to_have_attribute("data-trust", "claimed")

    page.locator(".star").nth(3).click()
    page.locator("[name=comment]").fill("Quick")
    page.get_by_test_id("rating").locator("[type=submit]").click()
    expect(page.get_by_test_id("rating")).to_have_attribute("data-score", "4")

    page.locator("[name=reply]").fill("And how do I invite a colleague?")
    page.get_by_test_id("composer").locator("[type=submit]").dblclick()
    expect(page.locator("[data-author=agent]")).to_have_count(2, timeout=30_000)
    expect(page.locator("[data-author=customer]")).to_have_count(2)

    file = tmp_path / "rows.txt"
    file.write_bytes(b"Row 500 of the export is empty.\n")
    page.locator("[name=file]").set_input_files(file)
    page.get_by_test_id("composer").locator("[type=submit]").click()
    expect(page.get_by_test_id("download")).to_be_visible(timeout=30_000)
    with page.expect_download() as coming:
        page.get_by_test_id("download").click()
    assert coming.value.suggested_filename == "rows.txt"
    assert Path(coming.value.path()).read_bytes() == file.read_bytes()
    expect(page.locator("[data-author=customer]")).to_have_count(3)


def test_the_mailed_link_opens_the_thread_and_confirms_the_address(system: System, page: Page) -> None:
    """By the button behind it. The page says so, and the token is out of the address bar at once."""
    address = new_address()
    page.goto(system.endpoints["webform"])
    fill(page)
    page.locator("[name=email]").fill(address)
    page.locator("[type=submit]").click()
    expect(page.locator("[data-author=agent]")).to_be_visible(timeout=30_000)
    mail = eventually(lambda: system.mails_to(address))[0]
    body = mail.get_body(("plain",))
    assert body is not None
    link = LINK.search(body.get_content())
    assert link is not None
    page.goto(link.group())
    page.get_by_role("button").click()
    expect(page.get_by_test_id("trust")).to_have_attribute("data-trust", "verified", timeout=15_000)
    expect(page.locator("[data-author=customer]")).to_be_visible()
    assert "token" not in page.url


def test_a_closed_ticket_is_opened_again_by_another_word(system: System, page: Page) -> None:
    """Closed by a person, it asks for a rating, takes it and a message, and the answer appears."""
    page.goto(system.endpoints["webform"])
    fill(page)
    page.locator("[type=submit]").click()
    expect(page.locator("[data-author=agent]")).to_be_visible(timeout=30_000)
    ticket = next(row for row in system.kn("tickets", "list") if row["channel"] == "web")
    system.kn("tickets", "close", ticket["id"])
    page.reload()
    expect(page.get_by_test_id("status")).to_have_attribute("data-status", "closed", timeout=15_000)
    expect(page.get_by_role("group", name="How was our help?")).to_be_visible(timeout=15_000)
    page.get_by_role("radio", name="Very good").check(force=True)
    page.get_by_role("button", name="Send rating").click()
    expect(page.get_by_test_id("rating")).to_have_attribute("data-score", "5", timeout=15_000)
    page.locator("[name=reply]").fill("How do I invite a colleague?")
    page.get_by_test_id("composer").locator("[type=submit]").click()
    expect(page.locator("[data-author=agent]")).to_have_count(2, timeout=30_000)
