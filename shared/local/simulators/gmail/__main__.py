"""`python -m shared.local.simulators.gmail --port P [--state DIR] [--push-url URL] …` (`--help` lists all)."""

from pydantic_settings import CliApp

from shared.local.simulators.gmail.app import create_app
from shared.local.simulators.gmail.config import GmailConfig
from shared.local.simulators.serve import run

if __name__ == "__main__":
    config = CliApp.run(GmailConfig)
    run(create_app(config), config)
