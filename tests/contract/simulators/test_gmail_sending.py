"""Sending and drafting through Google's own client."""

from __future__ import annotations

import base64
import email
from datetime import datetime
from typing import Any

import pytest
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaInMemoryUpload

QUESTION = (
    b"From: Ana <ana@example.org>\r\nTo: support@example.com\r\nSubject: Invoice\r\n"
    b"Message-ID: <q1@example.org>\r\n\r\nWhere is it?\r\n"
)
ANSWER = (
    b"From: Tideline Support <support@example.com>\r\nTo: ana@example.org\r\nSubject: Re: Invoice\r\n"
    b"Message-ID: <a1@example.com>\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\nIn-Reply-To: <q1@example.org>\r\n"
    b"References: <q1@example.org>\r\nAuto-Submitted: auto-replied\r\nX-Fte-Delivery: d-17\r\n\r\nHere it is.\r\n"
)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def refused(request: Any) -> tuple[int, str]:
    with pytest.raises(HttpError) as raised:
        request.execute()
    return raised.value.status_code, raised.value.reason


def test_a_sent_answer_is_in_its_thread_and_left_byte_for_byte(gmail: Any, mailbox: Any) -> None:
    """`_control/sent` gives the very bytes; the answer stands in SENT, in the customer's thread, with its headers."""
    asked = gmail.post("inbound", QUESTION)
    body = {"raw": b64(ANSWER), "threadId": asked["threadId"]}
    answer = mailbox.messages().send(userId="me", body=body).execute()
    assert answer["labelIds"] == ["SENT"]
    assert answer["threadId"] == asked["threadId"] != answer["id"]
    [sent] = gmail.get("sent")
    assert set(sent) == {"id", "threadId", "raw", "at"}
    assert (sent["id"], sent["threadId"]) == (answer["id"], asked["threadId"])
    assert base64.urlsafe_b64decode(sent["raw"]) == ANSWER
    assert datetime.fromisoformat(sent["at"]).tzinfo
    found = mailbox.messages().list(userId="me", q="in:sent rfc822msgid:a1@example.com").execute()
    assert [message["id"] for message in found["messages"]] == [answer["id"]]


def test_the_customers_next_message_joins_the_thread(gmail: Any, mailbox: Any) -> None:
    asked = gmail.post("inbound", QUESTION)
    mailbox.messages().send(userId="me", body={"raw": b64(ANSWER), "threadId": asked["threadId"]}).execute()
    again = QUESTION.replace(b"<q1@example.org>", b"<q2@example.org>\r\nIn-Reply-To: <a1@example.com>")
    assert gmail.post("inbound", again.replace(b"Invoice", b"Re: Invoice"))["threadId"] == asked["threadId"]


@pytest.mark.parametrize(
    ("spoiled", "by"),
    [(b"Subject: Re: Invoice", b"Subject: Something else"), (b"<q1@example.org>", b"<x@example.org>")],
)
def test_a_thread_id_alone_does_not_thread(gmail: Any, mailbox: Any, spoiled: bytes, by: bytes) -> None:
    """Subject and references must match as well, as Gmail's reference says."""
    asked = gmail.post("inbound", QUESTION)
    body = {"raw": b64(ANSWER.replace(spoiled, by)), "threadId": asked["threadId"]}
    assert mailbox.messages().send(userId="me", body=body).execute()["threadId"] != asked["threadId"]


def test_missing_headers_are_set_and_a_foreign_sender_replaced(gmail: Any, mailbox: Any) -> None:
    """What left has a Message-ID, a Date and the mailbox as From; the rest is untouched."""
    raw = b"From: Boss <boss@example.net>\r\nTo: ana@example.org\r\nSubject: Hi\r\n\r\nFrom: the body\r\n"
    mailbox.messages().send(userId="me", body={"raw": b64(raw)}).execute()
    left = base64.urlsafe_b64decode(gmail.get("sent")[0]["raw"])
    message = email.message_from_bytes(left)
    assert message["From"] == "Boss <support@example.com>"
    assert message.get_all("From") is not None
    assert len(message.get_all("From") or []) == 1
    assert message["Message-ID"].endswith("@mail.gmail.com>")
    assert message["Date"]
    assert left.endswith(b"To: ana@example.org\r\nSubject: Hi\r\n\r\nFrom: the body\r\n")


def test_a_message_to_ourselves_comes_in_too(gmail: Any, mailbox: Any) -> None:
    raw = b"From: support@example.com\r\nTo: support@example.com\r\n\r\nnote\r\n"
    sent = mailbox.messages().send(userId="me", body={"raw": b64(raw)}).execute()
    assert set(sent["labelIds"]) == {"SENT", "INBOX", "UNREAD"}


