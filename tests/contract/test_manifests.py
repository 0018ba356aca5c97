"""What the manifests in knative/ promise: the design's invariants, read from the files that are applied."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from shared.events.topics import READERS, TOPICS
from shared.knowledge.embed import EmbeddingSettings
from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
KNATIVE = ROOT / "knative"
FUNCTIONS = ("gmail-push", "whatsapp-webhook", "form-submit", "agent-run", "send-reply", "dlq-review")
WEBHOOKS = {"gmail-push", "whatsapp-webhook", "form-submit"}
#: A KafkaSource's consumer polls 50 records at a time and polls again while fewer than 50 are in flight.
IN_FLIGHT_PER_CONSUMER = 99
#: Beside the functions' pools: the migration Job, an operator's psql, and PostgreSQL's superuser reserve.
CONNECTIONS_RESERVED = 9

#: The broker's login where Kafka asks who connects.
_KAFKA_LOGIN = {"KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"}
#: Customers' data in the database: their keys are wrapped by one key, their identifiers found by the other.
_VAULT = {
    "DATABASE_URL",  # reads and writes conversations
    "FTE_MASTER_KEY",  # unwraps customers' data keys
    "FTE_LOOKUP_KEY",  # finds customers by the keyed hash of an identifier
}
#: Each pod's secrets out of fte-secrets, each with what it is for; the functions' are compared with their code.
SECRETS: dict[str, set[str]] = {
    "gmail-push": {
        *_VAULT,  # keeps raw mails and their files encrypted, and the mailbox's cursor
        "FTE_EVENT_KEY",  # checks the sweep's events and signs its own
        "GMAIL_CREDENTIALS",  # reads the mailbox
        *_KAFKA_LOGIN,
    },
    "whatsapp-webhook": {
        "FTE_EVENT_KEY",  # signs its events
        "FTE_LOOKUP_KEY",  # makes a sender's number an opaque partition key
        "TWILIO_AUTH_TOKEN",  # checks Twilio's signature
        *_KAFKA_LOGIN,
    },
    "form-submit": {
        *_VAULT,
        "FTE_EVENT_KEY",  # signs its events
        "FTE_TICKET_KEY",  # makes and checks the tokens of ticket pages
        "FORM_IDENTITY_KEY",  # checks the tokens of visitors whom the embedding site signs for
        "FORM_CHALLENGE_SECRET",  # asks the challenge's service
        *_KAFKA_LOGIN,
    },
    "agent-run": {
        *_VAULT,
        "FTE_EVENT_KEY",  # checks the events it gets and signs its own
        "OPENAI_API_KEY",  # calls the model
        "EMBEDDING_API_KEY",  # embeds what it searches the documents for
        "TWILIO_AUTH_TOKEN",  # fetches the files of WhatsApp messages
        *_KAFKA_LOGIN,
    },
    "send-reply": {
        *_VAULT,
        "FTE_EVENT_KEY",  # checks the events it gets
        "GMAIL_CREDENTIALS",  # sends e-mail
        "TWILIO_AUTH_TOKEN",  # sends WhatsApp messages
    },
    "dlq-review": {
        *_VAULT,
        "FTE_EVENT_KEY",  # checks dead letters and signs what it publishes again
        "FTE_OPERATOR_TOKEN",  # knows the operators
        "EMBEDDING_API_KEY",  # embeds the documents that the desk adds
        *_KAFKA_LOGIN,
    },
    "topics": _KAFKA_LOGIN,
    "knowledge": {
        "DATABASE_URL",  # writes the documents
        "EMBEDDING_API_KEY",  # embeds them
    },
    "migrate": set(),  # the owner's DSN, out of fte-owner
}
#: Absent from fte-secrets where they do not apply: a channel without them is degraded, the offline models answer.
MAY_BE_ABSENT = {
    "EMBEDDING_API_KEY",
    "FORM_CHALLENGE_SECRET",
    "FORM_IDENTITY_KEY",
    "GMAIL_CREDENTIALS",
    "KAFKA_SASL_PASSWORD",
    "KAFKA_SASL_USERNAME",
    "OPENAI_API_KEY",
    "TWILIO_AUTH_TOKEN",
}

Manifest = dict[str, Any]


def _load(path: Path) -> list[Manifest]:
    """A file's manifests; a list is a JSON patch, not one."""
    return [d for d in yaml.safe_load_all(path.read_text(encoding="utf-8")) if isinstance(d, dict)]


