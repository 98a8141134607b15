"""Secrets of channels, encrypted before they are stored: those who may query the store may not read them."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from snowgauge.errors import ActionRefused
from snowgauge.state.documents import Documents

BOOK = "alerts"
_FILE = "alerts.key"
_SHARED = "key"


class Seal:
    """``key``: any text; the same on every machine of a deployment."""

    def __init__(self, key: str) -> None:
        self._keys: Callable[[], Sequence[str]] = lambda: [key]

    @staticmethod
    def shared(documents: Documents, folder: Path) -> Seal:
        """With keys that all machines share, asked for at the first use. ``folder`` has the key that this machine may
        have made for itself before: what it closed is still opened."""
        seal = Seal("")
        seal._keys = partial(_shared_keys, documents, folder)
        return seal

    @cached_property
    def _fernet(self) -> MultiFernet:
        digests = [hashlib.sha256(key.encode()).digest() for key in self._keys()]
        return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])

    def close(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises ``ActionRefused`` for what another key closed."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except (InvalidToken, UnicodeDecodeError):
            raise ActionRefused(
                "its address was sealed with another key: give every machine the same alerts.key, or enter the "
                "address again",
                status=409,
            ) from None


def _shared_keys(documents: Documents, folder: Path) -> list[str]:
    """The key that closes, then those that machines had for themselves. Raises ``StateUnavailable``."""
    file = folder / _FILE
    own = file.read_text("ascii").strip() if file.exists() else ""
    if own:
        documents.put(f"own/{hashlib.sha256(own.encode()).hexdigest()[:16]}", own.encode(), None)
    key = documents.read(_SHARED)
    if key is None:
        documents.put(_SHARED, (own or _new_key()).encode(), None)  # unless another machine was faster
        key = documents.read(_SHARED)
        assert key is not None
    return [key.decode(), *(body.decode() for body in documents.contents("own").values() if body != key)]


def _new_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def own_key(folder: Path) -> str:
    """The key that a machine makes for itself, in a file that only its user may read."""
    file = folder / _FILE
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text("ascii").strip()
    made = _new_key()
    with os.fdopen(descriptor, "w") as opened:
        opened.write(made)
        opened.flush()
        os.fsync(opened.fileno())
    return made
