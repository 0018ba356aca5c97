"""The supervisor: starts everything in order, keeps it alive, and ends it in reverse.

It holds no customer's message: after a kill -9 of everything, the next start finds PostgreSQL's and
Kafka's data where they were and goes on with what was waiting.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from shared.channels.cursors import set_due
from shared.clock import SystemClock
from shared.db.migrate import migrate
from shared.db.pool import Database
from shared.errors import FteError, Rejected
from shared.events.topics import create_topics
from shared.knowledge.embed import open_embedder
from shared.knowledge.ingest import ingest_folder, list_documents
from shared.local.kafka.broker import KafkaBroker, choose_broker
from shared.local.postgres import APP, OWNER, EmbeddedPostgres
from shared.local.private import private_folder, write_private
from shared.local.system.environment import FUNCTIONS, Plan, function_environment, simulator_environment
from shared.local.system.home import PROJECT, Home
from shared.local.system.parts import Part, Program, Server
from shared.settings import Settings

#: Two copies where races only show with two.
COPIES = {"agent-run": 2, "send-reply": 2}
DATABASE = "fte"

Say = Callable[[str], None]


class Supervisor:
    """One machine's system; `parts` in the order they start."""

    def __init__(self, home: Home, say: Say) -> None:
        self.home = home
        self.say = say
        self.parts: dict[str, Part] = {}
        self.durable = True
        #: The desk's, known once `start` has returned.
        self.operator_token = ""
        self._broker: KafkaBroker | None = None
        self._acts = asyncio.Lock()

    async def start(self) -> None:
        """Bring everything up and write the endpoints file. Raises FteError naming what did not come up."""
        self.home.prepare()
        plan = Plan(self.home.ports(), self.home.keys(), Settings())
        self.plan = plan
        postgres = EmbeddedPostgres(
            self.home.folder / "postgres", plan.ports["postgres"], log=self.home.logs / "postgres.log"
        )
        broker = await self._choose_broker(plan)
        await asyncio.gather(self._start_postgres(plan, postgres), self._start_kafka(broker))
        dsn = plan.given.database_url.get_secret_value() or postgres.dsn(APP, DATABASE)
        owner = plan.given.database_url.get_secret_value() or postgres.dsn(OWNER, DATABASE)
        await self._fill(owner, broker)
        environment = function_environment(plan, dsn=dsn, kafka=broker.address)
        self.operator_token = environment["FTE_OPERATOR_TOKEN"]
        await self._start_programs(plan, environment)
        self._write_endpoints(plan, owner, broker)

    async def stop(self) -> None:
        """End everything, the newest first; what fails to end does not keep the rest."""
        self.home.endpoints_file.unlink(missing_ok=True)
        for part in reversed(list(self.parts.values())):
            with suppress(FteError):
                await part.stop()
        if self._broker is not None:
            await self._broker.stop()

    async def act(self, verb: str, name: str) -> None:
        """`stop` or `start` one part. Raises Rejected (404) naming the parts there are."""
        part = self.parts.get(name)
        if part is None:
            known = ", ".join(self.parts)
            raise Rejected(f"there is no part {name!r}: one of {known}", status=404, reason="unknown-part")
        async with self._acts:
            if verb == "stop":
                await part.stop()
            elif not (part.wanted and part.pids()):
                await part.start()

    def state(self) -> list[dict[str, Any]]:
        """Name, state, pids and restarts of every part."""
        return [
            {
                "name": part.name,
                "state": _state(part),
                "pids": part.pids(),
                "restarts": getattr(part, "restarts", 0),
            }
            for part in self.parts.values()
        ]

    async def keep_servers(self) -> None:
        """Bring PostgreSQL and Kafka back when they die without being asked to; runs until cancelled."""
        while True:
            await asyncio.sleep(1.0)
            for part in list(self.parts.values()):
                if isinstance(part, Server) and part.wanted and not part.pids() and not self._acts.locked():
                    self.say(f"{part.name} died: bringing it back")
                    with suppress(FteError, OSError):
                        await part.start()

    async def _choose_broker(self, plan: Plan) -> KafkaBroker:
        broker = await choose_broker(
            self.home.folder / "kafka",
            plan.ports["kafka"],
            given=plan.given.kafka_bootstrap_servers,
            log=self.home.logs / "kafka.log",
        )
        self.durable = broker.durable
        self._broker = broker
        if not broker.durable:
            self.say(
                "warning: Kafka is in memory (Java 17 and Maven give the real one): waiting events are lost at exit"
            )
        return broker

    async def _start_postgres(self, plan: Plan, postgres: EmbeddedPostgres) -> None:
        if plan.given.database_url.get_secret_value():
            return
        self.parts["postgres"] = Server("postgres", postgres, postgres.start, postgres.stop)
        await self.parts["postgres"].start()
        await postgres.create_database(DATABASE)
        self.say("postgres is up")

    async def _start_kafka(self, broker: KafkaBroker) -> None:
        await broker.start()
        if broker.kind != "given":
            self.parts["kafka"] = Server("kafka", broker, broker.resume, broker.suspend, wanted=True)
        self.say(f"kafka is up ({broker.kind})")

    async def _fill(self, owner: str, broker: KafkaBroker) -> None:
        applied = await migrate(owner)
        settings = Settings(kafka_bootstrap_servers=broker.address, database_url=owner)  # pyright: ignore[reportArgumentType]
        created = await create_topics(settings, replication=None if broker.kind == "given" else 1)
        self.say(f"database: {len(applied)} migrations applied; topics: {len(created)} created")
        db = Database.from_settings(settings)
        try:
            self.say(f"knowledge: {await self.store_knowledge(db)}")
            # Mails that came while everything was down are found by the first sweep, not by the next push.
            await set_due(db, "email", SystemClock().now())
        finally:
            await db.close()

    async def store_knowledge(self, db: Database) -> str:
        """Store the company's documents; what became of them, also while the embedding endpoint is away."""
        try:
            async with open_embedder() as embedder:
                return str(await ingest_folder(db, embedder, PROJECT / "context" / "products"))
        except FteError as error:
            # With documents, questions are answered by words or older vectors; a mistake in a document ends the start.
            if not error.reason.startswith("embedder-") or not await list_documents(db):
                raise
            return f"warning: {error}; what is stored is found as before, the sweep and the next start do the rest"

    async def _start_programs(self, plan: Plan, environment: dict[str, str]) -> None:
        simulators = [self._simulator(plan, name) for name in _simulated(plan)]
        await asyncio.gather(*(self._up(program) for program in simulators))
        functions = [self._function(plan, name, environment) for name in FUNCTIONS]
        await asyncio.gather(*(self._up(program) for program in functions))
        await self._up(self._dispatcher(plan, environment))

    async def _up(self, program: Program) -> None:
        self.parts[program.name] = program
        await program.start()
        self.say(f"{program.name} is up")

    def _function(self, plan: Plan, name: str, environment: dict[str, str]) -> Program:
        app = f"functions.{name.replace('-', '_')}.main:app"
        # The name is there for who looks the processes up.
        argv = [sys.executable, "-m", "shared.local.system.copy", app, "--name", name, "--port", str(plan.ports[name])]
        return Program(name, argv, environment, self._log(name), plan.url(name) + "/health", COPIES.get(name, 1))

    def _simulator(self, plan: Plan, name: str) -> Program:
        state = private_folder(self.home.folder / "simulators") / name
        state.mkdir(exist_ok=True)
        argv = [sys.executable, "-m", f"shared.local.simulators.{name}"]
        argv += ["--port", str(plan.ports[name]), "--state", str(state)]
        return Program(name, argv, simulator_environment(plan), self._log(name), plan.url(name) + "/_control/health")

    def _dispatcher(self, plan: Plan, environment: dict[str, str]) -> Program:
        routes = self.home.folder / "routes.json"
        routes.write_text(json.dumps({name: plan.url(name) for name in FUNCTIONS}, indent=2))
        argv = [sys.executable, "-m", "shared.local.dispatcher"]
        argv += ["--sources", str(PROJECT / "knative" / "sources"), "--routes", str(routes)]
        argv += ["--port", str(plan.ports["dispatcher"])]
        return Program("dispatcher", argv, environment, self._log("dispatcher"), plan.url("dispatcher") + "/health")

    def _log(self, name: str) -> Path:
        return self.home.logs / f"{name}.log"

    def _write_endpoints(self, plan: Plan, owner: str, broker: KafkaBroker) -> None:
        endpoints = {
            "functions": {name: plan.url(name) for name in FUNCTIONS},
            "postgres": owner,
            "kafka": broker.address,
            "simulators": {name: plan.url(name) for name in _simulated(plan)},
            "webform": plan.url("form-submit") + "/",
            "operator_token": self.operator_token,
            "control": plan.url("control"),
            "dispatcher": plan.url("dispatcher"),
        }
        write_private(self.home.endpoints_file, json.dumps(endpoints, indent=2))


def _simulated(plan: Plan) -> list[str]:
    return [name for name, wanted in (("gmail", plan.gmail_simulated), ("twilio", plan.twilio_simulated)) if wanted]


def _state(part: Part) -> str:
    if part.pids():
        return "up"
    return "down" if part.wanted else "stopped"
