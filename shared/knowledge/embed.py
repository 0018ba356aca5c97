"""Texts to vectors: WordLlama's static embeddings by default, or an OpenAI-compatible endpoint.

Vectors have length 1, so that cosine and inner product agree, and as many numbers as their model gives. A passage is
only compared with a query by the model that embedded both: `name` is stored beside every vector.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import httpx
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import Permanent, Retryable

#: Widths that sql/schema.sql has an index for: `literals` fills others up to the next one. Wider ones have none.
WIDTHS = (256, 768, 1024, 1536, 3072)
#: What pgvector can hold.
MOST_DIMENSIONS = 16_000
_BATCH = 64
#: The width of a model whose name says none, and what names the width that a model gives by itself.
_BARE, _FULL = 256, "full"
_REST_S = 5.0  # for which an endpoint that was away is not tried again
_DIGITS = 6  # what single precision is good for, and half the text to store


class EmbeddingSettings(BaseSettings):
    """Which model embeds: empty EMBEDDING_MODEL means WordLlama, which needs no network.

    EMBEDDING_DIMENSIONS is asked of models that were made to be cut shorter; 0: a model gives what it gives.
    """

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    embedding_model: str = ""
    embedding_base_url: str = "https://api.openai.com/v1"
    embedding_api_key: SecretStr = SecretStr("")
    embedding_dimensions: int = Field(default=0, ge=0, le=MOST_DIMENSIONS)
    embedding_timeout_s: float = 5.0


class Embedder(Protocol):
    """Anything that turns texts into unit vectors, all of one width."""

    @property
    def name(self) -> str:
        """What tells its vectors from others: stored with each. One name is one width."""
        ...

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, in order. Raises Retryable when the model can't be reached."""
        ...


class WordLlamaEmbedder:
    """Static embeddings that ship with the package: no network, below a millisecond a text."""

    name = "wordllama-l2_supercat_256"

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        self._client = client
        self._model: Any = None
        self._loading = asyncio.Lock()

    def sibling(self, model: str) -> Embedder | None:
        """See `embedder_of`."""
        return None if self._client is None else _at_endpoint(self._client, model)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """See Embedder; the first call loads 16 MB of weights."""
        if not texts:
            return []
        async with self._loading:
            if self._model is None:
                self._model = await asyncio.to_thread(load_wordllama)
        return await asyncio.to_thread(self._embed, list(texts))

    def _embed(self, texts: list[str]) -> list[list[float]]:
        # The longest text of a batch sets the size of all of it.
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        made = self._model.embed([texts[place] for place in order])
        lengths = (made * made).sum(axis=1, keepdims=True) ** 0.5
        lengths[lengths == 0] = 1
        rows = (made / lengths).astype(float).round(_DIGITS).tolist()
        return [row for _, row in sorted(zip(order, rows, strict=True))]


@cache
def load_wordllama() -> Any:
    """WordLlama's static embeddings, one copy a process: `embed(texts)` gives a row of 256 numbers a text."""
    # Imported here: numpy and the weights cost half a second that no webhook should pay.
    import wordllama

    folder = Path(wordllama.__file__).parent
    return wordllama.WordLlama.load(cache_dir=folder, disable_download=True)


class OpenAIEmbedder:
    """`POST {base}/embeddings` as OpenAI documents it. `dimensions` is asked for only if given."""

    def __init__(self, client: httpx.AsyncClient, model: str, dimensions: int = 0) -> None:
        self._client = client
        self._request: dict[str, Any] = {"model": model} | ({"dimensions": dimensions} if dimensions else {})
        # A bare name means 256: so were all before widths were free, and they stay what they are.
        self.name = model if dimensions == _BARE else f"{model}@{dimensions or _FULL}"
        self._away_until = 0.0

    def sibling(self, model: str) -> Embedder | None:
        """See `embedder_of`."""
        return WordLlamaEmbedder(self._client) if model == WordLlamaEmbedder.name else _at_endpoint(self._client, model)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """See Embedder. Raises Permanent when the endpoint refuses or answers in another shape."""
        vectors: list[list[float]] = []
        for start in range(0, len(texts), _BATCH):
            vectors += await self._batch([text or " " for text in texts[start : start + _BATCH]])
        if len({len(vector) for vector in vectors}) > 1:
            raise Permanent("the embedding model gives vectors of several widths", reason="embedder-shape")
        return vectors

    async def _batch(self, texts: list[str]) -> list[list[float]]:
        response = await self._post({**self._request, "input": texts})
        if response.status_code == 429 or response.status_code >= 500:
            raise Retryable(f"the embedding endpoint answered {response.status_code}", reason="embedder-away")
        if response.status_code != 200:
            raise Permanent(f"the embedding endpoint answered {response.status_code}", reason="embedder-refused")
        return _vectors(response, len(texts))

    async def _post(self, request: dict[str, Any]) -> httpx.Response:
        if time.monotonic() < self._away_until:
            raise Retryable("the embedding endpoint was away just now", reason="embedder-away")
        try:
            return await self._client.post("embeddings", json=request)
        except httpx.HTTPError as error:
            # Who searches or stores one document after another must not wait for each.
            self._away_until = time.monotonic() + _REST_S
            raise Retryable(f"the embedding endpoint is away: {type(error).__name__}", reason="embedder-away") from None


