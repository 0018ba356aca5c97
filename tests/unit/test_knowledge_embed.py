"""Texts to vectors: the shipped model and an OpenAI-compatible endpoint."""

from __future__ import annotations

import json
import math

import httpx
import pytest

from shared.errors import FteError, Permanent, Retryable
from shared.knowledge.embed import (
    MOST_DIMENSIONS,
    EmbeddingSettings,
    OpenAIEmbedder,
    WordLlamaEmbedder,
    embedder_of,
    literals,
    open_embedder,
    width,
)


def endpoint(handler: httpx.MockTransport) -> OpenAIEmbedder:
    """An embedder on a fake wire."""
    return OpenAIEmbedder(httpx.AsyncClient(transport=handler, base_url="http://embed.example/v1/"), "text-small", 256)


async def test_the_shipped_model_gives_unit_vectors_that_tell_meanings_apart() -> None:
    """Signing in is nearer to a password than to a pizza."""
    embedder = WordLlamaEmbedder()
    login, password, pizza = await embedder.embed(["I cannot sign in", "reset a password", "the best pizza"])
    assert len(login) == 256
    assert math.isclose(sum(number * number for number in login), 1, rel_tol=1e-5)
    near = sum(a * b for a, b in zip(login, password, strict=True))
    assert near > sum(a * b for a, b in zip(login, pizza, strict=True))
    assert await embedder.embed([]) == []


async def test_the_endpoint_is_asked_in_batches_and_answers_in_order() -> None:
    """`index` decides the order, and the width that is set is asked for."""
    asked: list[dict[str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        asked.append(body)
        rows = [{"index": place, "embedding": [float(place + 1)] + [0.0] * 255} for place in range(len(body["input"]))]
        return httpx.Response(200, json={"data": rows[::-1]})

    vectors = await endpoint(httpx.MockTransport(answer)).embed(["a", ""] * 40)
    assert len(vectors) == 80
    assert vectors[0][0] == 1.0
    assert [len(body["input"]) for body in asked] == [64, 16]  # type: ignore[arg-type]
    assert asked[0]["dimensions"] == 256
    assert asked[0]["model"] == "text-small"


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (httpx.Response(503), Retryable),
        (httpx.Response(429), Retryable),
        (httpx.Response(401), Permanent),
        (httpx.Response(200, json={"data": [{"index": 0, "embedding": []}]}), Permanent),
        (httpx.Response(200, json={"data": [{"index": 0, "embedding": [1.0] * (MOST_DIMENSIONS + 1)}]}), Permanent),
        (httpx.Response(200, text='{"data": [{"index": 0, "embedding": [NaN]}]}'), Permanent),
        (httpx.Response(200, json={"data": []}), Permanent),
        (httpx.Response(200, json={"nothing": 1}), Permanent),
        (httpx.Response(200, text="no json"), Permanent),
    ],
)
async def test_faults_of_the_endpoint_are_sorted(response: httpx.Response, error: type[FteError]) -> None:
    """What may pass is tried again; what can't is said once."""
    with pytest.raises(error):
        await endpoint(httpx.MockTransport(lambda _request: response)).embed(["a"])


async def test_an_endpoint_that_is_away_is_retryable() -> None:
    """A refused connection is no bug."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(Retryable):
        await endpoint(httpx.MockTransport(refuse)).embed(["a"])


async def test_the_environment_chooses() -> None:
    """Without a model's name nothing leaves the machine."""
    async with open_embedder(EmbeddingSettings(embedding_model="")) as shipped:
        assert shipped.name.startswith("wordllama")
    async with open_embedder(EmbeddingSettings(embedding_model="text-small")) as remote:
        assert remote.name == "text-small@full"


@pytest.mark.parametrize("name", ["text-small", "text-small@full", "text-small@512", "@cf/small", "@cf/small@full"])
async def test_an_embedder_is_found_by_the_name_it_gave(name: str) -> None:
    """Stored beside vectors, a name leads back to the model and the width that made them."""
    async with open_embedder(EmbeddingSettings()) as shipped:
        found = embedder_of(shipped, name)
        assert found is not None
        assert found.name == name
        back = embedder_of(found, shipped.name)
        assert isinstance(back, WordLlamaEmbedder)


async def test_widths_that_differ_are_refused() -> None:
    """Vectors of one model that cannot be compared with each other."""

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": [{"index": n, "embedding": [1.0] * (n + 1)} for n in range(2)]})

    with pytest.raises(Permanent, match="several widths"):
        await endpoint(httpx.MockTransport(answer)).embed(["a", "b"])


def test_a_vector_is_filled_up_to_a_width_with_an_index() -> None:
    """Zeros change no cosine; what is wider than every index stays as it is."""
    (written,) = literals([[0.6, 0.8]])
    assert width(written) == 256
    assert json.loads(written)[:3] == [0.6, 0.8, 0]
    assert width(literals([[0.1] * 1000])[0]) == 1024
    assert width(literals([[0.1] * 4000])[0]) == 4000


async def test_an_endpoint_that_was_away_is_left_alone_for_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """One document after another would wait for each; then it is asked again."""
    asked: list[int] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(1)
        raise httpx.ConnectError("refused", request=request)

    embedder = endpoint(httpx.MockTransport(refuse))
    for _ in range(3):
        with pytest.raises(Retryable):
            await embedder.embed(["a"])
    assert len(asked) == 1
    monkeypatch.setattr("shared.knowledge.embed._REST_S", 0.0)
    embedder = endpoint(httpx.MockTransport(refuse))
    for _ in range(2):
        with pytest.raises(Retryable):
            await embedder.embed(["a"])
    assert len(asked) == 3
