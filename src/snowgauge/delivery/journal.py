"""What a batch became, on disk before any of it is stored.

Enriching twice may give two answers (a registry or an API was away the first time). If the worker dies between
storing the good events and storing the failures, a second answer could lose an event or count it twice. So the answer
is written down and flushed first, and a batch that comes again is stored from here.

The file is MessagePack. Events hold any JSON value, and what MessagePack cannot hold (integers beyond 64 bits, lone
surrogates) makes the file a pickle instead, which costs several times as much; it is read with an allow-list of the
package's own value types, from a folder that only this user can write to.
"""

from __future__ import annotations

import io
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import msgspec

from snowgauge.delivery.reserve import Reserve
from snowgauge.events.outcome import Tally
from snowgauge.store.base import StoreBatch
from snowgauge.telemetry.logs import logger

_ALLOWED = {
    ("snowgauge.store.base", "StoreBatch"),
    ("snowgauge.events.enriched", "EnrichedEvent"),
    ("snowgauge.events.failed", "FailedEvent"),
    ("snowgauge.events.selfdescribing", "SelfDescribing"),
    ("snowgauge.events.selfdescribing", "SchemaKey"),
    ("snowgauge.events.outcome", "Tally"),
    ("snowgauge.delivery.journal", "Processed"),
    ("msgspec._utils", "rebuild"),
}


class Processed(msgspec.Struct):
    """A batch after enriching, with the sums of its outcomes."""

    batch: StoreBatch
    tally: Tally


_FORMERLY = {("snowgauge.pipeline.journal", "Processed"): Processed}
"""Where these types were when older versions wrote their files."""

_PACKED, _PICKLED = b"m", b"p"
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Processed).decode


def _encode(processed: Processed) -> bytes:
    try:
        return _PACKED + _pack(processed)
    except (OverflowError, UnicodeEncodeError, TypeError):
        return _PICKLED + pickle.dumps(processed, protocol=5)


def _decode(body: bytes) -> Processed:
    if body[:1] == _PACKED:
        return _unpack(body[1:])
    processed = _Reader(io.BytesIO(body[1:])).load()
    assert isinstance(processed, Processed)
    return processed


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _FORMERLY:
            return _FORMERLY[module, name]
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} does not belong into a journal")
        return super().find_class(module, name)


class Journal:
    """Processed batches of one worker that are not known to be stored yet.

    ``reserve`` is given up when there is no other room for them.
    """

    def __init__(self, folder: Path, reserve: Reserve | None = None) -> None:
        self._folder = folder
        self._reserve = reserve
        self._log = logger("pipeline")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _path(self, batch_id: str) -> Path:
        return self._folder / f"{batch_id.replace('/', '_')}.batch"

    def save(self, processed: Processed) -> None:
        """Returns when it would survive a power cut. Raises ``OSError``."""
        body = _encode(processed)
        path = self._path(processed.batch.id)
        try:
            self._write(path, body)
        except OSError:
            if self._reserve is None or not self._reserve.release():
                raise
            self._write(path, body)

    def _write(self, path: Path, body: bytes) -> None:
        part = path.with_suffix(".part")
        try:
            with part.open("wb") as file:
                file.write(zlib.crc32(body).to_bytes(4, "big"))
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            part.unlink(missing_ok=True)  # half a file takes the room of what is tried next
            raise
        part.rename(path)
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def load(self, batch_id: str) -> Processed | None:
        """What the batch became earlier. A damaged file counts as none: it was never stored from."""
        path = self._path(batch_id)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
        if zlib.crc32(raw[4:]).to_bytes(4, "big") != raw[:4]:
            self._log.warning("journal_damaged", file=str(path))
            return None
        return _decode(raw[4:])

    def forget(self, batch_id: str) -> None:
        """The batch is stored and committed."""
        self._path(batch_id).unlink(missing_ok=True)
