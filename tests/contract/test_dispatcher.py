"""The dispatcher as a process, against both Kafkas and a sink on a real socket: it delivers as a KafkaSource does."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from starlette.responses import Response

from shared.local.kafka.broker import KafkaBroker
from shared.local.server_process import free_port
from tests.contract.dispatching import CE, Dispatcher, Sink, ok, until
from tests.fixtures_kafka import Topics


@pytest.fixture
async def dispatcher(tmp_path: Path, kafka_broker: KafkaBroker) -> AsyncGenerator[Dispatcher]:
    made = Dispatcher(tmp_path, kafka_broker.address)
    made.route()
    yield made
    if made.pid:
        await made.stop()


async def test_an_event_arrives_in_binary_mode_with_its_place_and_the_overrides(
    dispatcher: Dispatcher, topics: Topics
) -> None:
    """Headers become ce- attributes, the body is untouched, the sink's path is appended, the offset is committed."""
    topic = topics.make("t")
    group = dispatcher.source(topic)
    body = '{"text": "žluťoučký kůň \\u0000"}'.encode()
    async with Sink(ok).serving() as sink:
        dispatcher.route(agent_run=sink.url)
        await dispatcher.start()
        topics.write(topic, [body], key=b"key-1", headers=[*CE, ("ce_ftesig", b"ab" * 32), ("ce_note", "ž".encode())])
        await until(lambda: len(sink.seen) == 1)
        [event] = sink.seen
        assert (event.path, event.body) == ("/events", body)
        attributes = {name.removeprefix("ce-"): value for name, value in event.headers.items() if name[:3] == "ce-"}
        assert attributes.pop("knativekafkapartition") in "0123"
        assert attributes == {
            "specversion": "1.0", "id": "id-1", "source": "/test", "type": "fte.message.received",
            "partitionkey": "key-1", "ftesig": "ab" * 32, "note": "%C5%BE", "ftetopic": topic,
            "knativekafkaoffset": "0",
        }  # fmt: skip
        assert event.headers["content-type"] == "application/json"
        await until(lambda: list(topics.committed(group, topic).values()) == [1])
        stats = await dispatcher.stats()
        assert {name: stats[name] for name in ("in_flight", "delivered", "retried", "dead_lettered", "lag")} == {
            "in_flight": 0, "delivered": 1, "retried": 0, "dead_lettered": 0, "lag": 0,
        }  # fmt: skip


async def test_a_record_that_is_no_event_becomes_one(dispatcher: Dispatcher, topics: Topics) -> None:
    """Knative's synthesised attributes stand in, and the record's key and headers are kept as extensions."""
    topic = topics.make("t")
    dispatcher.source(topic)
    async with Sink(ok).serving() as sink:
        dispatcher.route(agent_run=sink.url)
        await dispatcher.start()
        topics.write(topic, [b"plain"], key=b"k", partition=2, headers=[("X-Trace_Id", b"7")])
        await until(lambda: len(sink.seen) == 1)
        headers = sink.seen[0].headers
        assert headers["ce-type"] == "dev.knative.kafka.event"
        assert headers["ce-source"] == f"/apis/v1/namespaces/fte/kafkasources/agent-run#{topic}"
        assert (headers["ce-id"], headers["ce-subject"]) == ("partition:2/offset:0", "partition:2#0")
        assert (headers["ce-key"], headers["ce-partitionkey"], headers["ce-kafkaheaderxtraceid"]) == ("k", "k", "7")


async def test_what_may_pass_is_retried_and_what_may_not_is_a_dead_letter_at_once(
    dispatcher: Dispatcher, topics: Topics
) -> None:
    """500, 503, 404, 408, 409, 429 and a timeout are tried again; 302, 400, 401 and 422 are not."""
    topic, dead = topics.make("t"), topics.make("dead")
    group = dispatcher.source(topic, dead, delivery={"timeout": "PT0.5S"})

    async def answer(_headers: dict[str, str], body: bytes, times: int) -> Response:
        if body == b"timeout" and times == 1:
            await asyncio.sleep(1)
        return Response(status_code=int(body) if body != b"timeout" and (times == 1 or body in refused) else 200)

    passing = [b"500", b"503", b"404", b"408", b"409", b"429", b"timeout"]
    refused = [b"302", b"400", b"401", b"422"]
    async with Sink(answer).serving() as sink:
        dispatcher.route(agent_run=sink.url)
        await dispatcher.start()
        topics.write(topic, [*passing, *refused], headers=CE)
        letters = topics.read_async(dead, len(refused))
        assert sorted(each["value"] for each in await letters) == refused
        await until(lambda: all(sink.bodies().count(body) == 2 for body in passing), what=sink.bodies)
        assert all(sink.bodies().count(body) == 1 for body in refused)
        await until(lambda: sum(topics.committed(group, topic).values()) == 11)
        stats = await dispatcher.stats()
        assert (stats["delivered"], stats["retried"], stats["dead_lettered"], stats["lost"]) == (7, 7, 4, 0)


