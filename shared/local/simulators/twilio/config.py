"""What the Twilio simulator is told, as arguments (`--webhook-url`) or environment (`TWILIO_SIMULATOR_WEBHOOK_URL`)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.local.simulators.serve import SimulatorConfig


class TwilioConfig(SimulatorConfig):
    """One account with one WhatsApp sender and the webhook of that sender."""

    model_config = SettingsConfigDict(env_prefix="TWILIO_SIMULATOR_", cli_kebab_case=True, frozen=True)

    account_sid: str = "AC" + "0" * 32
    auth_token: str = Field("", description="of the account; signs what is sent to the webhook")
    number: str = Field("+12015550100", description="our WhatsApp sender, E.164 or whatsapp:+…")
    webhook_url: str = Field("", description="where incoming messages are posted")
    public_url: str = Field("", description="the URL that is signed; empty: the webhook's own")
    base_url: str = Field("", description="where media are fetched from; empty: as the simulator was called")

    webhook_timeout_s: float = Field(15.0, description="Twilio's own limit")
    status_delay_s: float = Field(0.05, description="between two statuses of a message")
    read_receipts: bool = Field(False, description="whether recipients' phones report `read`")
    window_h: float = Field(24.0, description="how long after their last message a person may be written to freely")
    outside_window_status: Literal["failed", "undelivered"] = "failed"

    @property
    def sender(self) -> str:
        """Our sender as Twilio writes it."""
        return "whatsapp:" + self.number.removeprefix("whatsapp:")
