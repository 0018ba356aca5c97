"""Reads one PDF in a process of its own: `python -m shared.channels.pdf_text < file`, JSON on standard output.

A file of a few kilobytes can ask for minutes and gigabytes, and a thread that works on it cannot be stopped.
A process can: it may take so much processor time and memory, and it is given no environment to tell of.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import resource
import subprocess
import sys
import unicodedata
from typing import Any

_MODULE = "shared.channels.pdf_text"
#: What reading may take: seconds of processor time, seconds in all, bytes of address space.
CPU_S = 3
WALL_S = 8.0
MEMORY = 512 * 1024 * 1024
#: A typesetter's ligatures (ff, fi, fl, ffi, ffl, st), each as the letters it stands for.
_LIGATURES = {sign: unicodedata.normalize("NFKC", chr(sign)) for sign in range(0xFB00, 0xFB07)}
_BROKEN_WORD = re.compile(r"(\w)(?:-|[ \t]?[\u00ad\u2010][ \t]*)\n(?=[a-zß-öø-ÿ])")


def in_letters(text: str) -> str:
    """The text of a PDF as it is read aloud: ligatures are letters, a word broken at a line's end is whole."""
    return _BROKEN_WORD.sub(r"\1", text.translate(_LIGATURES))


def read(data: bytes, *, pages: int, characters: int) -> tuple[int | None, str]:
    """The number of pages, and the text of the first `pages`, about `characters` of it.

    Blocks: call it in a thread. (None, "") for what is no PDF, is encrypted, or takes too much.
    """
    command = [sys.executable, "-m", _MODULE, str(pages), str(characters)]
    environment = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=WALL_S, env=environment, check=False, cwd=os.sep
        )
        told: Any = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
    except (subprocess.TimeoutExpired, OSError, ValueError):
        told = {}
    return told.get("pages"), told.get("text", "")


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _main(pages: int, characters: int) -> None:
    _limit()
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells a log of every oddity of a stranger's file
    every = pypdf.PdfReader(io.BytesIO(sys.stdin.buffer.read())).pages
    # Told first: what the text then takes too long for is still a file of so many pages.
    _tell(len(every), "")
    text = ""
    for page in every[:pages]:
        text += in_letters(page.extract_text()) + "\n"
        if len(text) > characters:
            break
    _tell(len(every), text)


def _tell(pages: int, text: str) -> None:
    sys.stdout.write(json.dumps({"pages": pages, "text": text}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]))
