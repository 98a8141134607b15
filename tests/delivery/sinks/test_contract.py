"""Every sink keeps the contract of sinks."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer
from pyarrow import parquet

from snowgauge.delivery.contract import Sink
from snowgauge.delivery.sinks.files.settings import FilesSettings
from snowgauge.delivery.sinks.http.settings import HttpSettings
from snowgauge.delivery.sinks.json_lines.settings import JsonLinesSettings
from snowgauge.delivery.sinks.kafka.settings import KafkaSinkSettings
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.testing import kafka
from snowgauge.testing.events import web_page_view
from snowgauge.testing.kafka import KafkaBrokers
from snowgauge.testing.sink_contract import SinkContract


class Folder:
    """Where sinks that write files write them; ``unreachable`` puts a file in its way."""

    once = True
    ordered = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "written"
        self.data_dir = folder

    @contextmanager
    def unreachable(self) -> Iterator[None]:
        self.folder.write_text("in the way")
        yield
        self.folder.unlink()


class TestJsonLines(SinkContract):
    settings = JsonLinesSettings
    bad_settings = (({"folder": "x", "kinds": []}, "at least 1"), ({"folder": "x", "kinds": ["none"]}, "good"))

    class Place(Folder):
        refused: EnrichedEvent | None = None

        def sink(self) -> Sink:
            return JsonLinesSettings(folder=self.folder).open("this", self.data_dir)["this"]

        def event_ids(self) -> list[str]:
            lines = [line for path in self.folder.rglob("*.jsonl") for line in path.read_text().splitlines()]
            return [json.loads(line)["event_id"] for line in lines]

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return self.Place(tmp_path)


class TestFiles(SinkContract):
    settings = FilesSettings
    bad_settings = (
        ({"url": "nowhere://x/y"}, "nowhere"),
        ({"url": "s3://key:secret@bucket/x"}, "put them into options"),
    )

    class Place(Folder):
        refused: EnrichedEvent | None = web_page_view(99, txn_id=2**40)

        def sink(self) -> Sink:
            return FilesSettings(url=str(self.folder)).open("this", self.data_dir)["this"]

        def event_ids(self) -> list[str]:
            tables = [parquet.ParquetFile(path).read(["event_id"]) for path in self.folder.rglob("*.parquet")]
            return [str(one) for table in tables for one in table.column("event_id").to_pylist()]

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return self.Place(tmp_path)


class TestHttp(SinkContract):
    settings = HttpSettings
    bad_settings = (
        ({"destinations": {"Big": {"url": "https://example.com"}}}, "lower-case"),
        ({"destinations": {"crm": {"preset": "none", "url": "https://example.com"}}}, "preset"),
        ({"destinations": {"crm": {}}}, "url"),
    )

    class Place:
        once = False
        ordered = True
        refused: EnrichedEvent | None = web_page_view(99)

        def __init__(self, destination: Any) -> None:
            self._destination = destination
            destination.answer = self._answer
            self._closed = threading.Event()

        def _answer(self, body: Any) -> tuple[int, dict[str, str], bytes]:
            if self._closed.is_set():
                return 503, {}, b"later"
            bad = str(web_page_view(99).event_id)
            return (422, {}, b"no") if any(event["event_id"] == bad for event in body["events"]) else (200, {}, b"ok")

        def sink(self) -> Sink:
            given = {"crm": {"url": self._destination.url, "allow_private_hosts": True, "timeout": 5}}
            return HttpSettings.model_validate({"destinations": given}).open("http", Path())["http.crm"]

        def event_ids(self) -> list[str]:
            return [event["event_id"] for body in list(self._destination.bodies) for event in body["events"]]

        @contextmanager
        def unreachable(self) -> Iterator[None]:
            self._closed.set()
            yield
            self._closed.clear()

    @pytest.fixture
    def place(self, destination: Any) -> Place:
        return self.Place(destination)


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBrokers]:
    cluster = KafkaBrokers(tmp_path_factory.mktemp("kafka") / "one").start()
    yield cluster
    cluster.stop()


@pytest.mark.skipif(bool(kafka.missing()), reason=kafka.missing() or "nothing is missing")
class TestKafka(SinkContract):
    settings = KafkaSinkSettings
    bad_settings = (
        ({"brokers": "x:1"}, "no topic"),
        ({"brokers": "x:1", "good": "g", "attributes": ["nothing"]}, "'nothing'"),
        ({"brokers": "x:1", "good": "g", "properties": {"security.protocol": "nonsense"}}, "sinks.kafka.properties"),
    )

    class Place:
        once = False
        ordered = True
        refused: EnrichedEvent | None = web_page_view(99, page_title="x" * 1_100_000)

        def __init__(self, brokers: KafkaBrokers) -> None:
            self._brokers = brokers
            self._topic = f"t{uuid.uuid4().hex[:8]}"
            brokers.make_topics(self._topic)

        def sink(self) -> Sink:
            given = {"brokers": self._brokers.servers, "good": self._topic, "delivery_timeout": "5 s"}
            return KafkaSinkSettings.model_validate(given).open("this", Path())["this"]

        def event_ids(self) -> list[str]:
            consumer = Consumer(
                {
                    "bootstrap.servers": self._brokers.servers,
                    "group.id": uuid.uuid4().hex,
                    "auto.offset.reset": "earliest",
                    "enable.partition.eof": True,
                }
            )
            consumer.subscribe([self._topic])
            found: list[str] = []
            while True:
                message = consumer.poll(30)
                assert message is not None
                if message.error() is not None:  # the end
                    consumer.close()
                    return found
                found.append((message.value() or b"").decode().split("\t")[6])

        @contextmanager
        def unreachable(self) -> Iterator[None]:
            self._brokers.pause(0)
            yield
            self._brokers.resume(0)

    @pytest.fixture
    def place(self, brokers: KafkaBrokers) -> Place:
        return self.Place(brokers)
