"""Events read out of a store into files, one a day, for other tools.

Every file appears whole or not at all, and a list beside them (``_export.json``) says what each holds. The same export
a second time writes only days that are missing or have got other events since. An event that was sent twice on a day
is written once.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args

import msgspec

from snowgauge.actions import spreadsheet
from snowgauge.actions.lifetime.files import written
from snowgauge.actions.lifetime.places import Progress, silent
from snowgauge.errors import SnowgaugeError
from snowgauge.events.analytics_json import shredded
from snowgauge.events.enriched import ATOMIC_FIELDS, EnrichedEvent
from snowgauge.events.enriched_tsv import as_json, json_text, to_tsv
from snowgauge.events.failed import FailedEvent
from snowgauge.events.timestamps import tsv_text
from snowgauge.store.base import EventKind, Reader, Selection
from snowgauge.store.canonical import contexts_text, unstruct_text
from snowgauge.store.lifetime import Lifetime, Row, row_key

Format = Literal["parquet", "csv", "csv-exact", "jsonl", "tsv", "snowplow-json"]
FORMATS: tuple[Format, ...] = get_args(Format)
DAY = 86_400_000
_PAGE = 5000
_SUFFIX = {"csv-exact": "csv", "snowplow-json": "jsonl"}
_LIST = "_export.json"


class File(msgspec.Struct, frozen=True):
    """One file of an export. ``since`` and ``until`` (ms) are the part of the day that was asked for."""

    path: str
    rows: int
    sha256: str
    since: int
    until: int


class Summary(msgspec.Struct, frozen=True):
    written: list[File]
    kept: list[File]


class _List(msgspec.Struct):
    kind: EventKind
    format: str
    files: dict[str, File]


def export(
    reader: Reader,
    lifetime: Lifetime,
    folder: Path,
    *,
    kind: EventKind = "good",
    fmt: Format = "parquet",
    since: int | None = None,
    until: int | None = None,
    progress: Progress = silent,
) -> Summary:
    """Write ``collector_date=YYYY-MM-DD/<kind>.<format>`` for each UTC day that has events."""
    if kind == "failed" and fmt != "jsonl":
        raise SnowgaugeError(f"failed events are bad rows, which only jsonl can hold: asked was {fmt}")
    folder.mkdir(parents=True, exist_ok=True)
    listed = _read_list(folder, kind, fmt)
    done: list[File] = []
    kept: list[File] = []
    for bucket in reader.timeline(kind, Selection(since, until), seconds=DAY // 1000):
        start = bucket.key if since is None else max(bucket.key, since)
        end = bucket.key + DAY if until is None else min(bucket.key + DAY, until)
        day = tsv_text(bucket.key)[:10]
        before = listed.files.get(day)
        if (
            before is not None
            and (before.rows, before.since, before.until) == (bucket.count, start, end)
            and (folder / before.path).is_file()
        ):
            kept.append(before)
            continue
        target = folder / f"collector_date={day}" / f"{kind}.{_SUFFIX.get(fmt, fmt)}"
        target.parent.mkdir(exist_ok=True)
        rows = _once(lifetime.scan(kind, since=start, until=end), partial(progress, day))
        with written(target, mode=0o644) as file:
            count = _WRITERS[fmt](rows, file)
        made = File(str(target.relative_to(folder)), count, digest(target), start, end)
        listed.files[day] = made
        with written(folder / _LIST, mode=0o644) as file:
            file.write(msgspec.json.format(msgspec.json.encode(listed)))
        done.append(made)
    return Summary(done, kept)


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_list(folder: Path, kind: EventKind, fmt: str) -> _List:
    path = folder / _LIST
    if not path.exists():
        return _List(kind, fmt, {})
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_List)
    except msgspec.DecodeError as error:
        raise SnowgaugeError(f"{path} is not the list of an export ({error}): name another folder") from None
    if (found.kind, found.format) != (kind, fmt):
        raise SnowgaugeError(
            f"{folder} holds an export of {found.kind} events as {found.format}: name another folder for {kind}, {fmt}"
        )
    return found


def _once(rows: Iterable[Row], progress: Callable[[int], None]) -> Iterator[Row]:
    seen: set[str] = set()
    for row in rows:
        key = row_key(row)[0]
        if key not in seen:
            seen.add(key)
            progress(len(seen))
            yield row


def _tsv(rows: Iterable[Row], file: BinaryIO) -> int:
    """Snowplow's enriched TSV: 131 fields, no header."""
    return _lines((to_tsv(row).encode("utf-8", "replace") for row in rows if isinstance(row, EnrichedEvent)), file)


