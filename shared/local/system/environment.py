"""The environment of the functions and simulators on one machine.

What the caller's environment (or `.env`) sets wins. A channel whose real credentials are there uses
the real provider, per channel; the others use their simulator.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.local.system.home import PROJECT
from shared.settings import Settings

FUNCTIONS = ("gmail-push", "whatsapp-webhook", "form-submit", "agent-run", "send-reply", "dlq-review")
ACCOUNT_SID = "AC" + "0" * 31 + "1"
WHATSAPP_FROM = "whatsapp:+12015550100"
PUSH_ACCOUNT = "push@example.iam.gserviceaccount.com"
_CLIENT_ID = "local.apps.example.com"


@dataclass(frozen=True, slots=True)
class Plan:
    """Where everything will listen, and with which keys."""

    ports: Mapping[str, int]
    keys: Mapping[str, str]
    given: Settings

    @property
    def gmail_simulated(self) -> bool:
        """No Gmail credentials are given."""
        return not self.given.gmail_credentials.get_secret_value()

    @property
    def twilio_simulated(self) -> bool:
        """No Twilio account is given; a token alone is the simulator's, for tests that sign themselves."""
        return not (self.given.twilio_account_sid and self.given.twilio_auth_token.get_secret_value())

    def url(self, name: str) -> str:
        """Base URL of a part, without trailing slash."""
        return f"http://127.0.0.1:{self.ports[name]}"

    @property
    def twilio_token(self) -> str:
        """The token that signs and verifies."""
        return self.given.twilio_auth_token.get_secret_value() or self.keys["TWILIO_AUTH_TOKEN"]

    @property
    def webhook_url(self) -> str:
        """The URL that Twilio signs for."""
        return self.given.twilio_webhook_url or self.url("whatsapp-webhook") + "/"


def function_environment(plan: Plan, *, dsn: str, kafka: str) -> dict[str, str]:
    """Every function's environment: the caller's, over ours."""
    ours = {
        "DATABASE_URL": dsn,
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DATABASE_POOL_SIZE": "8",
        "FORM_PUBLIC_URL": plan.url("form-submit"),
        "FTE_DESK_URL": plan.url("dlq-review"),
        "FUNCTION_URLS": ",".join(f"{name}={plan.url(name)}" for name in plan.ports if name in FUNCTIONS),
        "FORM_DIST_DIR": str(PROJECT / "webform" / "dist"),
        "FORM_RATE_EXEMPT": "127.0.0.0/8,::1",
        **{name: value for name, value in plan.keys.items() if name.startswith("FTE_")},
        **_twilio(plan),
        **_gmail(plan),
        "PYTHONUNBUFFERED": "1",
    }
    # Two settings are never the caller's: they name what was started here.
    return {**_overridden(ours), "DATABASE_URL": dsn, "KAFKA_BOOTSTRAP_SERVERS": kafka}


def keys_in_use(made: Mapping[str, str]) -> dict[str, str]:
    """The keys the functions get: those given, else those made here, by setting name."""
    effective = _overridden(made)
    return {name: effective[name] for name in made}


def simulator_environment(plan: Plan) -> dict[str, str]:
    """The simulators' environment: addresses to call and keys to sign with."""
    return {
        **os.environ,
        "GMAIL_SIMULATOR_MAILBOX": plan.given.gmail_mailbox,
        "GMAIL_SIMULATOR_CLIENT_ID": _CLIENT_ID,
        "GMAIL_SIMULATOR_CLIENT_SECRET": plan.keys["GMAIL_CLIENT_SECRET"],
        "GMAIL_SIMULATOR_REFRESH_TOKEN": plan.keys["GMAIL_REFRESH_TOKEN"],
        "GMAIL_SIMULATOR_PUSH_URL": plan.url("gmail-push") + "/",
        "GMAIL_SIMULATOR_PUSH_AUDIENCE": plan.given.gmail_push_audience or plan.url("gmail-push") + "/",
        "GMAIL_SIMULATOR_PUSH_SERVICE_ACCOUNT": plan.given.gmail_push_service_account or PUSH_ACCOUNT,
        "TWILIO_SIMULATOR_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_SIMULATOR_AUTH_TOKEN": plan.twilio_token.split(",")[0].strip(),
        "TWILIO_SIMULATOR_NUMBER": plan.given.twilio_whatsapp_from or WHATSAPP_FROM,
        "TWILIO_SIMULATOR_WEBHOOK_URL": plan.url("whatsapp-webhook") + "/",
        "TWILIO_SIMULATOR_PUBLIC_URL": plan.webhook_url,
    }


def _overridden(ours: Mapping[str, str]) -> dict[str, str]:
    """`ours` under `.env` under the caller's environment; an empty value of the caller's gives nothing."""
    caller = {name: value for name, value in os.environ.items() if value or name not in ours}
    return {**ours, **_dotenv(), **caller}


def _twilio(plan: Plan) -> dict[str, str]:
    if not plan.twilio_simulated:
        return {}
    return {
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": plan.twilio_token,
        "TWILIO_WEBHOOK_URL": plan.webhook_url,
        "TWILIO_WHATSAPP_FROM": WHATSAPP_FROM,
        "TWILIO_API_BASE_URL": plan.url("twilio"),
    }


def _gmail(plan: Plan) -> dict[str, str]:
    if not plan.gmail_simulated:
        return {}
    return {
        **simulated_mailbox(plan.url("gmail"), plan.keys),
        "GMAIL_CERTS_URL": plan.url("gmail") + "/certs",
        "GMAIL_PUSH_AUDIENCE": plan.url("gmail-push") + "/",
        "GMAIL_PUSH_SERVICE_ACCOUNT": PUSH_ACCOUNT,
    }


def simulated_mailbox(url: str, keys: Mapping[str, str]) -> dict[str, str]:
    """The settings of the mailbox that the simulator at `url` keeps."""
    credentials = {
        "type": "authorized_user",
        "client_id": _CLIENT_ID,
        "client_secret": keys["GMAIL_CLIENT_SECRET"],
        "refresh_token": keys["GMAIL_REFRESH_TOKEN"],
        "token_uri": f"{url}/token",
    }
    return {
        "GMAIL_API_BASE_URL": url,
        "GMAIL_CREDENTIALS": json.dumps(credentials),
        "GMAIL_TOPIC": "projects/local/topics/gmail",
    }


def _dotenv() -> dict[str, str]:
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(Path(PROJECT, ".env")).items() if value}
