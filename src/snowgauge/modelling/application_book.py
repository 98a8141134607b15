"""The settings of applications, kept in the store with every change ever made, or read from a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import orjson

from snowgauge.errors import ActionRefused, SettingsError
from snowgauge.modelling.applications import Application, Applications, read_application
from snowgauge.modelling.making.unit import Row
from snowgauge.modelling.store import Change, ModelStore
from snowgauge.modelling.tables.bookkeeping import SETTINGS

_LARGEST_FILE = 10_000_000


class Version(msgspec.Struct, frozen=True):
    """One version of an application's settings; ``at`` in ms, ``settings`` as they were given."""

    app_id: str
    version: int
    settings: dict[str, Any]
    changed_by: str
    at: int


class ApplicationBook:
    """``file``: where they are instead; what it says is written down in the store when it changes."""

    def __init__(self, store: ModelStore, file: Path | None = None) -> None:
        self._store = store
        self.file = file

    def applications(self) -> Applications:
        """The settings that hold. Raises ``SettingsError`` for a file that cannot be read or is wrong."""
        held = self.versions()
        if self.file is not None:
            given = read_file(self.file)
            for app_id, values in given.items():
                known = held.get(app_id)
                if known is None or known.settings != values:
                    held[app_id] = self._write(app_id, values, str(self.file), known)
            for app_id in held.keys() - given.keys():
                if held[app_id].settings:
                    held[app_id] = self._write(app_id, {}, str(self.file), held[app_id])
        return {app_id: read_application(one.settings, app_id) for app_id, one in held.items()}

    def versions(self) -> dict[str, Version]:
        """The version that holds for each application that has one; ``''``: for all others."""
        newest: dict[str, Version] = {}
        for one in self._all():
            if one.app_id not in newest or one.version > newest[one.app_id].version:
                newest[one.app_id] = one
        return newest

    def history(self, app_id: str) -> list[Version]:
        """Every version of one application, the newest first."""
        return sorted((one for one in self._all() if one.app_id == app_id), key=lambda one: -one.version)

    def put(self, app_id: str, values: dict[str, Any], by: str, expected: int | None = None) -> Version:
        """Make these the settings. ``expected``: the version that they were made from.

        Raises ``SettingsError`` for wrong ones; ``ActionRefused`` where a file has them, or another version holds by
        now.
        """
        if self.file is not None:
            raise ActionRefused(
                f"the settings of applications are in the file {self.file} (modelling.applications): change them there",
                status=409,
            )
        read_application(values, app_id)
        known = self.versions().get(app_id)
        if expected is not None and expected != (known.version if known else 0):
            raise ActionRefused(
                f"version {known.version if known else 0} holds by now, and not {expected}: look at it, and try again",
                status=409,
            )
        return self._write(app_id, values, by, known)

    def _write(self, app_id: str, values: dict[str, Any], by: str, known: Version | None) -> Version:
        now = self._store.now()
        made = Version(app_id, known.version + 1 if known else 1, values, by, now)
        row: Row = {
            "app_id": app_id,
            "version": made.version,
            "settings": orjson.dumps(values).decode(),
            "changed_by": by,
            "at": now,
        }
        self._store.replace([Change(SETTINGS, [], [row])], now * 1000)
        return made

    def _all(self) -> list[Version]:
        return [
            Version(row["app_id"], row["version"], orjson.loads(row["settings"]), row["changed_by"], row["at"])
            for row in self._store.all_rows(SETTINGS)
        ]


def read_file(file: Path) -> dict[str, dict[str, Any]]:
    """Application id -> its settings, checked. Raises ``SettingsError``."""
    import yaml

    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise SettingsError(f"{file} is larger than 10 MB: that cannot be the settings of applications")
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"modelling.applications: {file} cannot be read: {error}") from None
    try:
        whole = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise SettingsError(f"{file} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(whole, dict) or (wrong := sorted(map(str, whole.keys() - {"default", "applications"}))):
        seen = f"found {', '.join(wrong)}" if isinstance(whole, dict) else f"found a {type(whole).__name__}"
        raise SettingsError(f"{file}: expected `default` and `applications`, {seen}")
    applications = whole.get("applications") or {}
    if not isinstance(applications, dict):
        raise SettingsError(f"{file}: `applications` must have an entry for each app id, found {applications!r:.80}")
    found = {"": whole.get("default") or {}} | {str(name): values or {} for name, values in applications.items()}
    for app_id, values in found.items():
        read_application(values, app_id)
    return found


def cautious(book: ApplicationBook, told: Callable[[str], None]) -> Callable[[], Applications]:
    """The settings that hold; while a file is wrong, the last that were right, and ``told`` says why."""
    last: list[Applications] = []

    def applications() -> Applications:
        try:
            found = book.applications()
        except SettingsError as error:
            told(str(error))
            if last:
                return last[0]
            return {one.app_id: Application.model_validate(one.settings) for one in book.versions().values()}
        last[:] = [found]
        return found

    return applications
