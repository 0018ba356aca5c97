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

from shared.events.topics import TOPICS
from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
KNATIVE = ROOT / "knative"
FUNCTIONS = ("gmail-push", "whatsapp-webhook", "form-submit", "agent-run", "send-reply", "dlq-review")
WEBHOOKS = {"gmail-push", "whatsapp-webhook", "form-submit"}
#: A KafkaSource's consumer polls 50 records at a time and polls again while fewer than 50 are in flight.
IN_FLIGHT_PER_CONSUMER = 99
#: Beside the functions' pools: the migration Job, an operator's psql, and PostgreSQL's superuser reserve.
CONNECTIONS_RESERVED = 9

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
    assert locks == {*FUNCTIONS, "dev"}


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


def _variables() -> list[tuple[str, Manifest]]:
    containers = [c for pod in _pods().values() for c in [*pod["containers"], *pod.get("initContainers", [])]]
    return [(c["name"] if "name" in c else c["image"], e) for c in containers for e in c.get("env", [])]


def test_what_is_set_in_the_environment_is_a_setting() -> None:
    """A name that shared/settings.py does not know would be set for nobody."""
    known = {name.upper() for name in Settings.model_fields}
    named = {e["name"] for owner, e in _variables() if owner not in {"kafka", "postgres"}}
    for folder in ("infra", "overlays/external", "overlays/confluent"):
        named |= set(_kind(folder, "ConfigMap")["fte-config"]["data"])
    example = (KNATIVE / "infra/secrets.example.yaml").read_text(encoding="utf-8").partition("fte-owner")[0]
    named |= set(re.findall(r"^#   ([A-Z_]+):", example, re.MULTILINE))
    assert named <= known, named - known


def test_no_secret_is_written_anywhere() -> None:
    """A secret setting comes by reference, no Secret is a file, and the example is comment from end to end."""
    secret = {name.upper() for name, field in Settings.model_fields.items() if field.annotation is SecretStr}
    secret |= {"POSTGRES_PASSWORD", "FTE_OWNER_PASSWORD", "FTE_APP_PASSWORD"}
    assert not [e for _, e in _variables() if e["name"] in secret and "secretKeyRef" not in e.get("valueFrom", {})]
    documents = [d for path in KNATIVE.rglob("*.yaml") for d in _load(path)]
    assert not [d for d in documents if d.get("kind") == "Secret"]
    assert not [name for d in documents if d.get("kind") == "ConfigMap" for name in d["data"] if name in secret]
    example = (KNATIVE / "infra/secrets.example.yaml").read_text(encoding="utf-8")
    assert all(line.startswith("#") for line in example.splitlines())