async def test_a_dead_letter_is_the_event_with_the_error_beside_it(dispatcher: Dispatcher, topics: Topics) -> None:
    """Key, body and attributes are kept; destination, code, first kilobyte of the answer and kne- headers are added."""
    topic, dead = topics.make("t"), topics.make("dead")
    dispatcher.source(topic, dead)

    async def answer(_headers: dict[str, str], _body: bytes, _times: int) -> Response:
        return Response(b"x" * 3000, status_code=422, headers={"kne-reason": "poison"})

    async with Sink(answer).serving() as sink:
        dispatcher.route(agent_run=sink.url)
        await dispatcher.start()
        topics.write(topic, [b'{"a": 1}'], key=b"key-1", partition=1, headers=CE)
        [letter] = await topics.read_async(dead, 1)
        assert (letter["key"], letter["value"]) == (b"key-1", b'{"a": 1}')
        assert base64.b64decode(letter["headers"].pop("ce_knativeerrordata")) == b"x" * 1024
        assert letter["headers"] == {name: value.decode() for name, value in CE} | {
            "ce_ftetopic": topic,
            "ce_knativekafkapartition": "1",
            "ce_knativekafkaoffset": "0",
            "ce_knativeerrordest": f"{sink.url}/events",
            "ce_knativeerrorcode": "422",
            "ce_reason": "poison",
        }


async def test_retries_end_in_the_dead_letters_after_growing_waits(dispatcher: Dispatcher, topics: Topics) -> None:
    """Linear backoff waits delay times n before the nth retry; after the last one the event is a dead letter."""
    topic, dead = topics.make("t"), topics.make("dead")
    dispatcher.source(topic, dead, delivery={"retry": 3, "backoffDelay": "PT0.2S"})

    async def answer(_headers: dict[str, str], _body: bytes, _times: int) -> Response:
        return Response(b"busy", status_code=503)

    async with Sink(answer).serving() as sink:
        dispatcher.route(agent_run=sink.url)
        await dispatcher.start()
        topics.write(topic, [b"x"], headers=CE)
        [letter] = await topics.read_async(dead, 1)
        assert letter["headers"]["ce_knativeerrorcode"] == "503"
        gaps = [later.at - earlier.at for earlier, later in zip(sink.seen, sink.seen[1:], strict=False)]
        assert len(gaps) == 3
        assert all(wait <= gap < wait + 0.5 for wait, gap in zip((0.2, 0.4, 0.6), gaps, strict=True)), gaps


async def test_a_refused_connection_is_retried_and_a_changed_route_is_followed(
    dispatcher: Dispatcher, topics: Topics
) -> None:
    """A function that is away costs retries, not the event; one that comes back elsewhere is found there."""
    topic = topics.make("t")
    dispatcher.source(topic, delivery={"retry": 100})
    dispatcher.route(agent_run=f"http://127.0.0.1:{free_port()}")
    await dispatcher.start()
    topics.write(topic, [b"x"], headers=CE)

    async def was_retried() -> bool:
        return (await dispatcher.stats())["retried"] > 0

    await until(was_retried)
    async with Sink(ok).serving() as sink:
        dispatcher.route(agent_run=sink.url)
        await until(lambda: sink.bodies() == [b"x"])


async def test_unordered_a_slow_event_blocks_nobody_and_holds_back_the_commit(
    dispatcher: Dispatcher, topics: Topics
) -> None:
    """All others of its partition are delivered meanwhile; nothing at or beyond it is committed until it is done."""
    topic = topics.make("t")
    group = dispatcher.source(topic)
    released = asyncio.Event()

    async def answer(_headers: dict[str, str], body: bytes, _times: int) -> Response:
        if body == b"3":
            await released.wait()
        return Response(status_code=200)

    async with Sink(answer).serving() as sink:
        dispatcher.route(agent_run=sink.url)
        await dispatcher.start()
        topics.write(topic, [str(number).encode() for number in range(30)], partition=0, headers=CE)
        await until(lambda: len(sink.seen) == 30)
        await until(lambda: topics.committed(group, topic) == {0: 3}, what=lambda: topics.committed(group, topic))
        stats = await dispatcher.stats()
        assert (stats["in_flight"], stats["delivered"], stats["lag"]) == (1, 29, 27)
        released.set()
        await until(lambda: topics.committed(group, topic) == {0: 30})
        assert len(sink.seen) == 30


