"""Fetches the free city and network databases that DB-IP gives away, on request, into the data folder.

They are licensed CC BY 4.0: pages that show results have to name DB-IP.com with a link. A new edition comes each month;
early in a month the last one is taken. IP lookups find the files by their names.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec

from snowgauge.errors import AssetError
from snowgauge.outgoing import HttpClient

ADDRESS = "https://download.db-ip.com/free/{name}-{month}.mmdb.gz"
"""Where editions are; ``{name}`` is one of ``NAMES``, ``{month}`` such as ``2026-11``."""

NAMES = ("dbip-city-lite", "dbip-asn-lite")
ATTRIBUTION = "IP geolocation by DB-IP (https://db-ip.com), CC BY 4.0"

_MARKER = b"\xab\xcd\xefMaxMind.com"


class FetchedDatabase(msgspec.Struct, frozen=True):
    path: Path
    size: int
    address: str


def fetch(
    folder: Path,
    http: HttpClient,
    today: date,
    *,
    names: Sequence[str] = NAMES,
    address: str = ADDRESS,
    timeout: float = 600,
    max_bytes: int = 2 * 1024**3,
) -> list[FetchedDatabase]:
    """Fetch the newest edition of each into ``folder`` (``<data>/assets``). Raises ``AssetError`` saying what to do."""
    return [_one(folder, http, today, name, (address, timeout, max_bytes)) for name in names]


def _one(folder: Path, http: HttpClient, today: date, name: str, how: tuple[str, float, int]) -> FetchedDatabase:
    pattern, timeout, max_bytes = how
    tried = []
    for month in (f"{today:%Y-%m}", _month_before(today)):
        url = pattern.format(name=name, month=month)
        try:
            answer = http.ask("GET", url, timeout=timeout, max_bytes=max_bytes, redirects=5)
        except OSError as error:
            raise AssetError(
                f"{name} cannot be fetched: {error}. Without a connection to the internet, fetch {url} elsewhere and "
                f"put the unpacked .mmdb file into {folder}"
            ) from error
        if answer.status == 200:
            return _keep(folder / f"{name}-{month}.mmdb", _unpacked(answer.body, url, max_bytes), url)
        tried.append(f"{url} (status {answer.status})")
    raise AssetError(
        f"{name} cannot be fetched: no edition at {' or '.join(tried)}; fetch a database in MaxMind's format yourself "
        f"and put it into {folder}"
    )


def _unpacked(body: bytes, url: str, max_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        content = unpacker.decompress(body, max_bytes)
    except zlib.error as error:
        raise AssetError(f"{url} is not a gzip file: {error}") from error
    if not unpacker.eof or _MARKER not in content[-128 * 1024 :]:
        raise AssetError(f"{url} is not a whole database in MaxMind's format")
    return content


def _keep(path: Path, content: bytes, url: str) -> FetchedDatabase:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
    return FetchedDatabase(path, len(content), url)


def _month_before(today: date) -> str:
    year, month = (today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)
    return f"{year:04d}-{month:02d}"
