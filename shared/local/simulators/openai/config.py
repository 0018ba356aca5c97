"""What the OpenAI simulator is told, as arguments (`--latency-ms`) or environment (`OPENAI_SIMULATOR_LATENCY_MS`)."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.local.simulators.serve import SimulatorConfig


class OpenAIConfig(SimulatorConfig):
    """One endpoint with scripted answers; it keeps nothing, so `state` is not used."""

    model_config = SettingsConfigDict(env_prefix="OPENAI_SIMULATOR_", cli_kebab_case=True, frozen=True)

    api_key: str = Field("", description="empty: any key is accepted")
    models: tuple[str, ...] = ("gpt-4.1-mini", "text-embedding-3-small")
    latency_ms: int = Field(0, description="of every completion, milliseconds")
    default_content: str = Field("Thank you for your message.", description="the answer when no turn is scripted")
    embedding_dimensions: int = 1_536
