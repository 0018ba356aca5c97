"""Reading a mailbox through Google's own client."""

from __future__ import annotations

import base64
import re
import time
from email.message import EmailMessage
from typing import Any

import httpx
import pytest
from google.auth.exceptions import RefreshError
from googleapiclient.errors import HttpError

LATIN = (
    b"From: =?iso-8859-1?Q?J=FCrgen?= <jurgen@example.org>\r\n"
    b"To: support@example.com\r\nSubject: =?utf-8?b?w4RyZ2Vy?=\r\nMessage-ID: <latin@example.org>\r\n"
    b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xfc\xdfe"
)


def mail(subject: str = "Invoice", **headers: str) -> bytes:
    lines = {"From": "Ana <ana@example.org>", "To": "support@example.com", "Subject": subject}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{head}\r\nWhere is my invoice for March?\r\n".encode()


def raw_of(mailbox: Any, message_id: str) -> bytes:
    return base64.urlsafe_b64decode(mailbox.messages().get(userId="me", id=message_id, format="raw").execute()["raw"])


def test_an_inbound_message_is_stored_header_for_header(gmail: Any, mailbox: Any) -> None:
    """Not a byte is added, so a message without Authentication-Results stays without one."""
    odd = b"received: by x\nFROM: a@example.org\nX-Odd:   two  spaces\n\tand a fold\n\nno line end"
    put = gmail.post("inbound", odd)
    assert re.fullmatch(r"[0-9a-f]{16}", put["id"])
    assert put["threadId"] == put["id"]
    assert raw_of(mailbox, put["id"]) == odd


def test_an_inbound_message_is_unread_in_the_inbox(gmail: Any, mailbox: Any) -> None:
    """Labels, times and sizes are Gmail's: internalDate in milliseconds of arrival."""
    before = time.time() * 1000
    put = gmail.post("inbound", mail())
    got = mailbox.messages().get(userId="support@example.com", id=put["id"], format="minimal").execute()
    assert set(got["labelIds"]) == {"INBOX", "UNREAD"}
    assert before - 1 <= int(got["internalDate"]) <= time.time() * 1000
    assert got["snippet"] == "Where is my invoice for March?"
    assert got["sizeEstimate"] == len(mail())
    assert "payload" not in got


def test_the_full_format_is_the_tree_of_parts(gmail: Any, mailbox: Any) -> None:
    """Parts are numbered, text comes inline, an attachment by a token that attachments.get answers."""
    built = EmailMessage()
    built["From"], built["To"], built["Subject"] = "a@example.org", "support@example.com", "Tree"
    built.set_content("plain words")
    built.add_alternative("<p>html words</p>", subtype="html")
    built.add_attachment(b"\x00\x01PDF", maintype="application", subtype="pdf", filename="march.pdf")
    put = gmail.post("inbound", bytes(built))
    payload = mailbox.messages().get(userId="me", id=put["id"]).execute()["payload"]
    assert payload["mimeType"] == "multipart/mixed"
    assert {"name": "Subject", "value": "Tree"} in payload["headers"]
    alternative, attached = payload["parts"]
    assert [part["partId"] for part in alternative["parts"]] == ["0.0", "0.1"]
    assert base64.urlsafe_b64decode(alternative["parts"][0]["body"]["data"]) == b"plain words\n"
    assert attached["filename"] == "march.pdf"
    assert "data" not in attached["body"]
    token = attached["body"]["attachmentId"]
    body = mailbox.messages().attachments().get(userId="me", messageId=put["id"], id=token).execute()
    assert base64.urlsafe_b64decode(body["data"]) == b"\x00\x01PDF"
    assert body["size"] == attached["body"]["size"] == 5


def test_text_comes_in_utf8_and_headers_decoded(gmail: Any, mailbox: Any) -> None:
    """Whatever charset the sender used, `body.data` is UTF-8, as Gmail normalises it."""
    put = gmail.post("inbound", LATIN)
    payload = mailbox.messages().get(userId="me", id=put["id"]).execute()["payload"]
    headers = {header["name"]: header["value"] for header in payload["headers"]}
    assert headers["Subject"] == "Ärger"
    assert headers["From"] == "Jürgen <jurgen@example.org>"
    assert base64.urlsafe_b64decode(payload["body"]["data"]).decode() == "Grüße"