def _jsonl(rows: Iterable[Row], file: BinaryIO) -> int:
    """Canonical JSON of events; bad rows of failed events."""
    return _lines((row.bad_row_json() if isinstance(row, FailedEvent) else json_text(row) for row in rows), file)


def _snowplow_json(rows: Iterable[Row], file: BinaryIO) -> int:
    """What Snowplow's analytics SDKs make of the TSV: one column for each schema."""
    return _lines((msgspec.json.encode(shredded(as_json(row))) for row in rows if isinstance(row, EnrichedEvent)), file)


def _lines(lines: Iterable[bytes], file: BinaryIO) -> int:
    count = 0
    for line in lines:
        file.write(line + b"\n")
        count += 1
    return count


def _csv(rows: Iterable[Row], file: BinaryIO, text_of: Callable[[str], str] = spreadsheet.cell) -> int:
    """With a header; instants as in the TSV, self-describing columns as JSON text. No cell begins like a formula,
    unless ``text_of`` leaves texts as they are."""
    text = io.TextIOWrapper(file, "utf-8", errors="replace", newline="")
    writer = csv.writer(text)
    writer.writerow([field.name for field in ATOMIC_FIELDS])
    count = 0
    for row in rows:
        assert isinstance(row, EnrichedEvent)
        writer.writerow([_cell(value, text_of) for value in _flat(row).values()])
        count += 1
    text.flush()
    text.detach()
    return count


def _cell(value: Any, text_of: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return text_of(value)
    return {None: "", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else value


def _flat(event: EnrichedEvent) -> dict[str, Any]:
    """Every column as text, number or flag."""
    out: dict[str, Any] = {}
    for field in ATOMIC_FIELDS:
        value = getattr(event, field.name)
        if field.kind == "entities":
            value = contexts_text(value) or None
        elif field.kind == "event":
            value = unstruct_text(value) or None
        elif field.kind == "timestamp" and value is not None:
            value = tsv_text(value)
        out[field.name] = value
    return out


def _parquet(rows: Iterable[Row], file: BinaryIO) -> int:
    """Typed: instants as UTC timestamps in ms, money and ``se_value`` as doubles, self-describing columns as text."""
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as error:
        raise SnowgaugeError(f"parquet needs pyarrow ({error}): pip install 'snowgauge[parquet]'") from None

    kinds: Mapping[str, Any] = {
        "timestamp": arrow.timestamp("ms", tz="UTC"), "int": arrow.int32(), "boolean": arrow.bool_(),
        "float": arrow.float64(), "decimal": arrow.float64(),
    }  # fmt: skip
    schema = arrow.schema([(field.name, kinds.get(field.kind, arrow.string())) for field in ATOMIC_FIELDS])
    count = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        page: list[dict[str, Any]] = []
        for row in rows:
            assert isinstance(row, EnrichedEvent)
            page.append(_typed(row))
            if len(page) == _PAGE:
                writer.write_table(arrow.Table.from_pylist(page, schema))
                count += len(page)
                page = []
        if page:
            writer.write_table(arrow.Table.from_pylist(page, schema))
    return count + len(page)


def _typed(event: EnrichedEvent) -> dict[str, Any]:
    out = _flat(event)
    for field in ATOMIC_FIELDS:
        if field.kind == "timestamp":
            out[field.name] = getattr(event, field.name)
        elif field.kind == "decimal" and out[field.name] is not None:
            out[field.name] = float(out[field.name])
        elif isinstance(out[field.name], str):
            out[field.name] = out[field.name].encode("utf-8", "replace").decode()
    return out


_WRITERS: Mapping[Format, Callable[[Iterable[Row], BinaryIO], int]] = {
    "parquet": _parquet,
    "csv": _csv,
    "csv-exact": partial(_csv, text_of=str),
    "jsonl": _jsonl,
    "tsv": _tsv,
    "snowplow-json": _snowplow_json,
}
