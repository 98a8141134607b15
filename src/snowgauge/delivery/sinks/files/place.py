"""Where files lie: a folder of this machine, or object storage through fsspec."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from snowgauge.delivery import whole_file
from snowgauge.errors import SettingsError, SinkUnavailable

_LIMITS = {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 3, "mode": "standard"}}
"""Of a request to S3, in seconds."""


class Place(Protocol):
    def put(self, path: str, data: bytes) -> None:
        """A file that appears whole or not at all, in the place of one of the same path. Raises ``SinkUnavailable``."""


def place_at(url: str, data_dir: Path, options: Mapping[str, str]) -> Place:
    """Raises ``SettingsError`` for a storage that cannot be used on this machine."""
    if url.startswith("file://") or "://" not in url:
        return _Folder(data_dir / url.removeprefix("file://"))
    protocol = url.partition("://")[0]
    limits = {"config_kwargs": _LIMITS} if protocol in ("s3", "s3a") else {}
    try:
        from fsspec.core import url_to_fs

        files, root = url_to_fs(url, **limits, **options)
    except ImportError as error:
        raise SettingsError(f"sinks.files.url: {protocol}:// needs a package that is not installed: {error}") from None
    except (ValueError, TypeError, OSError) as error:
        raise SettingsError(f"sinks.files: {protocol}:// cannot be used: {error}") from None
    return _Storage(files, root.rstrip("/"), url)


class _Folder:
    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, path: str, data: bytes) -> None:
        try:
            whole_file.write(self._root / path, data)
        except OSError as error:
            raise SinkUnavailable(f"{self._root} cannot be written: {error}") from error


class _Storage:
    def __init__(self, files: Any, root: str, shown: str) -> None:
        self._files = files
        self._root = root
        self._shown = shown

    def put(self, path: str, data: bytes) -> None:
        try:
            self._files.pipe_file(f"{self._root}/{path}", data)
        except Exception as error:  # each driver has exceptions of its own
            raise SinkUnavailable(f"{self._shown} cannot be written: {type(error).__name__}: {error}") from error
