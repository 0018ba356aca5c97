"""`python -m shared.local.simulators.openai --port P [--latency-ms N] …` (`--help` lists all)."""

from pydantic_settings import CliApp

from shared.local.simulators.openai.app import create_app
from shared.local.simulators.openai.config import OpenAIConfig
from shared.local.simulators.serve import run

if __name__ == "__main__":
    config = CliApp.run(OpenAIConfig)
    run(create_app(config), config)
