"""Files that enrichments need: fetched, kept in the data folder, asked for again on a period, swapped while running.

A kept copy lies in ``<data>/assets/fetched`` beside a small JSON file with where it came from, its checksum and its
ETag; several processes share them. A start with a kept copy younger than the period needs no network. A refresh that
fails leaves the old file in use, with a warning and the metric ``asset_refresh_failures``.

Readable: plain paths and ``file:``; ``http(s):``; ``s3:``, ``gs:``, ``az:``/``abfs:`` through fsspec, whose drivers
are extras. A blob's ``https://<account>.blob.core.windows.net/...`` goes through the Azure driver when it is
installed, and is asked for as any other web address otherwise (public blobs, SAS links).
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec

from snowgauge.errors import AssetError
from snowgauge.outgoing import HttpClient
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count

T = TypeVar("T")

_DRIVERS = {
    # scheme: (extra of snowgauge, package fsspec asks for)
    "s3": ("s3", "s3fs"),
    "s3a": ("s3", "s3fs"),
    "gs": ("gcs", "gcsfs"),
    "gcs": ("gcs", "gcsfs"),
    "az": ("azure", "adlfs"),
    "abfs": ("azure", "adlfs"),
    "abfss": ("azure", "adlfs"),
}
_BLOB = re.compile(r"https://([a-z0-9]+)\.blob\.core\.windows\.net/([^?]+)$")
_BLOCK = 1024 * 1024
log = logger("assets")


class Kept(msgspec.Struct):
    """What is known of a kept copy. Times are Unix seconds."""

    uri: str
    sha256: str
    size: int
    changed_at: float
    checked_at: float
    etag: str | None = None
    unreadable: bool = False
    """It arrived whole, but the enrichment could not read it; the copy before it is kept as ``.previous``."""


class AssetStatus(msgspec.Struct, frozen=True):
    """One asset for ``enrichments list``. Ages are seconds; ``error`` is that of the last refresh, if it failed."""

    uri: str
    size: int
    age: float
    checked: float
    error: str | None


class _Object(msgspec.Struct, frozen=True):
    """An object in a cloud's store: the address as configured, and as fsspec wants it."""

    uri: str
    address: str
    scheme: str
    options: dict[str, str] = {}


class LoadedAsset(Generic[T]):
    """Implements ``Asset``. The swap is one assignment, so a reader sees the old value or the new one."""

    def __init__(self, uri: str, read: Callable[[], tuple[str, T]]) -> None:
        self.uri = uri
        self._read = read
        self._lock = threading.Lock()
        self._sha256, self._value = read()

    @property
    def value(self) -> T:
        return self._value

    def reload(self, sha256: str) -> bool:
        """Load again if the kept copy differs from what is loaded."""
        with self._lock:
            if sha256 == self._sha256:
                return False
            self._sha256, self._value = self._read()
            return True


