"""Micro mode: collector, enrich and Micro's API in one process, in memory.

The collector's log writer enriches on the spot: what it was given is visible in the API before the tracking request is
answered. Suites written for Snowplow Micro wait for events to arrive; here they are there already, so nothing flakes.
"""

from __future__ import annotations

import asyncio
import gc
import queue
import signal
import socket
import sys
import threading
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
import orjson
import uvloop

from snowgauge.actions.micro.memory import MemoryMicroEvents
from snowgauge.api.micro.app import MicroApp, Schemas
from snowgauge.collector.serve import serve
from snowgauge.collector.settings import CollectorSettings
from snowgauge.delivery.enriching import collector_failure
from snowgauge.enrich.enricher import Enricher
from snowgauge.errors import SettingsError
from snowgauge.events import bad_row, enriched_tsv
from snowgauge.events.analytics_json import schema_of, shredded
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.json_text import compact
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Enriched, Failed, Outcome
from snowgauge.outgoing import HttpClient
from snowgauge.telemetry.logs import logger

Format = Literal["tsv", "json"]
_log = logger("EventLog")
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - read, not bound


class Output:
    """Writes events as they come: to a stream, or by POST to ``destination``, one request per batch.

    A destination that is unreachable costs its events a warning each batch, never a tracking request its answer.
    """

    def __init__(
        self, fmt: Format, stream: BinaryIO | None = None, destination: str = "", http: HttpClient | None = None
    ) -> None:
        self._fmt = fmt
        self._stream = stream
        self._destination = destination
        self._http = http
        self._batches: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        if destination:
            self._thread = threading.Thread(target=self._post, name="micro-output", daemon=True)
            self._thread.start()

    def write(self, events: Sequence[EnrichedEvent]) -> None:
        if not events:
            return
        lines = "\n".join([self._line(event) for event in events]).encode()
        if self._stream is not None:
            self._stream.write(lines + b"\n")
            self._stream.flush()
        else:
            self._batches.put(lines)

    def close(self) -> None:
        if self._thread is not None:
            self._batches.put(None)
            self._thread.join(10)
        if self._http is not None:
            self._http.close()

    def _line(self, event: EnrichedEvent) -> str:
        return enriched_tsv.to_tsv(event) if self._fmt == "tsv" else compact(shredded(enriched_tsv.as_json(event)))

    def _post(self) -> None:
        kind = "text/tab-separated-values" if self._fmt == "tsv" else "application/json"
        assert self._http is not None
        while (batch := self._batches.get()) is not None:
            try:
                status, _ = self._http("POST", self._destination, headers={"content-type": kind}, body=batch)
            except OSError as error:
                _log.warning("output_not_delivered", destination=self._destination, reason=str(error))
            else:
                if status >= 300:
                    _log.warning("output_not_delivered", destination=self._destination, status=status)


