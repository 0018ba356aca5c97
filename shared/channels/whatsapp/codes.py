"""Twilio's codes (twilio.com/docs/api/errors) that more than one module must know."""

from __future__ import annotations

#: A message that was taken and then failed, but only for now: a rate, a full queue, too many calls.
FOR_NOW = frozenset({"63018", "30001", "20429"})

#: Ours, of what was not sent to a number that wrote STOP; and Twilio's, where Twilio keeps the list.
OPTED_OUT, OPTED_OUT_CODE = "opted-out", "21610"
STOPPED_CODES = (OPTED_OUT, OPTED_OUT_CODE)
