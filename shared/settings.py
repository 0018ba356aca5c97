"""Every setting of the system, read from the environment (and `.env` beside the project).

A setting's environment name is its field name in capitals. Secrets are `SecretStr`, so that a
log line or a traceback shows stars. Nothing is read at import: call `Settings()`.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.errors import Permanent


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


def _prices(entries: tuple[str, ...]) -> tuple[str, ...]:
    for entry in entries:
        name, *prices = entry.rsplit(":", 2)
        if not name or len(prices) != 2 or not all(0 <= float(price) < float("inf") for price in prices):
            raise ValueError("give model:input:output, such as gpt-4.1-mini:0.4:1.6")
    return entries


Prices = Annotated[CommaSeparated, AfterValidator(_prices)]

#: What is compared or signed to the letter: white space that came along with a copied address is no part of it.
Stripped = Annotated[str, StringConstraints(strip_whitespace=True)]


class Settings(BaseSettings):
    """One flat object; each function reads the part it needs."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    # -- the function ---------------------------------------------------------------------------
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    max_request_bytes: int = Field(default=1_048_576, description="a larger request is answered 413")

    # -- PostgreSQL -----------------------------------------------------------------------------
    database_url: SecretStr = Field(
        default=SecretStr(""), description="DSN of the CRM, as a role that is not superuser"
    )
    database_pool_size: int = Field(default=8, description="connections one process may hold")
    database_timeout_s: float = 10.0

    # -- Kafka ----------------------------------------------------------------------------------
    kafka_bootstrap_servers: str = ""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT"] = "PLAINTEXT"
    kafka_sasl_mechanism: str = ""
    kafka_sasl_username: str = ""
    kafka_sasl_password: SecretStr = SecretStr("")
    kafka_publish_timeout_s: float = Field(default=8.0, description="how long a webhook waits for the brokers' acks")

    # -- keys (generated for local use by `fte up`) ---------------------------------------------
    fte_master_key: SecretStr = Field(
        default=SecretStr(""), description="wraps customers' data keys: `id:base64` pairs, newest first"
    )
    fte_lookup_key: SecretStr = Field(
        default=SecretStr(""), description="base64, 32 bytes: keyed hashes of identifiers"
    )
    fte_event_key: SecretStr = Field(
        default=SecretStr(""),
        description="base64, 32 bytes: signs events (`ftesig`); two, comma-separated, while rotating",
    )
    fte_ticket_key: SecretStr = Field(
        default=SecretStr(""),
        description="base64, 32 bytes: ticket ids and tokens; two, comma-separated, while rotating",
    )
    fte_operator_token: SecretStr = Field(default=SecretStr(""), description="bearer token of the desk")

    # -- Gmail and Pub/Sub ----------------------------------------------------------------------
    gmail_mailbox: str = "support@example.com"
    gmail_aliases: CommaSeparated = ()
    gmail_api_base_url: str = "https://gmail.googleapis.com"
    gmail_credentials: SecretStr = Field(default=SecretStr(""), description="JSON: authorized_user or service_account")
    gmail_topic: str = Field(default="", description="Pub/Sub topic that users.watch publishes to")
    gmail_push_audience: str = Field(default="", description="`aud` of the push tokens; the subscription's setting")
    gmail_push_service_account: str = Field(default="", description="`email` of the push tokens")
    gmail_certs_url: str = "https://www.googleapis.com/oauth2/v3/certs"
    gmail_authserv_id: str = Field(default="mx.google.com", description="whose Authentication-Results are believed")

    # -- WhatsApp (Twilio) ----------------------------------------------------------------------
    twilio_account_sid: str = ""
    twilio_auth_token: SecretStr = Field(
        default=SecretStr(""), description="one, or two comma-separated while rotating"
    )
    twilio_webhook_url: Stripped = Field(default="", description="the exact public URL that Twilio calls")
    twilio_whatsapp_from: str = Field(default="", description="our sender, E.164 or whatsapp:+…")
    twilio_api_base_url: str = "https://api.twilio.com"
    twilio_template_sid: str = Field(
        default="", description="HX…: approved template that asks to write back, with {{1}} for the company's name"
    )
    twilio_template_sids: CommaSeparated = Field(
        default=(), description="the same in other languages: `de:HX…`, comma-separated"
    )
    whatsapp_window_margin_s: float = Field(
        default=600.0, description="how long before WhatsApp's 24 hours are over we take them for over"
    )

    # -- web form -------------------------------------------------------------------------------
    form_public_url: Stripped = Field(default="", description="public base URL of form-submit")
    form_allowed_origins: CommaSeparated = ("*",)
    form_dist_dir: str = Field(
        default="", description="folder of the built web form; empty: webform/dist beside the project"
    )
    form_mail_answers: bool = Field(
        default=True, description="answers on a ticket's page are mailed too, to addresses that are confirmed"
    )
    form_min_ms: int = Field(default=1500, description="the page is sent no sooner after it was opened")
    form_max_file_bytes: int = Field(default=10_000_000, le=16_000_000, description="of one attached file")
    form_max_files: int = Field(default=5, ge=1, le=20, description="attached at once")
    form_max_upload_bytes: int = Field(default=26_000_000, description="of one request that attaches files")
    form_rate_client: str = Field(
        default="60/minute; 600/hour", description="sendings from one address (IPv6: /64), in the words of `limits`"
    )
    form_rate_email: str = Field(
        default="10/hour; 30/day",
        description="tickets for one e-mail address: of a signed visitor, or claimed from one client's network",
    )
    form_rate_address: str = Field(
        default="200/hour; 600/day", description="tickets that claim one e-mail address, from all networks together"
    )
    form_rate_ticket: str = Field(default="30/minute; 200/hour", description="messages and files on one ticket")
    form_rate_exempt: CommaSeparated = Field(default=(), description="networks that no rate and no minimum time binds")
    form_trusted_proxies: CommaSeparated = Field(
        default=(), description="X-Forwarded-For is believed of these networks, or of so many hops"
    )
    form_identity_key: SecretStr = Field(
        default=SecretStr(""),
        description="signs visitors' tokens: 32 or more characters; two, comma-separated, while rotating",
    )
    form_identity_max_s: int = Field(default=3600, description="the longest that a visitor's token may be good for")
    form_challenge_url: str = Field(default="", description="siteverify of Turnstile, hCaptcha or reCAPTCHA")
    form_challenge_secret: SecretStr = SecretStr("")
    form_challenge_kind: Literal["", "turnstile", "hcaptcha", "recaptcha"] = ""
    form_challenge_site_key: str = Field(default="", description="public; told to the page")
    form_challenge_timeout_s: float = 3.0

    # -- the agent ------------------------------------------------------------------------------
    openai_api_key: SecretStr = SecretStr("")
    openai_base_url: str = ""
    openai_api: Literal["chat", "responses"] = "chat"
    agent_model: str = "gpt-4.1-mini"
    model_prices: Prices = Field(
        default=(), description="US dollars for a million tokens, `model:input:output`, comma-separated"
    )
    agent_turn_timeout_s: float = 25.0
    agent_max_tokens: int = Field(
        default=200_000, ge=1_000, description="tokens in and out of a turn; beyond it the offline model answers"
    )
    agent_max_attempts: int = Field(
        default=4, description="the Nth failed turn goes to a person instead of sweeping for ever"
    )
    escalation_policy: Literal["strict", "published"] = "strict"
    company_name: str = "Tideline"
    support_team_name: str = "Tideline Support"

    # -- conversations --------------------------------------------------------------------------
    lease_s: float = Field(default=40.0, description="longer than a turn, shorter than the request")
    turns_per_request: int = 2
    whatsapp_quiet_s: float = Field(default=1.2, description="silence a WhatsApp turn waits for; 0 in benchmarks")
    whatsapp_quiet_max_s: float = 4.0
    conversation_idle_h: float = Field(default=72.0, description="after which a new message starts a new conversation")
    history_messages: int = 20
    mail_loop_window_h: float = Field(
        default=24.0,
        description="an e-mail whose text was answered twice within this time goes to a person, unanswered",
    )
    whatsapp_loop_window_h: float = Field(
        default=24.0, description="the same on WhatsApp, for what was answered four times"
    )
    whatsapp_max_per_h: int = Field(default=60, description="more messages an hour from a number go to a person")
    whatsapp_max_per_d: int = Field(default=300, description="more messages a day from a number go to a person")
    mail_thread_max_per_h: int = Field(default=10, description="more e-mails an hour in a thread go to a person")
    mail_thread_max_per_d: int = Field(default=30, description="more e-mails a day in a thread go to a person")
    mail_sender_max_per_h: int = Field(default=30, description="more e-mails an hour from a sender go to a person")
    mail_claimed_max_per_h: int = Field(default=3, description="answers an hour to an address that is only claimed")
    mail_claimed_max_per_d: int = Field(default=10, description="answers a day to an address that is only claimed")

    # -- customers ------------------------------------------------------------------------------
    verification_link_d: float = Field(default=7.0, description="how long a link that verifies an address is valid")
    verification_mails_max_per_h: int = Field(
        default=300, ge=1, description="links mailed to typed addresses in all; beyond it none is, and a metric says so"
    )
    number_stale_d: int = Field(
        default=180, ge=1, description="a phone number unseen for longer is another person's until proven"
    )

    # -- satisfaction ---------------------------------------------------------------------------
    csat_ask: bool = Field(
        default=True, description="a customer whose ticket is closed is asked once how content they are"
    )
    csat_reply_h: float = Field(
        default=24.0, gt=0, description="how long a bare number on WhatsApp answers that question"
    )
    csat_link_d: float = Field(default=30.0, gt=0, description="how long the link in its mail works")

    # -- delivery -------------------------------------------------------------------------------
    provider_timeout_s: float = Field(default=10.0, description="hard deadline of one call to a provider")
    delivery_claim_margin_s: float = 5.0
    delivery_max_age_h: float = Field(default=24.0, description="a delivery deferred for longer goes to a person")
    delivery_unknown_max_s: float = Field(default=300.0, description="an outcome unknown for longer goes to a person")

    # -- MCP ------------------------------------------------------------------------------------
    mcp_token: SecretStr = Field(
        default=SecretStr(""), description="bearer token of `fte mcp --http`; without it loopback alone is served"
    )

    # -- desk -----------------------------------------------------------------------------------
    fte_desk_url: str = Field(default="", description="base URL of dlq-review, for kn-fte")
    fte_operator: str = Field(default="", description="the operator's name, for kn-fte; else the login's")
    function_urls: CommaSeparated = Field(
        default=(), description="where the desk asks each function how it is: `agent-run=http://…`, comma-separated"
    )
    human_idle_h: float = Field(
        default=24.0,
        ge=0,
        description="a conversation that a person answered and left this long is the agent's again; one whose customer"
        " waits this long for a person is alarmed of; 0: neither",
    )


def key_bytes(secret: SecretStr, name: str) -> bytes:
    """The 32 bytes of one base64 key.

    Raises Permanent, naming the setting, when it is missing or not 32 bytes.
    """
    return key_list(secret, name)[0]


def key_list(secret: SecretStr, name: str) -> tuple[bytes, ...]:
    """All keys of a comma-separated setting, newest first; the first signs, all verify."""
    parts = [part.strip() for part in secret.get_secret_value().split(",") if part.strip()]
    if not parts:
        raise Permanent(f"{name} is not set: give it 32 random bytes in base64", reason="missing-key")
    return tuple(_decode(part, name) for part in parts)


def _decode(part: str, name: str) -> bytes:
    try:
        raw = base64.b64decode(part, validate=True)
    except binascii.Error:
        raise Permanent(f"{name} is not base64", reason="bad-key") from None
    if len(raw) != 32:
        raise Permanent(f"{name} must be 32 bytes in base64, not {len(raw)}", reason="bad-key")
    return raw