def test_large_text_is_an_attachment_too(gmail: Any, mailbox: Any) -> None:
    put = gmail.post("inbound", mail() + b"x" * 1_100_000)
    body = mailbox.messages().get(userId="me", id=put["id"]).execute()["payload"]["body"]
    got = mailbox.messages().attachments().get(userId="me", messageId=put["id"], id=body["attachmentId"]).execute()
    assert got["size"] == body["size"] > 1_100_000


def test_metadata_gives_only_the_headers_asked_for(gmail: Any, mailbox: Any) -> None:
    put = gmail.post("inbound", mail())
    get = mailbox.messages().get(userId="me", id=put["id"], format="metadata", metadataHeaders=["subject"])
    payload = get.execute()["payload"]
    assert payload["headers"] == [{"name": "Subject", "value": "Invoice"}]
    assert "body" not in payload


@pytest.mark.parametrize(
    "raw", [b"\x00", b"no headers at all", b"Subject: =?x?q?=\xff\r\n\r\n\xf0\x9f", b"A: b\r\n" * 500]
)
def test_odd_bytes_are_a_message_all_the_same(gmail: Any, mailbox: Any, raw: bytes) -> None:
    """Nothing a stranger can send makes reading it fail."""
    put = gmail.post("inbound", raw)
    assert mailbox.messages().get(userId="me", id=put["id"]).execute()["id"] == put["id"]
    assert raw_of(mailbox, put["id"]) == raw


def test_an_empty_inbound_body_is_refused(gmail: Any) -> None:
    assert httpx.post(f"{gmail.url}/_control/inbound").status_code == 400


def test_a_reply_joins_the_thread_only_with_references_and_subject(gmail: Any, mailbox: Any) -> None:
    """In-Reply-To or References and the same subject, or a thread of its own; prefixes do not count."""
    first = gmail.post("inbound", mail(Message_ID="<1@example.org>"))
    reply = gmail.post("inbound", mail("RE: Fwd: invoice", In_Reply_To="<1@example.org>", Message_ID="<2@example.org>"))
    other = gmail.post("inbound", mail("Another matter", In_Reply_To="<1@example.org>"))
    alone = gmail.post("inbound", mail("Re: Invoice"))
    assert reply["threadId"] == first["threadId"]
    assert len({first["threadId"], other["threadId"], alone["threadId"]}) == 3
    thread = mailbox.threads().get(userId="me", id=first["threadId"], format="minimal").execute()
    assert [message["id"] for message in thread["messages"]] == [first["id"], reply["id"]]
    listed = mailbox.threads().list(userId="me", q="in:inbox").execute()["threads"]
    assert [entry["id"] for entry in listed] == [alone["id"], other["id"], first["id"]]


def test_lists_are_newest_first_and_paged(gmail: Any, mailbox: Any) -> None:
    """Google's own list_next walks all pages; a message that arrives meanwhile shifts nothing."""
    ids = [gmail.post("inbound", mail(f"n{number}"))["id"] for number in range(5)]
    request = mailbox.messages().list(userId="me", maxResults=2)
    found: list[str] = []
    while request is not None:
        page = request.execute()
        found += [message["id"] for message in page["messages"]]
        gmail.post("inbound", mail("meanwhile"))
        request = mailbox.messages().list_next(request, page)
    assert found == ids[::-1]
    assert mailbox.messages().list(userId="me", q="in:sent").execute() == {"resultSizeEstimate": 0}


@pytest.mark.parametrize(
    ("q", "matches"),
    [
        ("in:inbox", True),
        ("in:sent", False),
        ("is:unread label:INBOX", True),
        ("rfc822msgid:<m1@example.org>", True),
        ("rfc822msgid:m1@example.org", True),
        ("rfc822msgid:m2@example.org", False),
        ("from:ana to:support subject:invoice", True),
        ("-from:ana", False),
        ("newer_than:1d", True),
        ("older_than:1d", False),
        ("after:2020/01/01 before:2099/01/01", True),
        ("after:4000000000", False),
        ("march", True),
        ('"my invoice"', True),
        ('"invoice my"', False),
        ("in:anywhere has:attachment", False),
        ("fte-delivery-17", False),
        ("x-fte-delivery:17", False),
    ],
)
def test_search_operators(gmail: Any, mailbox: Any, q: str, matches: bool) -> None:
    """Gmail's documented operators; a private header is not searchable."""
    gmail.post("inbound", mail(Message_ID="<m1@example.org>", X_Fte_Delivery="fte-delivery-17"))
    assert bool(mailbox.messages().list(userId="me", q=q).execute()["resultSizeEstimate"]) is matches


