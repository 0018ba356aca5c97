"""The examples of specs/runbooks/embed-the-form.md are run: what a site's server signs is what the form accepts."""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from pydantic import SecretStr

from tests.conftest import make_settings
from tests.web_rig import Rig, rigged

_PAGE = Path(__file__).resolve().parents[2] / "specs" / "runbooks" / "embed-the-form.md"
_KEY = secrets.token_urlsafe(36)


def _example(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", _PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return found


def by_python(*arguments: str) -> str:
    """The token that the Python example makes."""
    scope: dict[str, Any] = {}
    exec(compile(_example("python"), str(_PAGE), "exec"), scope)  # noqa: S102  the page's own code
    return scope["support_identity"](*arguments)


def by_node(*arguments: str) -> str:
    """The token that the Node example makes."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    call = f"process.stdout.write(supportIdentity(...{list(arguments)!r}));"
    program = _example("js") + call
    done = subprocess.run(["node", "--input-type=module", "-e", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def verified(rig: Rig, token: str) -> tuple[str, str]:
    """Address and name of the sender whom the form takes the token's holder for."""
    given = await rig.open({"identity": token})
    assert given["trust"] == "verified"
    sender = rig.sent.messages[-1].sender
    return sender.address, sender.name


@pytest.mark.parametrize("made", [by_python, by_node])
async def test_what_the_example_signs_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Any) -> None:
    """With a name in any script and without one; the form sees the address that the site gave."""
    monkeypatch.setenv("FORM_IDENTITY_KEY", _KEY)
    async with rigged(make_settings(form_identity_key=SecretStr(_KEY)), tmp_path) as rig:
        assert await verified(rig, made("grace@example.net", "Grace Übermut")) == ("grace@example.net", "Grace Übermut")
        assert await verified(rig, made("grace@example.net")) == ("grace@example.net", "Ada Example")


@pytest.mark.parametrize("made", [by_python, by_node])
def test_what_the_example_signs_is_short_lived(monkeypatch: pytest.MonkeyPatch, made: Any) -> None:
    """Ten minutes, as the page advises."""
    monkeypatch.setenv("FORM_IDENTITY_KEY", _KEY)
    claims = jwt.decode(made("grace@example.net"), _KEY, algorithms=["HS256"], audience="support-form")
    assert claims["exp"] - claims["iat"] == 600
    assert abs(claims["iat"] - time.time()) < 60


def test_every_reason_of_a_refusal_is_explained() -> None:
    """The table on the page has each reason that the code gives, and no other."""
    code = (_PAGE.parents[2] / "shared/channels/web/visitor.py").read_text(encoding="utf-8")
    given = set(re.findall(r'"(identity-[a-z-]+)"', code))
    explained = set(re.findall(r"^\| (identity-[a-z-]+) \|", _PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert explained == given
