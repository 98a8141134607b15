"""Secrets of channels, encrypted before they are stored: those who may query the store may not read them."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from snowgauge.errors import ActionRefused

_FILE = "alerts.key"


class Seal:
    """``key``: any text; the same on every machine of a deployment."""

    def __init__(self, key: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))

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


def own_key(folder: Path) -> str:
    """The key that a machine makes for itself, in a file that only its user may read."""
    file = folder / _FILE
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text("ascii").strip()
    made = base64.urlsafe_b64encode(os.urandom(32)).decode()
    with os.fdopen(descriptor, "w") as opened:
        opened.write(made)
        opened.flush()
        os.fsync(opened.fileno())
    return made
