"""What an earlier contact was about: something that was said, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.agent.earlier import earlier_contact
from shared.channels.message import Channel
from shared.conversations.history import Said

AT = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
HERE, THERE = UUID(int=1), UUID(int=2)


def said(text: str, *, subject: str = "", where: UUID = THERE, channel: Channel = Channel.WHATSAPP) -> Said:
    """A message of the customer's."""
    return Said(where, "customer", channel, subject, text, AT)


@pytest.mark.parametrize("last", ["YES", "hi there", "thanks!", "👍", "still doesnt work", "no"])
def test_what_says_nothing_is_not_quoted(last: str) -> None:
    """The first message with content is, whatever came last; where there is none only day and channel are told."""
    found = earlier_contact([said("hi"), said("how do I export my hours?"), said(last)], Channel.EMAIL, HERE)
    assert found is not None
    assert found.subject == "how do I export my hours?"
    alone = earlier_contact([said(last)], Channel.EMAIL, HERE)
    assert alone is not None
    assert (alone.channel, alone.subject) == (Channel.WHATSAPP, "")


def test_the_subject_tells_it_before_the_words() -> None:
    """A mail's subject is what it is called by."""
    mails = [said("Good morning, a question.", subject="Export of hours", channel=Channel.EMAIL)]
    found = earlier_contact(mails, Channel.WHATSAPP, HERE)
    assert found is not None
    assert found.subject == "Export of hours"


def test_a_matter_of_two_channels_is_named_on_the_other() -> None:
    """Who was linked sees two channels, and cannot know that both are one matter here."""
    found = earlier_contact([said("how do I export my hours?", where=HERE)], Channel.EMAIL, HERE)
    assert found is not None
    assert found.subject == "how do I export my hours?"
    assert earlier_contact([said("how do I export?", where=HERE)], Channel.WHATSAPP, HERE) is None