def _at_endpoint(client: httpx.AsyncClient, name: str) -> OpenAIEmbedder:
    """The embedder that gives itself this name; models' own names may hold an @ too."""
    model, _, size = name.rpartition("@")
    if model and size == _FULL:
        return OpenAIEmbedder(client, model)
    if model and size.isdecimal():
        return OpenAIEmbedder(client, model, int(size))
    return OpenAIEmbedder(client, name, _BARE)


def _vectors(response: httpx.Response, count: int) -> list[list[float]]:
    try:
        rows = sorted(response.json()["data"], key=lambda row: row["index"])
        vectors = [_unit([float(number) for number in row["embedding"]]) for row in rows]
    except (ValueError, KeyError, TypeError):
        raise Permanent("the embedding endpoint answered in an unknown shape", reason="embedder-shape") from None
    if len(vectors) != count or not all(0 < len(vector) <= MOST_DIMENSIONS for vector in vectors):
        raise Permanent(
            f"the embedding endpoint gives no vector of up to {MOST_DIMENSIONS} numbers a text", reason="embedder-shape"
        )
    return vectors


def literal(vector: Sequence[float]) -> str:
    """A vector as pgvector reads it."""
    return literals([vector])[0]


def literals(vectors: Sequence[Sequence[float]]) -> list[str]:
    """Vectors of one width as pgvector reads them, to `_DIGITS` digits, filled up with zeros to one of WIDTHS.

    Zeros change no cosine. Whole numbers with an exponent are the quickest to write.
    """
    if not vectors:
        return []
    import numpy as np

    given = np.asarray(vectors, dtype=float)
    size = given.shape[1]
    filled = np.pad(given, ((0, 0), (0, next((one for one in WIDTHS if one >= size), size) - size)))
    whole = np.rint(filled * 10**_DIGITS).astype(int).tolist()
    end = f"e-{_DIGITS}"
    return [f"{str(row)[:-1].replace(',', f'{end},')}{end}]" for row in whole]


def width(literal_: str) -> int:
    """How many numbers a vector has, as `literals` wrote it."""
    return literal_.count(",") + 1


def _unit(vector: list[float]) -> list[float]:
    length = math.sqrt(sum(number * number for number in vector))
    if not math.isfinite(length):
        raise ValueError("not a number")
    return [number / length for number in vector] if length else vector


@asynccontextmanager
async def open_embedder(settings: EmbeddingSettings | None = None) -> AsyncGenerator[Embedder]:
    """The embedder that the environment names, closed at the end."""
    chosen = settings or EmbeddingSettings()
    key = chosen.embedding_api_key.get_secret_value()
    # A token that is empty makes no header (RFC 6750, section 2.1): servers of one's own often ask for none.
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    base = chosen.embedding_base_url.rstrip("/") + "/"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=chosen.embedding_timeout_s) as client:
        if chosen.embedding_model:
            yield OpenAIEmbedder(client, chosen.embedding_model, chosen.embedding_dimensions)
        else:
            yield WordLlamaEmbedder(client)


@runtime_checkable
class _Family(Protocol):
    def sibling(self, model: str) -> Embedder | None: ...


def embedder_of(embedder: Embedder, model: str) -> Embedder | None:
    """The embedder of another model at the same place, for vectors that are not replaced yet; None if it has none."""
    if model in ("", embedder.name):
        return embedder
    return embedder.sibling(model) if isinstance(embedder, _Family) else None
