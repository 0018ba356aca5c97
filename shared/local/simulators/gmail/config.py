"""What the Gmail simulator is told, as arguments (`--push-url`) or environment (`GMAIL_SIMULATOR_PUSH_URL`)."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.local.simulators.serve import SimulatorConfig


class GmailConfig(SimulatorConfig):
    """One mailbox, its OAuth client and its Pub/Sub push subscription."""

    model_config = SettingsConfigDict(env_prefix="GMAIL_SIMULATOR_", cli_kebab_case=True, frozen=True)

    mailbox: str = "support@example.com"
    aliases: list[str] = Field([], description="further addresses that may stand in From")
    client_id: str = Field("", description="empty: any client is accepted")
    client_secret: str = ""
    refresh_token: str = Field("", description="empty: any refresh token is accepted")
    service_account: str = Field("", description="`iss` that domain-wide delegation is granted to; empty: any")

    push_url: str = Field("", description="push endpoint; empty: notifications go nowhere")
    push_audience: str = Field("", description="`aud` of the push token; empty: the push endpoint, as at Pub/Sub")
    push_service_account: str = "push@example.iam.gserviceaccount.com"
    push_subscription: str = "projects/local/subscriptions/gmail"
    push_ack_deadline_s: float = Field(10.0, description="Pub/Sub's default; an answer after it does not count")
    push_backoff_min_s: float = 0.1
    push_backoff_max_s: float = Field(10.0, description="Pub/Sub goes to 60; less, so that one machine recovers soon")
    push_retention_s: float = Field(3_600.0, description="how long an unacknowledged notification is repeated")

    history_kept: int = Field(10_000, description="history records kept; an older startHistoryId is answered 404")