async def test_unordered_no_more_than_99_are_under_way(dispatcher: Dispatcher, topics: Topics) -> None:
    """With every answer held back, 50 to 99 events are in flight and the rest waits in Kafka; then all arrive once."""
    topic = topics.make("t")
    dispatcher.source(topic, delivery={"timeout": "PT60S"})
    released = asyncio.Event()

    async def answer(_headers: dict[str, str], _body: bytes, _times: int) -> Response:
        await released.wait()
        return Response(status_code=200)

    async with Sink(answer).serving() as sink:
        dispatcher.route(agent_run=sink.url)
        await dispatcher.start()
        for partition in range(4):
            topics.write(
                topic, [b"%d" % (partition * 75 + each) for each in range(75)], partition=partition, headers=CE
            )
        await until(lambda: sink.now >= 50)
        await asyncio.sleep(1)  # long enough for a dispatcher without a bound to read on
        assert 50 <= sink.now == sink.most <= 99
        released.set()
        await until(lambda: len(sink.seen) == 300)
        assert len(set(sink.bodies())) == 300
        assert sink.most <= 99


async def test_ordered_one_event_of_a_partition_is_under_way_and_other_partitions_go_on(
    dispatcher: Dispatcher, topics: Topics
) -> None:
    """A failing event holds back its own partition for as long as it is retried, and no other."""
    topic = topics.make("t")
    dispatcher.source(topic, ordering="ordered", delivery={"retry": 100})
    healed = asyncio.Event()

    async def answer(_headers: dict[str, str], body: bytes, _times: int) -> Response:
        return Response(status_code=200 if healed.is_set() or body != b"0-0" else 500)

    async with Sink(answer).serving() as sink:
        dispatcher.route(agent_run=sink.url)
        await dispatcher.start()
        for partition in range(2):
            topics.write(topic, [b"%d-%d" % (partition, each) for each in range(60)], partition=partition, headers=CE)
        await until(lambda: sum(body.startswith(b"1-") for body in sink.bodies()) == 60)
        assert {body for body in sink.bodies() if body.startswith(b"0-")} <= {b"0-0"}
        healed.set()
        await until(lambda: b"0-59" in sink.bodies())
        for partition in (b"0-", b"1-"):
            order = list(dict.fromkeys(body for body in sink.bodies() if body.startswith(partition)))
            assert order == [partition + b"%d" % each for each in range(60)]