def _kind(folder: str, kind: str) -> dict[str, Manifest]:
    """Manifests of one kind below a folder of knative/, by name."""
    documents = [d for path in sorted((KNATIVE / folder).glob("*.yaml")) for d in _load(path)]
    return {d["metadata"]["name"]: d for d in documents if d["kind"] == kind}


SERVICES = _kind("functions", "Service")
SOURCES = _kind("sources", "KafkaSource")
JOBS = _kind("infra", "Job")


def _container(service: Manifest) -> Manifest:
    return service["spec"]["template"]["spec"]["containers"][0]


def _max_scale(service: Manifest) -> int:
    return int(service["spec"]["template"]["metadata"]["annotations"]["autoscaling.knative.dev/max-scale"])


def _seconds(duration: str) -> float:
    match = re.fullmatch(r"PT(\d+(?:\.\d+)?)S", duration)
    assert match, f"{duration} is not PTnS"
    return float(match[1])


def _pods() -> dict[str, Manifest]:
    """The pod specification of everything of ours that runs, by name."""
    workloads = {**SERVICES, **JOBS, **_kind("overlays/minikube", "StatefulSet")}
    return {name: manifest["spec"]["template"]["spec"] for name, manifest in workloads.items()}


# -- one name for one function --------------------------------------------------------------------


