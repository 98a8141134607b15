"""Recorded payloads in, outcomes out, as lines of text: what ``snowgauge enrich`` does, without the command line.

A line is a payload as JSON with the Thrift struct's field names (nulls allowed, an extra ``id`` is echoed), or its
record in Base64; also the ``badRow`` lines that ``snowgauge eventlog show`` prints pass through.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import msgspec
import orjson

from snowgauge.enrich.enricher import Enricher
from snowgauge.events import payload_record
from snowgauge.events.enriched_tsv import json_fragment, to_tsv
from snowgauge.events.outcome import Dropped, Enriched, Failed, Outcome, Tally
from snowgauge.events.payload import PAYLOAD_SCHEMA, CollectorPayload

Format = Literal["json", "tsv"]


class RecordedPayload(msgspec.Struct, rename="camel"):
    """A payload line. Every field may be missing or null."""

    id: Any = None
    schema: str | None = None
    ip_address: str | None = None
    timestamp: int | None = None
    encoding: str | None = None
    collector: str | None = None
    user_agent: str | None = None
    referer_uri: str | None = None
    path: str | None = None
    querystring: str | None = None
    body: str | None = None
    headers: list[str] | None = None
    content_type: str | None = None
    hostname: str | None = None
    network_user_id: str | None = None
    bad_row: Any = None

    def payload(self) -> CollectorPayload:
        fields = {
            name: value for name in CollectorPayload.__struct_fields__ if (value := getattr(self, name)) is not None
        }
        return CollectorPayload(**{"schema": PAYLOAD_SCHEMA, "encoding": "UTF-8"} | fields)


_decoder = msgspec.json.Decoder(RecordedPayload)


class BadLine(ValueError):
    """A line that holds no payload; the text says why."""


def read_line(line: str) -> RecordedPayload | bytes:
    """A JSON payload, or the bytes of a record. Raises :class:`BadLine`."""
    text = line.strip()
    if text.startswith("{"):
        try:
            return _decoder.decode(text)
        except msgspec.MsgspecError as error:
            raise BadLine(f"not a payload: {error}") from None
        except UnicodeEncodeError:
            raise BadLine("not a payload: the text is not valid Unicode") from None
    try:
        record = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadLine(
            f"expected a payload as a JSON object or as Base64 of its Thrift record, found {text[:40]!r}"
        ) from None
    return record


def run_lines(
    lines: Iterable[str],
    enricher: Enricher,
    fmt: Format = "json",
    *,
    on_error: Callable[[str], None],
    tally: Tally | None = None,
) -> Iterator[str]:
    """One line per outcome (``tsv``: one per enriched event), without line ends. ``tally`` is counted up on the way.

    What cannot be shown as a line of output is told to ``on_error``, with the number of the input line: lines that
    hold no payload and, as TSV, events that failed or were dropped.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            read = read_line(line)
        except BadLine as error:
            on_error(f"line {number}: {error}")
            continue
        echoed, outcomes = None, []
        if isinstance(read, bytes):
            outcomes = _process(enricher, read, number)
        elif read.bad_row is not None:
            if fmt == "json":
                yield _line(read.id, "failed", {}, None, read.bad_row)
            else:
                on_error(f"line {number}: failed before it came here (the line is a bad row)")
            continue
        else:
            echoed, outcomes = read.id, _process(enricher, payload_record.encode(read.payload()), number)
        if tally is not None:
            tally.count(outcomes)
        for outcome in outcomes:
            if fmt == "json":
                yield outcome_line(echoed, outcome)
            elif isinstance(outcome, Enriched):
                yield to_tsv(outcome.event)
            elif isinstance(outcome, Failed):
                on_error(f"line {number}: {outcome.failure.failure_type}: {outcome.failure.message}")
            else:
                on_error(f"line {number}: dropped by {outcome.reason}")


def _process(enricher: Enricher, record: bytes, number: int) -> list[Outcome]:
    # the same request on two lines is two requests, and a second run over the file gives the same ids
    seed = f"{hashlib.sha256(record).hexdigest()}/{number}"
    return enricher.process(record, seed)


def outcome_line(echoed: Any, outcome: Outcome) -> str:
    """``{"id", "outcome", "parameters", "event", "badRow"}``; what an outcome does not have is null."""
    match outcome:
        case Enriched():
            return _line(echoed, "enriched", outcome.parameters, json_fragment(outcome.event), None)
        case Failed():
            event = None if outcome.incomplete is None else json_fragment(outcome.incomplete)
            return _line(echoed, "failed", outcome.parameters, event, outcome.failure.bad_row())
        case Dropped():
            return _line(echoed, "dropped", outcome.parameters, None, None)


def _line(echoed: Any, outcome: str, parameters: dict[str, str | None], event: Any, bad_row: Any) -> str:
    return orjson.dumps(
        {"id": echoed, "outcome": outcome, "parameters": parameters, "event": event, "badRow": bad_row}
    ).decode()
