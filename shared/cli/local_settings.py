"""Settings for a command on this machine: the environment's, or else those of the system that is up here."""

from __future__ import annotations

from pydantic import SecretStr

from shared.cli.desk_client import local_endpoints
from shared.errors import Permanent
from shared.local.system.environment import keys_in_use, simulated_mailbox
from shared.local.system.home import Home
from shared.settings import Settings


def local_settings() -> Settings:
    """With a database, Kafka and keys: those given, else those made here.

    Raises Permanent when neither environment nor machine has a database.
    """
    given = Settings()
    if given.database_url.get_secret_value():
        return given
    found = local_endpoints()
    if found is None:
        raise Permanent("no database named: set DATABASE_URL, or run `make up`", reason="missing-setting")
    fields = {name.lower(): SecretStr(value) for name, value in keys_in_use(Home.default().keys()).items()}
    known = {name: value for name, value in fields.items() if name in Settings.model_fields}
    more = {"database_url": SecretStr(found["postgres"]), "kafka_bootstrap_servers": found["kafka"]}
    return given.model_copy(update={**known, **more})


def mailbox_settings() -> Settings:
    """The same with a mailbox: the one whose credentials are given, else the simulated one that is up here."""
    settings, found = local_settings(), local_endpoints()
    simulator = (found or {}).get("simulators", {}).get("gmail")
    if settings.gmail_credentials.get_secret_value() or not simulator:
        return settings
    made = {name.lower(): value for name, value in simulated_mailbox(simulator, Home.default().keys()).items()}
    return settings.model_copy(update={**made, "gmail_credentials": SecretStr(made["gmail_credentials"])})
