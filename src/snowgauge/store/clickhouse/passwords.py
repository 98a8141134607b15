"""The engine's passwords: made once, kept in files that only the deployment's own user can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pydantic import SecretStr

from snowgauge.errors import SettingsError
from snowgauge.store.settings import EngineSettings

FILE = "clickhouse.password"
MAINTENANCE_FILE = "clickhouse.maintenance"


def with_passwords(engine: EngineSettings, folder: Path) -> EngineSettings:
    """The settings with the passwords that they leave empty, from files of ``folder``, made where missing.

    Several processes may ask at once: all get the same. Raises ``SettingsError`` for a file that cannot be used.
    """
    return engine.model_copy(
        update={
            "password": _given(engine.password) or kept(folder / FILE),
            "maintenance_password": _given(engine.maintenance_password) or kept(folder / MAINTENANCE_FILE),
        }
    )


def kept(file: Path) -> SecretStr:
    """The password in this file, which is made with a new one where it is missing."""
    try:
        return _read(file)
    except FileNotFoundError:
        draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}.new")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as made:
            made.write(secrets.token_urlsafe(32).encode() + b"\n")
            made.flush()
            os.fsync(made.fileno())
        try:
            os.link(draft, file)  # whole or not at all; the first process makes it
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return _read(file)


def _read(file: Path) -> SecretStr:
    try:
        with open(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)) as opened:
            mode = os.fstat(opened.fileno()).st_mode
            text = opened.read(1000).strip()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SettingsError(f"{file} cannot be read ({error.strerror}): run this as the deployment's user") from None
    if mode & 0o077:
        raise SettingsError(f"{file} can be read by other users: run `chmod 600 {file}`")
    if not text:
        raise SettingsError(f"{file} is empty: delete it, and a new password is made")
    return SecretStr(text)


def _given(secret: SecretStr) -> SecretStr | None:
    return secret if secret.get_secret_value() else None
