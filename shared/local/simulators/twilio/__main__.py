"""`python -m shared.local.simulators.twilio --port P --webhook-url URL [--state DIR] …` (`--help` lists all)."""

from pydantic_settings import CliApp

from shared.local.simulators.serve import run
from shared.local.simulators.twilio.app import create_app
from shared.local.simulators.twilio.config import TwilioConfig

if __name__ == "__main__":
    config = CliApp.run(TwilioConfig)
    run(create_app(config), config)