async def test_a_kill_in_the_middle_loses_nothing(dispatcher: Dispatcher, topics: Topics) -> None:
    """After kill -9 a new dispatcher delivers everything that was not finished; what was committed does not return."""
    topic = topics.make("t")
    group = dispatcher.source(topic)

    async def answer(_headers: dict[str, str], _body: bytes, _times: int) -> Response:
        await asyncio.sleep(0.05)
        return Response(status_code=200)

    async with Sink(answer).serving() as sink:
        dispatcher.route(agent_run=sink.url)
        await dispatcher.start()
        sent = [b"%d" % each for each in range(600)]
        for partition in range(4):
            topics.write(topic, sent[partition * 150 : (partition + 1) * 150], partition=partition, headers=CE)
        await until(lambda: len(sink.seen) >= 200)
        await dispatcher.kill()
        done_before, before = topics.committed(group, topic), len(sink.seen)
        assert before < 600
        await dispatcher.start()
        await until(lambda: set(sink.bodies()) == set(sent), 40)
        await until(lambda: topics.committed(group, topic) == dict.fromkeys(range(4), 150))
        again = [int(body) for body in sink.bodies()[before:]]
        assert not [each for each in again if each % 150 < done_before.get(each // 150, 0)]


async def test_a_calm_stop_finishes_what_it_began_and_nothing_is_delivered_twice(
    dispatcher: Dispatcher, topics: Topics
) -> None:
    """SIGTERM lets requests under way be answered and commits them, so the next dispatcher does not repeat them."""
    topic = topics.make("t")
    group = dispatcher.source(topic)

    async def answer(_headers: dict[str, str], _body: bytes, _times: int) -> Response:
        await asyncio.sleep(0.5)
        return Response(status_code=200)

    async with Sink(answer).serving() as sink:
        dispatcher.route(agent_run=sink.url)
        await dispatcher.start()
        topics.write(topic, [b"%d" % each for each in range(20)], partition=0, headers=CE)
        await until(lambda: sink.now == 20)
        await dispatcher.stop()
        assert topics.committed(group, topic) == {0: 20}
        await dispatcher.start()
        topics.write(topic, [b"last"], partition=0, headers=CE)
        await until(lambda: b"last" in sink.bodies())
        assert len(sink.seen) == 21


async def test_kafka_away_for_a_while_loses_nothing_not_even_a_dead_letter(
    dispatcher: Dispatcher, topics: Topics, kafka_broker: KafkaBroker
) -> None:
    """Deliveries under way end while Kafka is away; dead letters and commits are made up when it is back."""
    topic, dead = topics.make("t"), topics.make("dead")
    group = dispatcher.source(topic, dead)
    released = asyncio.Event()

    async def answer(_headers: dict[str, str], body: bytes, _times: int) -> Response:
        await released.wait()
        return Response(status_code=422 if body == b"poison" else 200)

    async with Sink(answer).serving() as sink:
        dispatcher.route(agent_run=sink.url)
        await dispatcher.start()
        topics.write(topic, [b"poison", b"good"], partition=0, headers=CE)
        await until(lambda: sink.now == 2)
        await kafka_broker.suspend()
        try:
            released.set()

            async def dead_letter_failed() -> bool:
                stats = await dispatcher.stats()
                return stats["delivered"] == 1 and stats["dead_letter_error"] is not None

            await until(dead_letter_failed, 30)
        finally:
            await kafka_broker.resume()
        letters = await topics.read_async(dead, 1, 40)
        assert [each["value"] for each in letters] == [b"poison"]

        async def dead_letter_written() -> bool:
            stats = await dispatcher.stats()
            return stats["dead_lettered"] == 1 and stats["dead_letter_error"] is None

        await until(dead_letter_written)
        topics.write(topic, [b"after"], partition=0, headers=CE)
        await until(lambda: b"after" in sink.bodies(), 40)
        await until(lambda: topics.committed(group, topic) == {0: 3}, 20, lambda: topics.committed(group, topic))


async def test_a_schedule_sends_its_event_at_each_tick(dispatcher: Dispatcher) -> None:
    """A PingSource posts its data with Knative's type and source, each tick an id of its own."""
    dispatcher.ping(
        schedule="* * * * * *", contentType="application/json", data='{"sweep": true}',
        sink={"ref": {"kind": "Service", "name": "dlq-review"}, "uri": "/events"},
    )  # fmt: skip
    async with Sink(ok).serving() as sink:
        dispatcher.route(dlq_review=sink.url)
        await dispatcher.start()
        await until(lambda: len(sink.seen) >= 2)
        first, second = sink.seen[:2]
        assert (first.path, first.body) == ("/events", b'{"sweep": true}')
        assert first.headers["ce-type"] == "dev.knative.sources.ping"
        assert first.headers["ce-source"] == "/apis/v1/namespaces/fte/pingsources/sweep"
        assert first.headers["content-type"] == "application/json"
        assert first.headers["ce-id"] != second.headers["ce-id"]
        assert (await dispatcher.stats("pings", "sweep"))["fired"] >= 2


async def test_the_log_holds_no_event_data(dispatcher: Dispatcher, topics: Topics) -> None:
    """Neither body nor key nor a header's value of a refused event reaches the log, which is JSON line for line."""
    topic, dead = topics.make("t"), topics.make("dead")
    dispatcher.source(topic, dead)

    async def answer(_headers: dict[str, str], _body: bytes, _times: int) -> Response:
        return Response(b"echo sentinel-body", status_code=400)

    async with Sink(answer).serving() as sink:
        dispatcher.route(agent_run=sink.url)
        await dispatcher.start()
        topics.write(topic, [b"sentinel-body"], key=b"sentinel-key", headers=[*CE, ("ce_note", b"sentinel-header")])
        await topics.read_async(dead, 1)
    await dispatcher.stop()
    log = (dispatcher.folder / "dispatcher.log").read_text()
    assert "sentinel" not in log
    assert {json.loads(line)["event_type"] for line in log.splitlines()} >= {
        "started",
        "event_refused",
        "event_dead_lettered",
    }
