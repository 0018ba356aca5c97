"""How the manifests become a running system: kustomize, the image's ingredients, and the two scripts."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from base64 import b64decode
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grimp
import pytest
import yaml

from shared.privacy.vault import Vault
from shared.settings import Settings, key_bytes

ROOT = Path(__file__).resolve().parents[2]
KNATIVE = ROOT / "knative"
FUNCTIONS = ("gmail-push", "whatsapp-webhook", "form-submit", "agent-run", "send-reply", "dlq-review")
OVERLAYS = ("minikube", "external", "confluent")
JOB_SELECTOR = "app.kubernetes.io/part-of=customer-success-fte"

Manifest = dict[str, Any]


def _run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, **environment}
    )


def _build(overlay: str) -> list[Manifest]:
    if shutil.which("kubectl"):
        command = ("kubectl", "kustomize")
    elif shutil.which("kustomize"):
        command = ("kustomize", "build")
    else:
        pytest.skip("needs kubectl (or kustomize): the overlays are not built here")
    done = _run(*command, f"knative/overlays/{overlay}")
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def _kustomization(folder: str) -> Manifest:
    return yaml.safe_load((KNATIVE / folder / "kustomization.yaml").read_text(encoding="utf-8"))


# -- kustomize --------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["infra", "functions", "sources", *(f"overlays/{name}" for name in OVERLAYS)])
def test_every_file_is_in_its_folders_kustomization(folder: str) -> None:
    """A manifest that no kustomization names is applied by nobody."""
    kustomization = _kustomization(folder)
    named = [*kustomization["resources"], *(patch["path"] for patch in kustomization.get("patches", []))]
    files = {path.name for path in (KNATIVE / folder).glob("*.yaml")} - {"kustomization.yaml", "secrets.example.yaml"}
    assert files == {name for name in named if not name.startswith("..")}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_builds_whole(overlay: str) -> None:
    """`kubectl kustomize` gives everything, in one namespace, with one address of Kafka."""
    built = _build(overlay)
    kinds = [d["kind"] for d in built]
    assert kinds[0] == "Namespace"
    assert (kinds.count("KafkaSource"), kinds.count("StatefulSet")) == (5, 2 if overlay == "minikube" else 0)
    assert {d["metadata"].get("namespace", d["metadata"]["name"]) for d in built} == {"fte"}
    assert all("app.kubernetes.io/component" in d["metadata"]["labels"] for d in built)
    [config] = [d for d in built if d["kind"] == "ConfigMap" and d["metadata"]["name"] == "fte-config"]
    speakers = [d["spec"] for d in built if d["kind"] in {"KafkaSource", "KafkaSink"}]
    assert [spec["bootstrapServers"] for spec in speakers] == [[config["data"]["KAFKA_BOOTSTRAP_SERVERS"]]] * 6
    assert all(("net" in spec or "auth" in spec) == (overlay == "confluent") for spec in speakers)


def test_an_overlay_sets_the_tags_of_services_and_jobs() -> None:
    """kustomize has to know where a Knative Service keeps its image; the Jobs run the desk's."""
    tags = {f"{entry['name']}:{entry['newTag']}" for entry in _kustomization("overlays/minikube")["images"]}
    assert {tag.rpartition(":")[0] for tag in tags} == {f"dev.local/fte/{name}" for name in FUNCTIONS}
    text = yaml.safe_dump_all(_build("minikube"))
    assert set(re.findall(r"image: (dev\.local/\S+)", text)) == tags


def _references(overlay: str) -> list[Manifest]:
    """Every reference to a key of a Secret in the pods of an overlay."""
    pods = [d["spec"]["template"]["spec"] for d in _build(overlay) if "template" in d.get("spec", {})]
    containers = [c for pod in pods for c in [*pod["containers"], *pod.get("initContainers", [])]]
    assert not [c for c in containers for source in c.get("envFrom", []) if "secretRef" in source]
    found = [e.get("valueFrom", {}).get("secretKeyRef") for c in containers for e in c.get("env", [])]
    return [reference for reference in found if reference]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_one_selector_finds_every_job(overlay: str) -> None:
    """The runbook and knative/deploy delete Jobs by it before an overlay is applied again."""
    jobs = [d for d in _build(overlay) if d["kind"] == "Job"]
    assert {d["metadata"]["name"] for d in jobs} == {"topics", "migrate", "knowledge"}
    name, _, value = JOB_SELECTOR.partition("=")
    assert {d["metadata"]["labels"][name] for d in jobs} == {value}
    page = (ROOT / "specs/runbooks/deploy.md").read_text(encoding="utf-8")
    assert f"kubectl -n fte delete job -l {JOB_SELECTOR} --ignore-not-found\nkubectl apply -k" in page


# -- what an image is made of -------------------------------------------------------------------------