class MicroWriter:
    """A log writer that keeps nothing for later: entries become events in ``append``.

    ``events`` and ``output`` are where they go, either may be missing. Safe for several threads.
    """

    def __init__(
        self,
        enricher: Enricher,
        events: MemoryMicroEvents | None,
        output: Output | None = None,
        *,
        new_seed: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._enricher = enricher
        self._events = events
        self._output = output
        self._new_seed = new_seed
        self._one_at_a_time = threading.Lock()

    def append(self, entries: Sequence[LogEntry]) -> None:
        with self._one_at_a_time:
            made: list[EnrichedEvent] = []
            for entry in entries:
                outcomes = self._outcomes(entry)
                if self._events is not None:
                    self._events.add(entry.body, outcomes)
                for outcome in outcomes:
                    made += _tell(outcome)
            if self._output is not None:
                self._output.write(made)

    def healthy(self) -> bool:
        return True

    def close(self) -> None:
        """What was appended has long been seen to."""

    def _outcomes(self, entry: LogEntry) -> list[Outcome]:
        seed = self._new_seed()
        if entry.kind == "bad_row":
            return [Failed(collector_failure(entry, seed))]
        try:
            return self._enricher.process(entry.body, seed)
        except Exception as error:
            _log.exception("record_poisonous")
            reason = f"{type(error).__name__}: {error}"
            text = entry.body.decode("utf-8", "backslashreplace")
            processor = self._enricher.processor
            return [
                Failed(
                    bad_row.generic_error(
                        processor, entry.received_at, str(uuid.uuid4()), [reason], text, record=entry.body
                    )
                )
            ]


def _tell(outcome: Outcome) -> list[EnrichedEvent]:
    """One line on standard error per event, as Micro writes them; gives the event, if there is one."""
    match outcome:
        case Enriched(event=event):
            schema = schema_of({name: getattr(event, name) for name in _SCHEMA_COLUMNS})
            words = [f"GOOD id:{event.event_id}"]
            words += [f"app_id:{event.app_id}"] if event.app_id else []
            words += [f"type:{event.event}"] if event.event else []
            words += [f"({schema})"] if schema else []
            _log.info(" ".join(words))
            return [event]
        case Failed():
            _log.warning(f"BAD {_messages(outcome.failure)}")
            return [] if outcome.incomplete is None else [outcome.incomplete]
    return []


_SCHEMA_COLUMNS = ("event_vendor", "event_name", "event_format", "event_version")


def _messages(failed: FailedEvent) -> str:
    failure = failed.data.get("failure")
    messages = failure.get("messages") if isinstance(failure, dict) else None
    if not messages:
        return failed.message or "Error while validating the event."
    return "".join(orjson.dumps(message).decode() for message in messages)


class Certificate(msgspec.Struct, frozen=True):
    """PEM files for HTTPS, and its port."""

    chain: Path
    key: Path
    port: int


def run(
    settings: CollectorSettings,
    writer: MicroWriter,
    events: MemoryMicroEvents | None,
    schemas: Schemas,
    *,
    certificate: Certificate | None = None,
    ready: Callable[[int], None] | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C. Port 0 takes a free one, which ``ready`` is told."""
    held, settings = _own_port(settings)
    plain = settings.model_copy(update={"ssl": settings.ssl.model_copy(update={"enable": False, "redirect": False})})
    doors = [plain]
    if certificate is not None:
        ssl = settings.ssl.model_copy(
            update={
                "enable": True,
                "redirect": False,
                "port": certificate.port,
                "certificate": certificate.chain,
                "private_key": certificate.key,
            }
        )
        doors.append(settings.model_copy(update={"ssl": ssl}))
    more = {"/micro": MicroApp(events, schemas, any_origin=True)}
    gc.collect()
    gc.freeze()

    async def main() -> None:
        stop = asyncio.Event()
        for sort in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(sort, stop.set)
        waiting = len(doors)

        def opened() -> None:
            nonlocal waiting
            waiting -= 1
            if not waiting and ready is not None:
                ready(settings.port)

        async with asyncio.TaskGroup() as group:
            for door in doors:
                group.create_task(serve(door, writer, stop=stop, more=more, ready=opened, hurry=lambda: True))

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
    except* SettingsError as errors:
        raise errors.exceptions[0] from None
    finally:
        held.close()


def _own_port(settings: CollectorSettings) -> tuple[socket.socket, CollectorSettings]:
    """A port that nobody else gets.

    Collectors share ports (SO_REUSEPORT), so two that were started on one port would silently share the requests.
    The socket is bound and never listens: it holds the port, and takes no connection.
    """
    address = _ANY_ADDRESS.get(settings.interface, settings.interface)
    if settings.port:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((address, settings.port)) == 0:
                raise SettingsError(
                    f"collector.port: something else listens on port {settings.port}; stop it or choose another port"
                )
    return reserve(settings.port if settings.port else 0, settings)


def reserve(port: int, settings: CollectorSettings) -> tuple[socket.socket, CollectorSettings]:
    """Hold ``port`` (0: any free one) for this process."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        held.bind(("127.0.0.1", port))
    except OSError as error:
        held.close()
        raise SettingsError(f"collector.port: cannot have port {port} ({error.strerror}); choose another") from None
    return held, settings.model_copy(update={"port": held.getsockname()[1]})


def standard_output(fmt: Format) -> Output:
    return Output(fmt, sys.stdout.buffer)


def posting(fmt: Format, destination: str) -> Output:
    return Output(fmt, destination=destination, http=HttpClient(retries=0, allow_private_hosts=True))
