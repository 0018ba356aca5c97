"""Rules of the whole tree: what may stand in a file, how large it may be, and that names and queries agree."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from shared.db.queries import load
from shared.local.system import home, supervisor

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/main.py"))
#: Written by tools, and by the licence's authors.
_NOT_OURS = {"LICENSE", "webform/package-lock.json"}
#: RFC 2606 and RFC 6761 names, addresses of this machine, and Gmail's own message ids and accounts of example projects.
_RESERVED = re.compile(
    r"(?:[\w-]+\.)*example\.(?:com|org|net)|(?:[\w-]+\.)*(?:test|invalid|example)|127\.0\.0\.1"
    # Google's own machines, as they stand in real headers and in its reports of failed delivery.
    r"|mail\.gmail\.com|googlemail\.com|example\.iam\.gserviceaccount\.com",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[\w.%+-]+@([\w-]+(?:\.[\w-]+)+)")
_NUMBER = re.compile(r"\+[0-9][0-9 ()-]{7,}[0-9]")
#: NANP numbers for fiction, Ofcom's for drama, and a country code that nobody has.
_FICTITIOUS = re.compile(r"120155501\d*|442079460\d{3}|999\d+")
#: Written in two parts, so that this file does not hold what it forbids.
_INDEX_HOSTS = ["registry." + "npmjs", "python" + "hosted.org", "pypi." + "org", "repo.maven." + "apache"]
_MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|Users|work)/\w")


@cache
def _files() -> dict[str, str]:
    """Every text file that is or would be committed, by its path."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found: dict[str, str] = {}
    for name in filter(None, listed.split("\0")):
        try:
            found[name] = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
    return found


def _ours() -> Iterator[tuple[str, str]]:
    return ((name, text) for name, text in _files().items() if name not in _NOT_OURS)


@cache
def _modules() -> dict[str, ast.Module]:
    """Every module of the distribution by its dotted name."""
    paths = [path for folder in ("shared", "functions") for path in sorted((ROOT / folder).rglob("*.py"))]
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
        for path in paths
    }


# -- what may stand in a file ---------------------------------------------------------------------------


def test_only_reserved_addresses_and_numbers_occur() -> None:
    """Nobody real can be written to by a test, an example or a default."""
    addresses = [
        (name, host) for name, text in _ours() for host in _ADDRESS.findall(text) if not _RESERVED.fullmatch(host)
    ]
    assert addresses == []
    numbers = [(name, number) for name, text in _ours() for number in _NUMBER.findall(text)]
    assert [one for one in numbers if not _FICTITIOUS.fullmatch(re.sub(r"\D", "", one[1]))] == []


@pytest.mark.parametrize("host", _INDEX_HOSTS)
def test_no_package_index_is_named(host: str) -> None:
    """Locks carry hashes and no addresses, so that every index with the same files will do."""
    assert [name for name, text in _files().items() if host in text] == []


def test_no_path_of_one_machine_is_named() -> None:
    """A clone works in any folder of any user."""
    assert [(name, found[0]) for name, text in _ours() if (found := _MACHINE_PATH.search(text))] == []


def test_secrets_are_kept_out_and_the_scanner_excuses_none() -> None:
    """`.env` and `.fte/` are ignored, and the baseline of the scan is empty."""
    for name in (".env", ".fte/keys.json"):
        assert subprocess.run(["git", "check-ignore", "--quiet", name], cwd=ROOT, check=False).returncode == 0, name
    assert json.loads(_files()[".secrets.baseline"])["results"] == {}


# -- how large it may be --------------------------------------------------------------------------------


def test_modules_and_functions_stay_small() -> None:
    """A module of shared/ or functions/ has at most 300 lines, a function at most 25 statements."""
    long = [
        (name, lines)
        for name, text in _files().items()
        if re.match(r"(?:shared|functions)/.*\.py$", name) and (lines := len(text.splitlines())) > 300
    ]
    assert long == []
    functions = (
        (module, node) for module, tree in _modules().items() for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )  # fmt: skip
    assert [(module, node.name) for module, node in functions if _statements(node.body) > 25] == []


def _statements(body: list[ast.stmt]) -> int:
    """Statements of a body and its blocks; a function or class inside counts as one."""
    count = 0
    for statement in body:
        count += 1
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
            inner += [block.body for name in ("handlers", "cases") for block in getattr(statement, name, [])]
            count += sum(map(_statements, inner))
    return count


