"""A pixel for a bucket: the files that trackers ask for, and with which headers they are to be uploaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from snowgauge.collector.tracking import PIXEL
from snowgauge.errors import SnowgaugeError

USUAL_KEYS = (
    "i",
    "ice.png",
    "com.snowplowanalytics.snowplow/tp1",
    "com.snowplowanalytics.snowplow/tp2",
    "com.snowplowanalytics.iglu/v1",
)
"""Object keys by who asks for them: trackers of today, the first ones, GETs that name the protocol, Iglu webhooks."""

CONTENT_TYPE = "image/gif"
CACHE_CONTROL = "no-cache, no-store, must-revalidate"
MANIFEST = "manifest.json"


class Exported(msgspec.Struct, frozen=True):
    """One object to upload."""

    key: str
    file: Path


def export(folder: Path, *, more: Sequence[str] = ()) -> list[Exported]:
    """Write the pixel under every name, and a manifest of keys, content types, cache headers and checksums.

    ``more`` are further request paths. The bytes are a GIF under every name: browsers go by the content type.
    """
    keys = [*dict.fromkeys([*USUAL_KEYS, *(path.strip("/") for path in more)])]
    exported = [Exported(key, folder / "objects" / key) for key in keys]
    manifest = [
        {
            "key": one.key,
            "file": one.file.relative_to(folder).as_posix(),
            "contentType": CONTENT_TYPE,
            "cacheControl": CACHE_CONTROL,
            "sha256": hashlib.sha256(PIXEL).hexdigest(),
        }
        for one in exported
    ]
    try:
        for one in exported:
            one.file.parent.mkdir(parents=True, exist_ok=True)
            one.file.write_bytes(PIXEL)
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    except OSError as error:
        raise SnowgaugeError(f"{folder} cannot be written: {error}") from error
    return exported


def upload_command(folder: Path, bucket: str) -> str:
    """All objects have the same headers, so one command uploads them."""
    return (
        f"aws s3 cp {folder}/objects s3://{bucket}/ --recursive "
        f"--content-type {CONTENT_TYPE} --cache-control '{CACHE_CONTROL}'"
    )
