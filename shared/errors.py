"""What can go wrong, as the source of an event or a request sees it.

    FteError
    ├── Permanent   422   the same input can never succeed: no retry, straight to the dead letters
    │   └── Rejected  4xx   a request we refuse at the door (signature, token, size, schema)
    ├── Retryable   503   a fault of ours or of a dependency: the sender tries again
    └── Duplicate   200   already done: the sender is told so and stops

Anything else is a bug: 500, retried, then dead-lettered.

No message of these errors may carry personal data: they reach logs, response bodies and
the `knativeerrordata` of dead letters.
"""

from __future__ import annotations


class FteError(Exception):
    """Base of every error the system raises on purpose.

    `reason` is a short machine-readable word (`bad-signature`), `str(error)` a sentence for a person.
    """

    status = 500
    reason = "error"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        if reason is not None:
            self.reason = reason


class Permanent(FteError):
    """The input can never succeed; retrying it would only delay those behind it."""

    status = 422
    reason = "permanent"


class Rejected(Permanent):
    """A request refused at the door. `field` names what is wrong with it, never its value.

    `retry_after_s`: whole seconds after which the same request may succeed; a 429 says them.
    """

    reason = "rejected"

    def __init__(
        self,
        message: str,
        *,
        status: int,
        reason: str | None = None,
        field: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message, reason=reason)
        self.status = status
        self.field = field
        self.retry_after_s = retry_after_s


class Retryable(FteError):
    """A dependency is away or busy: the same input may succeed later."""

    status = 503
    reason = "unavailable"


class Duplicate(FteError):
    """The work was done before; nothing is left to do."""

    status = 200
    reason = "duplicate"