def test_the_mcp_sdk_is_asked_for_by_the_generation_that_is_used() -> None:
    """Its second one has another client, another server and the package `mcp_types`: a first one would not start."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (asked,) = [Requirement(one) for one in extras["mcp"] if one.startswith("mcp")]
    used = Version(metadata.version("mcp"))
    assert asked.specifier.contains(used)
    assert not any(asked.specifier.contains(f"{used.major + step}.0.0") for step in (-1, 1))


def test_packages_say_nothing_at_import() -> None:
    """Every __init__.py is empty: nothing is re-exported, so a name has one place."""
    assert [name for name, text in _files().items() if name.endswith("__init__.py") and text.strip()] == []


# -- names agree ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_have_one_shape(function: str) -> None:
    """main.py holds a frozen Deps with health, open_deps, the function, and app = serve(its name, open_deps)."""
    body = _modules()[f"functions.{function}.main"].body
    classes = {node.name: node for node in body if isinstance(node, ast.ClassDef)}
    assert ast.unparse(classes["Deps"].decorator_list[0]) == "dataclass(frozen=True, slots=True)"
    assert "health" in {node.name for node in classes["Deps"].body if isinstance(node, ast.AsyncFunctionDef)}
    coroutines = {node.name: node for node in body if isinstance(node, ast.AsyncFunctionDef)}
    assert [ast.unparse(each) for each in coroutines["open_deps"].decorator_list] == ["asynccontextmanager"]
    assert [ast.unparse(each) for each in coroutines[function].decorator_list] == ["functions_framework.aio.http"]
    assert ast.unparse(body[-1]) == f"app = serve('{function}', open_deps)"


def test_every_place_knows_the_six_functions() -> None:
    """One machine, the locks' compiler and the manifests speak of the same functions, dashed."""
    dashed = {name.replace("_", "-") for name in FUNCTIONS}
    assert len(dashed) == 6
    assert set(supervisor.FUNCTIONS) == dashed
    assert set(supervisor.COPIES) <= dashed <= set(home.PREFERRED)
    [compiled] = re.findall(r"^FUNCTIONS=\((.*)\)$", _files()["requirements/compile"], re.MULTILINE)
    assert set(compiled.split()) == dashed
    assert {name.split("/")[2][:-5] for name in _files() if re.match(r"knative/functions/.+-.+\.yaml$", name)} == dashed


# -- queries --------------------------------------------------------------------------------------------


def _holders(modules: dict[str, ast.Module]) -> dict[tuple[str, str], str]:
    """(module, variable) to the query file it holds, by `SQL = load("inbox")` or by import from where that stands."""
    held: dict[tuple[str, str], str] = {}
    for module, tree in modules.items():
        for node in tree.body:
            if isinstance(node, ast.Assign) and (file := _loaded(node.value)) and isinstance(node.targets[0], ast.Name):
                held[module, node.targets[0].id] = file
    for module, tree in modules.items():
        for node in ast.walk(tree):
            for alias in node.names if isinstance(node, ast.ImportFrom) else ():
                if file := held.get((str(node.module), alias.name)):
                    held[module, alias.asname or alias.name] = file
    return held


def _loaded(node: ast.expr) -> str | None:
    """The file that a call of `load("file")` names."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "load" and node.args:
        return node.args[0].value if isinstance(node.args[0], ast.Constant) else None
    return None


@cache
def _used() -> set[tuple[str, str]]:
    """(file, statement) as the code asks for them; a computed name stands as a pattern."""
    modules = _modules()
    held = _holders(modules)
    used: set[tuple[str, str]] = set()
    for module, tree in modules.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Subscript):
                file = held.get((module, node.value.id)) if isinstance(node.value, ast.Name) else _loaded(node.value)
                used |= {(file, _pattern(node.slice))} if file else set()
    return used


def _pattern(name: ast.expr) -> str:
    if isinstance(name, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else ".+" for part in name.values)
    return str(name.value) if isinstance(name, ast.Constant) else ".+"


@pytest.mark.parametrize("file", sorted(path.stem for path in (ROOT / "sql/queries").glob("*.sql")))
def test_every_named_query_is_used_and_every_used_one_exists(file: str) -> None:
    """A statement nobody runs is removed with its last user, and one that is asked for is there before midnight."""
    asked = {name for used, name in _used() if used == file}
    assert {name for name in asked if not any(re.fullmatch(name, there) for there in load(file))} == set()
    assert {there for there in load(file) if not any(re.fullmatch(name, there) for name in asked)} == set()