@pytest.mark.parametrize("with_metadata", [True, False])
def test_media_uploads_carry_the_message_unchanged(gmail: Any, mailbox: Any, with_metadata: bool) -> None:
    """Both forms of /upload/: the message alone, and multipart/related with the thread."""
    asked = gmail.post("inbound", QUESTION)
    media = MediaInMemoryUpload(ANSWER, mimetype="message/rfc822")
    body = {"threadId": asked["threadId"]} if with_metadata else None
    request = mailbox.messages().send(userId="me", body=body, media_body=media)
    request.uri = request.uri.replace("https://", "http://")  # the client knows no plain media endpoint
    sent = request.execute()
    assert sent["threadId"] == asked["threadId"]
    # The client's multipart writer ends lines in \n; nothing else may differ.
    left = base64.urlsafe_b64decode(gmail.get("sent")[0]["raw"])
    assert left.replace(b"\r\n", b"\n").rstrip(b"\n") == ANSWER.replace(b"\r\n", b"\n").rstrip(b"\n")


def test_sending_refuses_what_gmail_refuses(gmail: Any, mailbox: Any) -> None:
    """No recipient, no message, bad base64, an unknown thread; nothing leaves."""
    messages = mailbox.messages()
    nobody = {"raw": b64(b"Subject: x\r\n\r\ny")}
    assert refused(messages.send(userId="me", body=nobody)) == (400, "Recipient address required")
    wrong = {"raw": b64(b"To: nonsense\r\n\r\ny")}
    assert refused(messages.send(userId="me", body=wrong)) == (400, "Invalid To header")
    assert refused(messages.send(userId="me", body={}))[0] == 400
    assert refused(messages.send(userId="me", body={"raw": "!"}))[0] == 400
    elsewhere = {"raw": b64(ANSWER), "threadId": "0123456789abcdef"}
    assert refused(messages.send(userId="me", body=elsewhere)) == (404, "Requested entity was not found.")
    assert gmail.get("sent") == []


def test_a_sent_draft_is_gone_and_a_new_message_stands_in_its_thread(gmail: Any, mailbox: Any) -> None:
    """The draft answers 404 from then on: sending it twice cannot send twice."""
    asked = gmail.post("inbound", QUESTION)
    message = {"raw": b64(ANSWER), "threadId": asked["threadId"]}
    draft = mailbox.drafts().create(userId="me", body={"message": message}).execute()
    assert draft["message"]["labelIds"] == ["DRAFT"]
    assert draft["message"]["threadId"] == asked["threadId"]
    shown = mailbox.drafts().get(userId="me", id=draft["id"], format="raw").execute()
    assert base64.urlsafe_b64decode(shown["message"]["raw"]) == ANSWER
    assert gmail.get("sent") == []
    sent = mailbox.drafts().send(userId="me", body={"id": draft["id"]}).execute()
    assert sent["labelIds"] == ["SENT"]
    assert sent["threadId"] == asked["threadId"]
    assert sent["id"] != draft["message"]["id"]
    for late in (
        mailbox.drafts().send(userId="me", body={"id": draft["id"]}),
        mailbox.drafts().get(userId="me", id=draft["id"]),
        mailbox.drafts().delete(userId="me", id=draft["id"]),
        mailbox.messages().get(userId="me", id=draft["message"]["id"]),
    ):
        assert refused(late)[0] == 404
    assert [base64.urlsafe_b64decode(entry["raw"]) for entry in gmail.get("sent")] == [ANSWER]


def test_drafts_are_listed_replaced_and_deleted(mailbox: Any) -> None:
    """Replacing keeps the draft's id and changes its message's; deleting leaves nothing."""
    first = mailbox.drafts().create(userId="me", body={"message": {"raw": b64(ANSWER)}}).execute()
    other = {"message": {"raw": b64(ANSWER.replace(b"Here", b"There"))}}
    replaced = mailbox.drafts().update(userId="me", id=first["id"], body=other).execute()
    assert replaced["id"] == first["id"]
    assert replaced["message"]["id"] != first["message"]["id"]
    listed = mailbox.drafts().list(userId="me").execute()
    assert [draft["message"]["id"] for draft in listed["drafts"]] == [replaced["message"]["id"]]
    assert mailbox.drafts().delete(userId="me", id=first["id"]).execute() == ""
    assert mailbox.drafts().list(userId="me").execute() == {"resultSizeEstimate": 0}


def test_a_draft_may_be_changed_as_it_is_sent(gmail: Any, mailbox: Any) -> None:
    draft = mailbox.drafts().create(userId="me", body={"message": {"raw": b64(ANSWER)}}).execute()
    final = ANSWER.replace(b"Here", b"There")
    mailbox.drafts().send(userId="me", body={"id": draft["id"], "message": {"raw": b64(final)}}).execute()
    assert base64.urlsafe_b64decode(gmail.get("sent")[0]["raw"]) == final