def test_after_takes_seconds(gmail: Any, mailbox: Any) -> None:
    gmail.post("inbound", mail())
    now = int(time.time())
    assert mailbox.messages().list(userId="me", q=f"after:{now - 60}").execute()["resultSizeEstimate"] == 1
    assert mailbox.messages().list(userId="me", q=f"before:{now - 60}").execute()["resultSizeEstimate"] == 0


def test_labels_are_changed_by_modify(gmail: Any, mailbox: Any) -> None:
    put = gmail.post("inbound", mail())
    body = {"removeLabelIds": ["UNREAD", "INBOX"], "addLabelIds": ["TRASH"]}
    got = mailbox.messages().modify(userId="me", id=put["id"], body=body).execute()
    assert got["labelIds"] == ["TRASH"]
    assert mailbox.messages().list(userId="me").execute()["resultSizeEstimate"] == 0
    assert mailbox.messages().list(userId="me", labelIds=["TRASH"]).execute()["resultSizeEstimate"] == 1
    assert "INBOX" in {label["id"] for label in mailbox.labels().list(userId="me").execute()["labels"]}


def test_the_profile_counts(gmail: Any, mailbox: Any) -> None:
    gmail.post("inbound", mail())
    profile = mailbox.getProfile(userId="me").execute()
    assert (profile["emailAddress"], profile["messagesTotal"], profile["threadsTotal"]) == ("support@example.com", 1, 1)
    assert int(profile["historyId"]) > 0


def status_of(request: Any) -> tuple[int, str]:
    with pytest.raises(HttpError) as raised:
        request.execute()
    return raised.value.status_code, raised.value.error_details[0]["reason"]


def test_refusals_are_worded_as_googles(gmail: Any, mailbox: Any) -> None:
    """Status and reason as Google's client reads them."""
    put = gmail.post("inbound", mail())
    assert status_of(mailbox.messages().get(userId="me", id="0123456789abcdef")) == (404, "notFound")
    assert status_of(mailbox.threads().get(userId="me", id="0123456789abcdef")) == (404, "notFound")
    assert status_of(mailbox.getProfile(userId="other@example.com")) == (403, "forbidden")
    assert status_of(mailbox.messages().list(userId="me", pageToken="what")) == (400, "invalidArgument")
    for label in ("SENT", "Label_7"):
        bad = {"addLabelIds": [label]}
        assert status_of(mailbox.messages().modify(userId="me", id=put["id"], body=bad)) == (400, "invalidArgument")


def test_a_wrong_token_is_401_and_a_refresh_token_brings_a_new_one(gmail: Any, mailbox: Any) -> None:
    """Google's client refreshes by itself; when the refresh token is revoked too it raises RefreshError."""
    profile = f"{gmail.url}/gmail/v1/users/me/profile"
    assert httpx.get(profile).json()["error"]["errors"][0]["reason"] == "required"
    wrong = httpx.get(profile, headers={"Authorization": "Bearer ya29.wrong"})
    assert (wrong.status_code, wrong.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert mailbox.getProfile(userId="me").execute()
    gmail.post("tokens/revoke")
    assert mailbox.getProfile(userId="me").execute()
    gmail.post("tokens/revoke", {"refresh_too": True})
    with pytest.raises(RefreshError, match="expired or revoked"):
        mailbox.getProfile(userId="me").execute()


def test_the_token_endpoint_answers_as_googles(gmail: Any) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "r", "client_id": "c", "client_secret": "s"}
    answer = httpx.post(f"{gmail.url}/token", data=form).json()
    assert (answer["expires_in"], answer["token_type"]) == (3599, "Bearer")
    refused = httpx.post(f"{gmail.url}/token", data={"grant_type": "password"})
    assert (refused.status_code, refused.json()["error"]) == (400, "unsupported_grant_type")


def test_reset_empties_the_mailbox_and_keeps_cursors_valid(gmail: Any, mailbox: Any) -> None:
    """A cursor from before a reset still works: it just finds nothing older."""
    cursor = mailbox.getProfile(userId="me").execute()["historyId"]
    gmail.post("inbound", mail())
    gmail.post("reset")
    assert mailbox.messages().list(userId="me").execute() == {"resultSizeEstimate": 0}
    later = gmail.post("inbound", mail())
    history = mailbox.history().list(userId="me", startHistoryId=cursor).execute()["history"]
    assert [entry["messages"][0]["id"] for entry in history] == [later["id"]]
