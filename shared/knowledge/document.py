"""A document as it is written: Markdown under a YAML front matter.

---
id: exporting-data          required: lower-case letters, digits and dashes
title: Exporting your data  required
version: 1                  optional: a floor; the database counts versions itself
product, language, audience, url: optional; the audience `internal` is for colleagues, and never answered from
superseded: true            optional: an older version, kept to be read; `reading` says it of all but the newest
---
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import Permanent

#: Characters of a page's address that a document keeps.
MAX_URL = 1000
_FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?\n(.*)\Z", re.DOTALL)

#: Part of every content hash: raising it re-chunks what is stored.
CHUNKING = "1"

#: The audience whose documents no customer is told of: only a search that names it finds them (knowledge_search.sql).
INTERNAL = "internal"


class Document(BaseModel):
    """One document; `body` is its Markdown without the front matter."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=120)
    title: str = Field(min_length=1, max_length=300)
    version: int = Field(1, ge=1, le=1_000_000)
    url: str = Field("", max_length=MAX_URL, pattern=r"^(https?://\S+)?$")
    product: str = Field("", max_length=100)
    language: str = Field("en", min_length=2, max_length=20)
    audience: str = Field("", max_length=100)
    superseded: bool = False
    body: str = Field(min_length=1, max_length=500_000)

    @property
    def content_hash(self) -> str:
        """Changes with everything a reader sees, and with the way it is cut."""
        parts = (CHUNKING, self.title, self.url, self.product, self.language, self.audience, self.body)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    @property
    def markdown(self) -> str:
        """The document as a file that `parse_document` reads as the same."""
        facts = {name: value for name, value in self.model_dump(exclude={"body"}).items() if value}
        return f"---\n{yaml.safe_dump(facts, allow_unicode=True, sort_keys=False)}---\n{self.body}"


def has_front_matter(text: str) -> bool:
    """Whether a Markdown file begins as if with one."""
    return text.lstrip("\ufeff").startswith("---")


def parse_document(text: str, *, name: str) -> Document:
    """Read one file; `name` is the file's, for the error.

    Raises Permanent, naming the file and each field, when the front matter is missing or wrong.
    """
    match = _FRONT_MATTER.match(text.lstrip("\ufeff").replace("\0", ""))
    if match is None:
        raise Permanent(f"{name}: starts without a front matter between --- lines", reason="bad-document")
    try:
        return Document.model_validate({**_front_matter(match[1], name), "body": match[2]})
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise Permanent(f"{name}: {faults}", reason="bad-document") from None


def _front_matter(text: str, name: str) -> dict[str, Any]:
    try:
        loaded: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        raise Permanent(f"{name}: the front matter is not YAML", reason="bad-document") from None
    if not isinstance(loaded, dict):
        raise Permanent(f"{name}: the front matter is not a list of keys and values", reason="bad-document")
    return {str(key): value for key, value in loaded.items()}  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
