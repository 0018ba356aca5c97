"""Java and Maven: whether they are here, and the broker's jars fetched with them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from shared.errors import Retryable

MINIMUM_JAVA = 17
_POM = Path(__file__).with_name("pom.xml")
_FETCH_S = 600.0


async def what_java_lacks() -> str | None:
    """None when Apache Kafka can run here, else a sentence naming what is missing and how to get it."""
    version = await java_version()
    if version is None:
        return "Java is missing: install a JRE 17 or newer (Debian: apt install openjdk-17-jre-headless)"
    if version < MINIMUM_JAVA:
        return f"Java {version} is too old: Kafka needs {MINIMUM_JAVA} or newer"
    if not is_resolved() and shutil.which("mvn") is None:
        return "Maven is missing: install it (Debian: apt install maven)"
    return None


async def java_version() -> int | None:
    """The major version of `java` on the PATH, None without one."""
    if shutil.which("java") is None:
        return None
    process = await asyncio.create_subprocess_exec(
        "java", "-version", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    found = re.search(r'version "(?:1\.)?(\d+)', said.decode(errors="replace"))
    return int(found.group(1)) if found else None


def cache_folder() -> Path:
    """Where the jars are kept for all runs of this user: $XDG_CACHE_HOME/fte/kafka-<digest of pom.xml>."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "fte" / f"kafka-{hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]}"


def is_resolved() -> bool:
    """Whether the jars are in the cache already."""
    return cache_folder().is_dir()


async def resolve_kafka() -> Path:
    """The folder with the broker's jars, fetched by Maven the first time (about 43 MB).

    Raises Retryable with Maven's last words when that fails.
    """
    target = cache_folder()
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        draft = Path(folder) / "jars"
        await _copy_dependencies(draft)
        try:
            draft.rename(target)
        except OSError:
            # Another run was quicker; its jars are the same.
            if not target.is_dir():
                raise
    return target


async def _copy_dependencies(folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        "mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", f"-DoutputDirectory={folder}",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_FETCH_S):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        last = said.decode(errors="replace").strip().splitlines()[-1:]
        raise Retryable(f"Maven could not fetch Kafka: {' '.join(last)}", reason="maven-failed")
