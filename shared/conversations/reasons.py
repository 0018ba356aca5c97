"""Why a person has a matter, as operators read it; what the agent finds is shared.agent.escalation.Reason.

Each has its line in specs/runbooks/takeover.md, which a test holds to it.
"""

from __future__ import annotations

from enum import StrEnum


class HandedOver(StrEnum):
    """Besides `delivery-failed:` and a code, where a reply could not be sent."""

    WITH_PERSON = "with-person"
    TAKEOVER = "takeover"
    REPEATED_TEXT = "repeated-text"
    TOO_MANY = "too-many-messages"
    REPEATED_FAILURE = "repeated-failure"
    UNLINKED = "unlinked"
    UNMERGED = "unmerged"
    #: Of a fault that no retry mends (shared.errors.Permanent): sealed texts that do not open, a refused statement.
    BAD_CIPHERTEXT = "bad-ciphertext"
    BAD_KEY = "bad-key"
    MISSING_KEY = "missing-key"
    DATABASE_REFUSED = "database-refused"
