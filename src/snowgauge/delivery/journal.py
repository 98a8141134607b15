"""What a batch became, as bytes and as a file: on disk before any of it is stored.

Enriching twice may give two answers (a registry or an API was unreachable the first time). If the worker dies between
storing the good events and storing the failures, a second answer could lose an event or count it twice. So the answer
is written down and flushed first, and a batch that comes again is stored from here.

The bytes are MessagePack. Events hold any JSON value, and what MessagePack cannot hold (integers beyond 64 bits, lone
surrogates) makes them a pickle instead, which costs several times as much; it is read with an allow-list of the
package's own value types, from a place that only this deployment can write to.
"""

from __future__ import annotations

import io
import pickle
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from snowgauge.delivery import whole_file
from snowgauge.delivery.contract import Processed
from snowgauge.telemetry.logs import logger

_ALLOWED = {
    ("snowgauge.store.base", "StoreBatch"),
    ("snowgauge.store.base", "Part"),
    ("snowgauge.store.base", "Parts"),
    ("snowgauge.events.enriched", "EnrichedEvent"),
    ("snowgauge.events.failed", "FailedEvent"),
    ("snowgauge.events.selfdescribing", "SelfDescribing"),
    ("snowgauge.events.selfdescribing", "SchemaKey"),
    ("snowgauge.events.outcome", "Tally"),
    ("snowgauge.delivery.contract", "Processed"),
    ("msgspec._utils", "rebuild"),
}
_FORMERLY = {("snowgauge.pipeline.journal", "Processed"): Processed}
"""Where these types were when older versions wrote their files."""

_PACKED, _PICKLED = b"m", b"p"
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Processed).decode
_log = logger("pipeline")


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _FORMERLY:
            return _FORMERLY[module, name]
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} does not belong into a journal")
        return super().find_class(module, name)


def encode(processed: Processed) -> bytes:
    """With a checksum in front."""
    try:
        body = _PACKED + _pack(processed)
    except (OverflowError, UnicodeEncodeError, TypeError):
        body = _PICKLED + pickle.dumps(processed, protocol=5)
    return zlib.crc32(body).to_bytes(4, "big") + body


def decode(raw: bytes) -> Processed | None:
    """``None`` for bytes that are damaged."""
    body = raw[4:]
    if not body or zlib.crc32(body).to_bytes(4, "big") != raw[:4]:
        return None
    if body[:1] == _PACKED:
        return _unpack(body[1:])
    processed = _Reader(io.BytesIO(body[1:])).load()
    assert isinstance(processed, Processed)
    return processed


def keep(path: Path, processed: Processed) -> None:
    """Write a file that appears whole or not at all, and survives a power cut once this returns. Raises ``OSError``."""
    whole_file.write(path, encode(processed))


def read(path: Path) -> Processed | None:
    """``None`` where there is no such file, or a damaged one, which was never stored from."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    processed = decode(raw)
    if processed is None:
        _log.warning("journal_damaged", file=str(path))
    return processed


def files(folder: Path) -> Iterator[tuple[Path, Processed]]:
    """Every outcome that is kept in a folder or below it, with its file."""
    for path in sorted(folder.rglob("*.batch")):
        processed = read(path)
        if processed is not None:
            yield path, processed


class Journal:
    """Outcomes of batches that are not known to be stored yet, each in a file named by its batch."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _path(self, batch_id: str) -> Path:
        return self._folder / f"{batch_id.replace('/', '_')}.batch"

    def save(self, processed: Processed) -> None:
        """Returns when it would survive a power cut. Raises ``OSError``."""
        keep(self._path(processed.batch.id), processed)

    def load(self, batch_id: str) -> Processed | None:
        return read(self._path(batch_id))

    def forget(self, batch_id: str) -> None:
        """The batch is stored and committed."""
        self._path(batch_id).unlink(missing_ok=True)
