"""Twilio's codes (twilio.com/docs/api/errors) that more than one module must know."""

from __future__ import annotations

#: A message that was taken and then failed, but only for now: a rate, a full queue, too many calls.
FOR_NOW = frozenset({"63018", "30001", "20429"})
