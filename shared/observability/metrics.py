"""The metrics every function exposes on `/metrics`, in Prometheus's text format.

Labels are few and closed: channel, outcome, reason, function. No customer appears in a label.
"""

from __future__ import annotations

import os

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Gauge, Histogram, generate_latest

INBOUND = Counter("fte_inbound_messages_total", "messages accepted at a webhook", ["channel"])
REFUSED = Counter("fte_refused_requests_total", "requests refused at the door", ["function", "reason"])
OUTCOMES = Counter("fte_outcomes_total", "messages by outcome", ["channel", "outcome", "reason"])
RECOGNISED = Counter(
    "fte_recognised_total",
    "messages stored and not ignored, by whether their sender was known: yes, no, or claimed",
    ["channel", "known"],
)
MOODS = Counter(
    "fte_message_moods_total",
    "messages stored and not ignored, by how they sound: very-negative, negative, neutral, positive",
    ["channel", "mood"],
)
TURN_SECONDS = Histogram(
    "fte_turn_seconds",
    "from picking up a turn to its commit",
    ["channel"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 25),
)
DELIVERIES = Counter("fte_deliveries_total", "delivery attempts by result", ["channel", "result"])
DELIVERED_SECONDS = Histogram(
    "fte_delivered_seconds",
    "from arrival to delivery",
    ["channel"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300),
)
TOOL_CALLS = Counter("fte_tool_calls_total", "calls of the agent's tools", ["tool", "result"])
TOKENS = Counter("fte_model_tokens_total", "tokens spent on the model", ["model", "kind"])
COST = Counter("fte_model_cost_usd_total", "what the model cost, as far as MODEL_PRICES knows", ["model"])
SEARCHED_BY_WORDS = Counter(
    "fte_searches_without_vectors_total", "searches by words alone, by why the question had no vector", ["reason"]
)
DEAD_LETTERS = Counter("fte_dead_letters_total", "events that reached the desk as dead letters", ["topic", "cause"])
FOLLOW_UPS = Counter("fte_follow_ups_total", "follow-ups that came due, and what became of them", ["channel", "result"])
SWEPT = Counter("fte_swept_total", "things the sweep found due", ["kind"])
RATINGS = Counter("fte_ratings_total", "ratings given, a changed one again", ["channel", "score"])
SURVEYS = Counter(
    "fte_surveys_total",
    "tickets closed, by whether their customer was asked how content they are: asked, or why not",
    ["channel", "result"],
)
WAITING_FOR_PERSON = Gauge(
    "fte_waiting_for_person", "conversations whose customer has waited for a person for longer than HUMAN_IDLE_H"
)
CHALLENGES = Counter("fte_challenges_total", "challenges of the form's page by result", ["result"])
VERIFICATION_MAILS = Counter(
    "fte_verification_mails_total", "links to typed addresses: posted, or held since too many went out", ["result"]
)
REQUEST_SECONDS = Histogram("fte_request_seconds", "time to answer a request", ["function", "status"])
CHANNEL_UP = Gauge("fte_channel_up", "1 while the channel's provider answers", ["channel"])

WATCH_EXPIRES = Gauge(
    "fte_gmail_watch_expires_timestamp_seconds", "until when Gmail pushes, in seconds since 1970; 0: no watch"
)
#: Copies on one machine share an address: whoever adds their counters up must know whose they are.
PROCESS = Gauge("fte_process_info", "1; the process that answered", ["pid"])


def exposition() -> tuple[bytes, str]:
    """The registry as bytes, and their content type."""
    # Said now, not at import: a process that was forked since has another number.
    PROCESS.clear()
    PROCESS.labels(str(os.getpid())).set(1)
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