def test_folder_target_extra_lock_and_manifest_agree() -> None:
    """Dashes against underscores is all that maps between the names of a function."""
    folders = {path.parent.name.replace("_", "-") for path in (ROOT / "functions").glob("*/main.py")}
    extras = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    locks = {path.stem for path in (ROOT / "requirements").glob("*.txt")}
    files = {path.stem for path in (KNATIVE / "functions").glob("*.yaml")} - {"kustomization"}
    assert folders == set(FUNCTIONS) == set(SERVICES) == files
    assert extras >= set(FUNCTIONS)
    assert locks == {*FUNCTIONS, "dev", "training"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_target_is_the_folders_name(function: str) -> None:
    """main.py defines the function that functions-framework serves under the folder's name."""
    name = function.replace("-", "_")
    tree = ast.parse((ROOT / "functions" / name / "main.py").read_text(encoding="utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef)}
    served = {
        argument.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "serve"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }
    assert name in defined
    assert served == {name}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_image_is_the_functions_own(function: str) -> None:
    """A Service runs its own image, and the Dockerfile knows what that image carries."""
    assert _container(SERVICES[function])["image"].rpartition(":")[0] == f"dev.local/fte/{function}"
    assert f"AS content-{function}\n" in (KNATIVE / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SOURCES)
def test_source_group_and_sink_are_named_after_the_function(name: str) -> None:
    """A group that is not pinned is random, and a source under another name is found by nobody."""
    spec = SOURCES[name]["spec"]
    assert spec["consumerGroup"] == name == spec["sink"]["ref"]["name"]
    assert (KNATIVE / "sources" / f"{name}.yaml").exists()
    assert name in SERVICES


def test_what_a_function_reads_is_what_its_source_reads() -> None:
    """`kn-fte status` asks Kafka what waits for each."""
    assert {name: source["spec"]["topics"] for name, source in SOURCES.items()} == {
        name: [topic] for name, topic in READERS.items()
    }


# -- delivery ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOURCES)
def test_source_keeps_every_event_until_it_is_settled(name: str) -> None:
    """Nothing is skipped at the start, no slow event blocks another, and what fails for good is kept."""
    spec = SOURCES[name]["spec"]
    assert (spec["ordering"], spec["initialOffset"]) == ("unordered", "earliest")
    delivery = spec["delivery"]
    assert delivery["retry"] == 30
    assert delivery["backoffPolicy"] == "linear"
    ref = delivery["deadLetterSink"]["ref"]
    assert (ref["kind"], ref["name"]) == ("KafkaSink", "dead-letters")


@pytest.mark.parametrize("name", SOURCES)
def test_retries_outlast_an_outage_of_a_quarter_of_an_hour(name: str) -> None:
    """The n-th retry waits n times the delay: delay x retry x (retry + 1) / 2."""
    delivery = SOURCES[name]["spec"]["delivery"]
    budget = _seconds(delivery["backoffDelay"]) * delivery["retry"] * (delivery["retry"] + 1) / 2
    assert budget >= 15 * 60


@pytest.mark.parametrize("name", SOURCES)
def test_the_topic_an_event_failed_on_is_told(name: str) -> None:
    """A dead letter does not name its topic, so the source adds it, but must not rename the dead letters' own."""
    spec = SOURCES[name]["spec"]
    overrides = spec.get("ceOverrides", {}).get("extensions", {})
    dead_letters = _kind("infra", "KafkaSink")["dead-letters"]["spec"]["topic"]
    assert overrides == ({} if spec["topics"] == [dead_letters] else {"ftetopic": spec["topics"][0]})


def test_times_nest() -> None:
    """A turn ends before its lease, the lease before the request, the request before the source gives up."""
    defaults = Settings.model_fields
    turn, lease = defaults["agent_turn_timeout_s"].default, defaults["lease_s"].default
    requests = {service["spec"]["template"]["spec"]["timeoutSeconds"] for service in SERVICES.values()}
    deliveries = {_seconds(source["spec"]["delivery"]["timeout"]) for source in SOURCES.values()}
    assert turn < lease < min(requests)
    assert min(requests) >= 60
    assert max(requests) + 10 < min(deliveries)


def test_topics_are_those_that_the_job_creates() -> None:
    """Sources and the sink read and write declared topics, and no consumer is without a partition."""
    partitions = {topic.name: topic.partitions for topic in TOPICS}
    read = {source["spec"]["topics"][0] for source in SOURCES.values()}
    assert read == set(partitions)
    for source in SOURCES.values():
        assert source["spec"]["consumers"] <= partitions[source["spec"]["topics"][0]]
    assert _kind("infra", "KafkaSink")["dead-letters"]["spec"]["topic"] in partitions
    assert set(JOBS) == {"topics", "migrate", "knowledge"}


def test_one_ping_wakes_the_desk_every_five_minutes() -> None:
    """One cold start, not six."""
    [ping] = _kind("sources", "PingSource").values()
    assert ping["spec"]["schedule"] == "*/5 * * * *"
    assert ping["spec"]["sink"]["ref"]["name"] == "dlq-review"
    assert ping["spec"]["sink"]["uri"] == SOURCES["dlq-review"]["spec"]["sink"]["uri"] == "/events"


# -- Jobs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", JOBS)
def test_a_finished_job_goes_by_itself(name: str) -> None:
    """A Job's pod is never changed, so one that stays stands in the next tag's way; an hour keeps its log readable."""
    assert JOBS[name]["spec"]["ttlSecondsAfterFinished"] == 3600


def test_whoever_applies_jobs_deletes_the_old_ones_first() -> None:
    """The runbook's blocks can be run again with another tag."""
    page = (ROOT / "specs/runbooks/deploy.md").read_text(encoding="utf-8")
    applied = 0
    for block in re.findall(r"^```\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        before, apply, what = block.partition("kubectl apply ")
        selected = re.search(r"-l (.*)", what)
        if apply and (not selected or re.search("job|knowledge|name=migrate", selected[1])):
            assert "delete job" in before, block
            applied += 1
    assert applied == 4, "step 4, step 5, the whole overlay, and the schema"


# -- scale ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOURCES)
def test_a_function_takes_what_its_consumers_hold_in_flight(name: str) -> None:
    """Events in backoff count as in flight; beyond the function's room they would queue in Knative."""
    room = SERVICES[name]["spec"]["template"]["spec"]["containerConcurrency"] * _max_scale(SERVICES[name])
    assert room >= 100
    assert room >= SOURCES[name]["spec"]["consumers"] * IN_FLIGHT_PER_CONSUMER


def _pools() -> dict[str, int]:
    """Connections each function may hold at its largest; whatsapp-webhook has no database."""
    sizes = {
        name: {e["name"]: e.get("value") for e in _container(service).get("env", [])}.get("DATABASE_POOL_SIZE")
        for name, service in SERVICES.items()
    }
    assert {name for name, size in sizes.items() if size is None} == {"whatsapp-webhook"}
    return {name: _max_scale(SERVICES[name]) * int(size) for name, size in sizes.items() if size is not None}


def test_all_pools_and_one_roll_out_fit_the_database() -> None:
    """While a function rolls out, its old and its new revision are there together."""
    args = _pods()["postgres"]["containers"][0]["args"]
    [limit] = [int(arg.partition("=")[2]) for arg in args if arg.startswith("max_connections=")]
    pools = _pools()
    assert sum(pools.values()) + max(pools.values()) + CONNECTIONS_RESERVED <= limit


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_capacity_page_has_the_manifests_numbers(function: str) -> None:
    """specs/runbooks/capacity.md is where the arithmetic is read, so it must be that of the files."""
    page = (ROOT / "specs/runbooks/capacity.md").read_text(encoding="utf-8")
    [row] = [line for line in page.splitlines() if line.startswith(f"| {function} |")]
    service = SERVICES[function]
    concurrency = service["spec"]["template"]["spec"]["containerConcurrency"]
    scale = _max_scale(service)
    pools = _pools()
    pool = pools.get(function, 0)
    expected = [concurrency, scale, concurrency * scale, pool // scale, pool]
    assert [int(cell) for cell in row.split("|")[2:7]] == expected
    assert f"= {sum(pools.values())} " in page


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_scales_to_zero_and_stays_under_a_gigabyte(function: str) -> None:
    """R8.3, and several copies at once for R3.2."""
    annotations = SERVICES[function]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["autoscaling.knative.dev/min-scale"] == "0"
    assert _max_scale(SERVICES[function]) >= 2
    limits = _container(SERVICES[function])["resources"]["limits"]
    assert re.fullmatch(r"\d+Mi", limits["memory"])
    assert int(limits["memory"].removesuffix("Mi")) < 1000


# -- who may reach what -----------------------------------------------------------------------------


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_the_webhooks_are_reached_from_outside(function: str) -> None:
    """Everything else is visible inside the cluster alone."""
    visibility = SERVICES[function]["metadata"]["labels"].get("networking.knative.dev/visibility")
    assert visibility == (None if function in WEBHOOKS else "cluster-local")


@pytest.mark.parametrize(("name", "pod"), _pods().items())
def test_a_pod_can_do_no_more_than_it_needs(name: str, pod: Manifest) -> None:
    """Not root, no new privileges, no capabilities, no token of the cluster's; ours cannot write but to /tmp."""
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        context = {**pod.get("securityContext", {}), **container["securityContext"]}
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] > 0
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert context.get("readOnlyRootFilesystem") is True or name == "kafka"
        assert not {"readinessProbe", "startupProbe", "livenessProbe"} & set(container) or name not in SERVICES


# -- who is given which secret ----------------------------------------------------------------------

SECRET_SETTINGS = {
    name
    for settings in (Settings, EmbeddingSettings)
    for name, field in settings.model_fields.items()
    if field.annotation is SecretStr
} | {"kafka_sasl_username"}


def _containers(pod: Manifest) -> list[Manifest]:
    return [*pod["containers"], *pod.get("initContainers", [])]


def _secrets_of(pod: Manifest, secret: str) -> dict[str, bool]:
    """Keys of one Secret that a pod is given, under their own names, and whether each may be absent."""
    given: dict[str, bool] = {}
    for variable in (e for container in _containers(pod) for e in container.get("env", [])):
        reference = variable.get("valueFrom", {}).get("secretKeyRef", {})
        if reference.get("name") == secret:
            assert reference["key"] == variable["name"]
            given[variable["name"]] = reference.get("optional", False)
    return given


def _modules(start: Path) -> set[Path]:
    """The project's modules that a module imports, itself among them, however far down."""
    found: set[Path] = set()
    todo = [start]
    while todo:
        path = todo.pop()
        if path in found:
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}", *(f"{node.module}.{name}" for name in names)]
            files = (ROOT / f"{name.replace('.', '/')}.py" for name in names)
            todo += [file for file in files if file.exists()]
    return found


def _read_by(function: str) -> set[str]:
    """Names of the secret settings that some module of a function reads as an attribute."""
    modules = _modules(ROOT / "functions" / function.replace("-", "_") / "main.py")
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in modules]
    attributes = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {name.upper() for name in attributes & SECRET_SETTINGS}


@pytest.mark.parametrize("name", [*SERVICES, *JOBS])
def test_a_pod_is_given_its_own_secrets_and_no_others(name: str) -> None:
    """The table above is what the manifests give, one by one; what knative/secrets may leave out is optional."""
    pod = _pods()[name]
    assert _secrets_of(pod, "fte-secrets") == {key: key in MAY_BE_ABSENT for key in SECRETS[name]}
    assert _secrets_of(pod, "fte-owner") == ({"DATABASE_URL": False} if name == "migrate" else {})
    sources = [source for container in _containers(pod) for source in container.get("envFrom", [])]
    assert not [source for source in sources if source != {"configMapRef": {"name": "fte-config"}}]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_given_what_its_code_reads(function: str) -> None:
    """A secret that none of a function's modules reads is not for it, and one that they read is not forgotten."""
    assert set(SECRETS[function]) == _read_by(function)


def test_what_a_break_in_would_want_most_is_where_it_is_used_alone() -> None:
    """WhatsApp's public webhook can read no customer; the desk, the model and tickets each have one key holder."""
    holders: dict[str, set[str]] = {}
    for name, key in ((name, key) for name, keys in SECRETS.items() for key in keys):
        holders.setdefault(key, set()).add(name)
    assert holders["FTE_OPERATOR_TOKEN"] == {"dlq-review"}
    assert holders["OPENAI_API_KEY"] == {"agent-run"}
    assert holders["FTE_TICKET_KEY"] == {"form-submit"}
    assert holders["GMAIL_CREDENTIALS"] == {"gmail-push", "send-reply"}
    # agent-run fetches the files of WhatsApp messages, which Twilio gives to the account alone.
    assert holders["TWILIO_AUTH_TOKEN"] == {"whatsapp-webhook", "send-reply", "agent-run"}
    # gmail-push keeps raw mails encrypted (decision 0014); the door that anybody may knock at holds nothing.
    assert "whatsapp-webhook" not in holders["FTE_MASTER_KEY"]
    assert "whatsapp-webhook" not in holders["DATABASE_URL"]


def test_only_named_sites_may_embed_the_form() -> None:
    """Browsers let any site read what is answered to `*`: the sites are listed, the form's own address first."""
    config = _kind("infra", "ConfigMap")["fte-config"]["data"]
    origins = Settings.model_validate({"form_allowed_origins": config["FORM_ALLOWED_ORIGINS"]}).form_allowed_origins
    assert origins[0] == config["FORM_PUBLIC_URL"]
    assert not [origin for origin in origins if not re.fullmatch(r"https://[a-z0-9.-]+(:\d+)?", origin)]


# -- what is written where --------------------------------------------------------------------------


def _variables() -> list[tuple[str, Manifest]]:
    containers = [c for pod in _pods().values() for c in [*pod["containers"], *pod.get("initContainers", [])]]
    return [(c["name"] if "name" in c else c["image"], e) for c in containers for e in c.get("env", [])]


def test_what_is_set_in_the_environment_is_a_setting() -> None:
    """A name that shared/settings.py does not know would be set for nobody."""
    known = {name.upper() for name in (*Settings.model_fields, *EmbeddingSettings.model_fields)}
    named = {e["name"] for owner, e in _variables() if owner not in {"kafka", "postgres"}}
    for folder in ("infra", "overlays/external", "overlays/confluent"):
        named |= set(_kind(folder, "ConfigMap")["fte-config"]["data"])
    example = (KNATIVE / "infra/secrets.example.yaml").read_text(encoding="utf-8").partition("fte-owner")[0]
    named |= set(re.findall(r"^#   ([A-Z_]+):", example, re.MULTILINE))
    assert named <= known, named - known


def test_no_secret_is_written_anywhere() -> None:
    """A secret setting comes by reference, no Secret is a file, and the example is comment from end to end."""
    secret = {name.upper() for name in SECRET_SETTINGS}
    secret |= {"POSTGRES_PASSWORD", "FTE_OWNER_PASSWORD", "FTE_APP_PASSWORD"}
    assert not [e for _, e in _variables() if e["name"] in secret and "secretKeyRef" not in e.get("valueFrom", {})]
    documents = [d for path in KNATIVE.rglob("*.yaml") for d in _load(path)]
    assert not [d for d in documents if d.get("kind") == "Secret"]
    assert not [name for d in documents if d.get("kind") == "ConfigMap" for name in d["data"] if name in secret]
    example = (KNATIVE / "infra/secrets.example.yaml").read_text(encoding="utf-8")
    assert all(line.startswith("#") for line in example.splitlines())