class AssetCache:
    """Implements ``Assets``."""

    def __init__(
        self,
        folder: Path,
        http: HttpClient,
        *,
        period: timedelta = timedelta(days=7),
        timeout: timedelta = timedelta(minutes=10),
        max_bytes: int = 2 * 1024**3,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``folder`` is ``<data>/assets``; ``period`` zero: files are asked for at every start and never again."""
        self.folder = folder
        self._fetched = folder / "fetched"
        self._http = http
        self._period = period.total_seconds()
        self._timeout = timeout.total_seconds()
        self._max_bytes = max_bytes
        self._clock = clock
        self._loaded: list[LoadedAsset[Any]] = []
        self._kept: dict[str, Kept] = {}
        self._errors: dict[str, str] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def get(self, uri: str, load: Callable[[bytes], T]) -> LoadedAsset[T]:
        return self._load(uri, lambda path: load(path.read_bytes()))

    def get_file(self, uri: str, load: Callable[[Path], T]) -> LoadedAsset[T]:
        return self._load(uri, load)

    def find(self, pattern: str) -> str | None:
        if not self.folder.is_dir():
            return None
        files = [
            (entry.stat().st_mtime, entry.name, entry.path)
            for entry in os.scandir(self.folder)
            if entry.is_file() and fnmatch.fnmatch(entry.name, pattern)
        ]
        return Path(max(files)[2]).resolve().as_uri() if files else None

    def refresh(self) -> list[str]:
        """Ask for every file again and swap those that changed; the URIs of the changed ones. Never raises."""
        changed = []
        for asset in list(self._loaded):
            try:
                kept = self._keep(asset.uri, max_age=self._period)
                if kept.unreadable or not asset.reload(kept.sha256):
                    continue
                if not self._kept[asset.uri].unreadable:  # reading it is what tells
                    changed.append(asset.uri)
                    log.info("asset_swapped", asset=asset.uri, bytes=kept.size)
            except Exception as error:
                self._warn(asset.uri, error)
        return changed

    def start(self) -> None:
        """Refresh on the period, in a thread of its own, until :meth:`stop`."""
        if self._period <= 0 or self._thread is not None:
            return
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="assets", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=self._timeout)
            self._thread = None

    def ages(self) -> list[AssetStatus]:
        """Every asset in use, with its age since it last changed and since it was last asked for."""
        now = self._clock()
        return [
            AssetStatus(kept.uri, kept.size, now - kept.changed_at, now - kept.checked_at, self._errors.get(kept.uri))
            for kept in self._kept.values()
        ]

    def _run(self) -> None:
        # more often than the period: copies differ in age, and what failed is tried again
        while not self._stop.wait(min(max(self._period / 10, 0.01), 3600)):
            self.refresh()

    def _load(self, uri: str, read: Callable[[Path], T]) -> LoadedAsset[T]:
        self._keep(uri, max_age=self._period)
        asset = LoadedAsset(uri, lambda: self._read(uri, read))
        self._loaded.append(asset)
        return asset

    def _read(self, uri: str, read: Callable[[Path], T]) -> tuple[str, T]:
        """The newest copy that can be read, and the checksum of the newest copy."""
        kept, path = self._kept[uri], self._path(uri)
        try:
            return kept.sha256, read(path)
        except Exception as error:
            problem = AssetError(f"file {uri} was fetched ({kept.size} bytes) and cannot be read: {error}")
            previous = _previous(path)
            if not previous.exists():
                raise problem from error
            kept.unreadable = True
            _write_whole(_about(path), msgspec.json.encode(kept))
            self._warn(uri, problem)
            return kept.sha256, read(previous)

    def _path(self, uri: str) -> Path:
        name = re.sub(r"[^A-Za-z0-9._-]", "_", uri.rstrip("/").rpartition("/")[2].partition("?")[0]) or "file"
        return self._fetched / f"{hashlib.sha256(uri.encode()).hexdigest()[:16]}-{name[-80:]}"

    def _keep(self, uri: str, max_age: float) -> Kept:
        """Make sure a copy is kept, asking for it when the last time is longer ago than ``max_age``."""
        path = self._path(uri)
        kept = _read_kept(_about(path)) if path.exists() else None
        local = _local_path(uri)
        fresh = kept is not None and 0 <= self._clock() - kept.checked_at < max_age
        if kept is not None and fresh and local is None:
            self._kept[uri] = kept
            return kept
        self._fetched.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
        try:
            etag = self._fetch(uri, local, kept, part)
            kept = self._settle(uri, kept, part, etag)
            if not kept.unreadable:
                self._errors.pop(uri, None)
        except AssetError as error:
            # a local file that is missing at start is the operator's slip, not a network's mood
            if kept is None or (local is not None and uri not in self._kept):
                raise
            self._warn(uri, error)
        finally:
            part.unlink(missing_ok=True)
        _write_whole(_about(path), msgspec.json.encode(kept))
        self._kept[uri] = kept
        return kept

    def _settle(self, uri: str, kept: Kept | None, part: Path, etag: str | None) -> Kept:
        """Make what arrived the kept copy; the one before stays beside it, for what arrived may turn out unreadable."""
        now, path = self._clock(), self._path(uri)
        if not part.exists():  # the answer was: not changed
            assert kept is not None
            return msgspec.structs.replace(kept, checked_at=now)
        digest = hashlib.sha256()
        with part.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        size = part.stat().st_size
        if size == 0:
            raise AssetError(f"file {uri} is empty")
        if kept is not None and kept.sha256 == digest.hexdigest():
            return msgspec.structs.replace(kept, checked_at=now, etag=etag)
        if kept is not None and not kept.unreadable:
            spare = part.with_suffix(".spare")
            spare.unlink(missing_ok=True)
            os.link(path, spare)
            spare.replace(_previous(path))
        part.replace(path)
        return Kept(uri, digest.hexdigest(), size, now, now, etag)

    def _fetch(self, uri: str, local: Path | None, kept: Kept | None, part: Path) -> str | None:
        """Write the file to ``part`` unless it is as it was; its tag (ETag or what stands for one)."""
        if local is not None:
            return _copy_local(uri, local, kept, part)
        scheme = urlsplit(uri).scheme
        if scheme in _DRIVERS:
            return self._fetch_object(_Object(uri, uri, scheme), kept, part)
        blob = _BLOB.match(uri)
        if blob and find_spec("adlfs"):
            return self._fetch_object(_Object(uri, f"az://{blob[2]}", "az", {"account_name": blob[1]}), kept, part)
        if scheme in ("http", "https"):
            return self._fetch_web(uri, kept, part)
        raise AssetError(
            f"file {uri!r} cannot be fetched: its scheme is {scheme!r}; possible are a path, file:, http:, https:, "
            "s3:, gs:, az:"
        )

    def _fetch_web(self, uri: str, kept: Kept | None, part: Path) -> str | None:
        headers = {"if-none-match": kept.etag} if kept is not None and kept.etag else {}
        try:
            answer = self._http.ask(
                "GET", uri, headers=headers, timeout=self._timeout, max_bytes=self._max_bytes, redirects=5
            )
        except OSError as error:
            raise AssetError(f"file {uri} cannot be fetched: {error}") from error
        if answer.status == 304 and kept is not None:
            return kept.etag
        if answer.status != 200:
            raise AssetError(f"file {uri} cannot be fetched: the server answered with status {answer.status}")
        part.write_bytes(answer.body)
        return answer.headers.get("etag")

    def _fetch_object(self, wanted: _Object, kept: Kept | None, part: Path) -> str | None:
        import fsspec

        uri = wanted.uri
        extra, package = _DRIVERS[wanted.scheme]
        try:
            files, path = fsspec.core.url_to_fs(wanted.address, **wanted.options)
            about = files.info(path)
            tag = str(about.get("ETag") or about.get("etag") or about.get("md5Hash") or files.ukey(path))
            if kept is not None and tag == kept.etag:
                return tag
            if int(about.get("size") or 0) > self._max_bytes:
                raise AssetError(f"file {uri} has {about['size']} bytes; at most {self._max_bytes} are fetched")
            files.get_file(path, str(part))
        except ImportError as error:
            raise AssetError(
                f"file {uri} needs the package {package}, which is not installed: pip install 'snowgauge[{extra}]'"
            ) from error
        except AssetError:
            raise
        except Exception as error:  # each driver has exceptions of its own
            raise AssetError(f"file {uri} cannot be fetched: {type(error).__name__}: {error}") from error
        return tag

    def _warn(self, uri: str, error: Exception) -> None:
        self._errors[uri] = str(error)
        count("asset_refresh_failures", 1, asset=uri)
        log.warning("asset_refresh_failed", asset=uri, error=str(error), consequence="the old file stays in use")


class RecordingAssets:
    """Passes requests on and remembers which files one enrichment asked for."""

    def __init__(self, assets: Any) -> None:
        self._assets = assets
        self.uris: list[str] = []

    def get(self, uri: str, load: Callable[[bytes], T]) -> Any:
        self.uris.append(uri)
        return self._assets.get(uri, load)

    def get_file(self, uri: str, load: Callable[[Path], T]) -> Any:
        self.uris.append(uri)
        return self._assets.get_file(uri, load)

    def find(self, pattern: str) -> str | None:
        found: str | None = self._assets.find(pattern)
        return found


def joined(uri: str, database: str) -> str:
    """The address of ``database`` in the folder ``uri``, as enrichment configurations give them (enrich 6.10)."""
    return f"{uri}{database}" if uri.endswith("/") else f"{uri}/{database}"


def _local_path(uri: str) -> Path | None:
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return Path(uri) if not parts.scheme else None


def _copy_local(uri: str, local: Path, kept: Kept | None, part: Path) -> str:
    try:
        about = local.stat()
        tag = f"{about.st_mtime_ns}-{about.st_size}"
        if kept is None or kept.etag != tag:
            # copied, because a file that is overwritten in place must not change under a reader's feet
            with local.open("rb") as source, part.open("wb") as target:
                while block := source.read(_BLOCK):
                    target.write(block)
    except OSError as error:
        raise AssetError(f"file {uri} cannot be read: {error.strerror or error}") from error
    return tag


def _about(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _previous(path: Path) -> Path:
    return path.with_name(path.name + ".previous")


def _read_kept(path: Path) -> Kept | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError):
        return None


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    part.write_bytes(content)
    part.replace(path)
