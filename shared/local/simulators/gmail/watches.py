"""users.watch: what Gmail publishes, for seven days from each call."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from shared.clock import Clock
from shared.local.simulators.gmail.errors import invalid
from shared.local.simulators.gmail.rows import WatchRow
from shared.local.simulators.journal import Journal, Table

LIFETIME = timedelta(days=7)
_TOPIC = re.compile(r"^projects/[^/]+/topics/[^/]+$")


class Watches:
    """The mailbox's one watch. Until the first call, changes of INBOX are published, so that a
    simulator with a push endpoint works unasked; after it, Gmail's rules hold."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._clock = clock
        self._rows = Table(journal, "watch", WatchRow)

    def start(self, asked: dict[str, Any]) -> WatchRow:
        """Raises GoogleError 400 for a topic that is not a full name."""
        topic = str(asked.get("topicName", ""))
        if not _TOPIC.match(topic):
            raise invalid("Invalid topicName does not match projects/{project}/topics/*")
        behaviour = str(asked.get("labelFilterBehavior") or asked.get("labelFilterAction") or "include")
        row = WatchRow(
            id="watch",
            topic=topic,
            label_ids=tuple(asked.get("labelIds") or ()),
            exclude=behaviour.lower() == "exclude",
            expiration=int((self._clock.now() + LIFETIME).timestamp() * 1000),
        )
        return self._rows.put(row)

    def stop(self) -> None:
        """users.stop, and the lapse of a watch: nothing is published until the next call."""
        row = self._rows.get("watch") or WatchRow(id="watch", topic="", label_ids=(), exclude=False, expiration=0)
        self._rows.put(row.model_copy(update={"expiration": 0}))

    def wants(self, labels: tuple[str, ...]) -> bool:
        """Whether a change of a message with these labels is published now."""
        row = self._rows.get("watch")
        if row is None:
            return "INBOX" in labels
        if row.expiration <= self._clock.now().timestamp() * 1000:
            return False
        return not row.label_ids or bool(set(row.label_ids) & set(labels)) != row.exclude