def _locked(name: str) -> dict[str, set[str]]:
    """Package → versions (one per environment marker) of a lock."""
    versions: dict[str, set[str]] = {}
    for line in (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([a-z0-9-]+)==(\S+)", line):
            versions.setdefault(match[1], set()).add(match[2])
    return versions


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_lock_has_what_its_extra_names_in_the_versions_that_are_tested(function: str) -> None:
    """Every direct requirement is locked, with hashes, at dev.txt's version, and without an address."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *project["optional-dependencies"][function]]
    wanted = {re.split(r"[\[<>=!~ ]", requirement)[0] for requirement in named}
    locked, tested = _locked(function), _locked("dev")
    assert wanted <= set(locked)
    assert {name: versions for name, versions in locked.items() if not versions <= tested.get(name, set())} == {}
    text = (ROOT / "requirements" / f"{function}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=[a-z0-9])", text))


@cache
def _imports() -> grimp.ImportGraph:
    return grimp.build_graph("functions", "shared", include_external_packages=True, exclude_type_checking_imports=True)


#: Imported where they are used, by code that this function never reaches: each normalises its own channel's addresses.
_ELSEWHERE = {("gmail-push", "phonenumbers"), ("whatsapp-webhook", "email_validator")}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_image_has_every_library_that_its_code_imports(function: str) -> None:
    """What the function's main reaches, in shared/ too, is locked for it: else its image dies at the first import."""
    reached = _imports().find_upstream_modules(f"functions.{function.replace('-', '_')}.main")
    outside = {name.partition(".")[0] for name in reached} - {"functions", "shared"} - sys.stdlib_module_names
    assert {"functions_framework", "prometheus_client"} <= outside
    owners, locked = packages_distributions(), set(_locked(function))
    missing = {name for name in outside if not {re.sub(r"[._]", "-", each).lower() for each in owners[name]} & locked}
    assert {(function, name) for name in missing} == {each for each in _ELSEWHERE if each[0] == function}


def test_no_image_carries_anothers_weight() -> None:
    """Only the agent has the Agents SDK, and WhatsApp's webhook neither Google's client nor a database driver."""
    assert [name for name in FUNCTIONS if "openai-agents" in _locked(name)] == ["agent-run"]
    assert not {"google-api-python-client", "asyncpg", "wordllama"} & set(_locked("whatsapp-webhook"))
    assert "twilio" not in _locked("gmail-push")


def test_the_image_runs_as_the_user_its_manifest_demands() -> None:
    """A numeric user, since the kubelet cannot tell that a name is not root, and locked libraries only."""
    text = (KNATIVE / "Dockerfile").read_text(encoding="utf-8")
    service = yaml.safe_load((KNATIVE / "functions/agent-run.yaml").read_text(encoding="utf-8"))
    context = service["spec"]["template"]["spec"]["containers"][0]["securityContext"]
    assert f"USER {context['runAsUser']}:{context['runAsGroup']}" in text
    assert "--require-hashes" in text
    assert {line.split()[1] for line in text.splitlines() if re.match(r"FROM \w+:", line)} == {
        "python:3.11-slim",
        "node:20-slim",
    }


# -- the scripts --------------------------------------------------------------------------------------


def test_deploy_rolls_out_one_function() -> None:
    """The dry run shows a build of that image and an apply of that Service, and touches nothing."""
    if not shutil.which("kubectl"):
        pytest.skip("needs kubectl: knative/deploy renders the overlay with it")
    done = _run("knative/deploy", "agent-run", "--tag", "v7", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\+ \w+ build .*FUNCTION=agent-run -t dev\.local/fte/agent-run:v7 ", done.stdout, re.MULTILINE)
    assert "component=function,app.kubernetes.io/name=agent-run -f -" in done.stdout
    assert "services.serving.knative.dev/agent-run" in done.stdout
    assert not [name for name in FUNCTIONS if name != "agent-run" and name in done.stdout]


def test_deploy_says_whose_image_it_changed_besides() -> None:
    """The Jobs run the desk's image, and an applied overlay cannot give a Job that is there another."""
    if not shutil.which("kubectl"):
        pytest.skip("needs kubectl: knative/deploy renders the overlay with it")
    done = _run("knative/deploy", "dlq-review", "--tag", "v7", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert f"kubectl -n fte delete job -l {JOB_SELECTOR} --ignore-not-found" in done.stdout
    assert "delete job" not in _run("knative/deploy", "agent-run", "--tag", "v7", "--dry-run").stdout


@pytest.mark.parametrize("arguments", [(), ("agent",), ("agent-run", "--overlay", "moon")])
def test_deploy_says_what_it_takes(arguments: tuple[str, ...]) -> None:
    """A mistake is one line or the usage, with exit status 2."""
    done = _run("knative/deploy", *arguments)
    assert done.returncode == 2
    assert "agent-run" in done.stderr or "minikube" in done.stderr


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    """A folder with a kubectl that finds no secret and keeps what it is told to create."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        f'#!/bin/sh\ncase "$*" in\n  *"get secret "*) exit 1 ;;\n  "create -f -") cat >> {tmp_path}/created; '
        f"echo --- >> {tmp_path}/created ;;\nesac\n"
    )
    kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
    return tmp_path


_PROVIDERS = ("TWILIO_AUTH_TOKEN", "GMAIL_CREDENTIALS", "OPENAI_API_KEY", "EMBEDDING_API_KEY")


def _secrets(cluster: Path, overlay: str, **environment: str) -> dict[str, dict[str, str]]:
    done = _run("knative/secrets", overlay, PATH=f"{cluster}:{os.environ['PATH']}", **environment)
    assert done.returncode == 0, done.stderr
    created = yaml.safe_load_all((cluster / "created").read_text())
    return {
        d["metadata"]["name"]: {key: b64decode(value).decode() for key, value in d["data"].items()}
        for d in created
        if d
    }


def test_secrets_of_minikube_fit_each_other_and_the_functions(cluster: Path) -> None:
    """Keys load as the functions load them; the functions' DSN is the app role's, the Job's the owner's."""
    secrets = _secrets(cluster, "minikube", GMAIL_CREDENTIALS='{"type":\n"x: y"}')
    postgres, given = secrets["fte-postgres"], secrets["fte-secrets"]
    app, owner = urlsplit(given["DATABASE_URL"]), urlsplit(secrets["fte-owner"]["DATABASE_URL"])
    assert (app.username, app.password) == ("fte_app", postgres["FTE_APP_PASSWORD"])
    assert (owner.username, owner.password) == ("fte_owner", postgres["FTE_OWNER_PASSWORD"])
    settings = Settings.model_validate({name.lower(): value for name, value in given.items()})
    Vault.from_settings(settings)
    keys = [key_bytes(getattr(settings, name), name) for name in ("fte_event_key", "fte_ticket_key", "fte_lookup_key")]
    assert len(set(keys)) == 3
    assert given["GMAIL_CREDENTIALS"] == '{"type":\n"x: y"}'
    assert "OPENAI_API_KEY" not in given


def test_secrets_of_an_outside_kafka_reach_functions_and_sources(cluster: Path) -> None:
    """The same credentials in the two shapes that the functions and Knative read."""
    secrets = _secrets(
        cluster, "confluent", DATABASE_URL="app", OWNER_DATABASE_URL="owner",
        KAFKA_SASL_USERNAME="someone", KAFKA_SASL_PASSWORD="something",
    )  # fmt: skip
    assert secrets["fte-kafka"] == {
        "protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "user": "someone", "password": "something"
    }  # fmt: skip
    assert secrets["fte-secrets"]["KAFKA_SASL_USERNAME"] == "someone"
    assert secrets["fte-owner"] == {"DATABASE_URL": "owner"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_secrets_has_every_key_that_a_pod_cannot_start_without(cluster: Path, overlay: str) -> None:
    """With nothing set but what it asks for: a key that is missing keeps a pod from starting unless optional."""
    absent = dict.fromkeys((*_PROVIDERS, "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"), "")
    asked_for = {"DATABASE_URL": "app", "OWNER_DATABASE_URL": "owner"}
    if overlay == "confluent":
        asked_for |= {"KAFKA_SASL_USERNAME": "someone", "KAFKA_SASL_PASSWORD": "something"}
    secrets = _secrets(cluster, overlay, **{**absent, **asked_for})
    references = _references(overlay)
    assert [r for r in references if not r.get("optional") and r["key"] not in secrets[r["name"]]] == []
    given = {r["key"] for r in references if r["name"] == "fte-secrets"}
    assert set(secrets["fte-secrets"]) <= given, "a secret that no pod is given"


def test_secrets_takes_the_providers_from_the_environment(cluster: Path) -> None:
    """What is optional in the manifests is there once it is set."""
    given = _secrets(cluster, "minikube", **dict.fromkeys(_PROVIDERS, "value"))["fte-secrets"]
    assert {name: given[name] for name in _PROVIDERS} == dict.fromkeys(_PROVIDERS, "value")


def test_secrets_shows_names_and_asks_for_what_is_missing(cluster: Path) -> None:
    """A dry run prints no value; an address that nobody gave is named."""
    shown = _run("knative/secrets", "minikube", "--dry-run", FTE_OPERATOR_TOKEN="never-shown")
    assert shown.returncode == 0
    assert "FTE_OPERATOR_TOKEN" in shown.stdout
    assert "never-shown" not in shown.stdout
    refused = _run("knative/secrets", "external", PATH=f"{cluster}:{os.environ['PATH']}", DATABASE_URL="")
    assert refused.returncode == 1
    assert "set DATABASE_URL" in refused.stderr
