"""What the settings of a log or of a sink have to be, so that one line registers it.

A log is a folder with a subclass of ``LogSettings``, and a field of that type in ``EventLogSettings``: the field's name
is the scheme of ``eventlog.url`` that chooses it. A sink is the same with ``SinkSettings`` and a field of
``SinksSettings``. ``open`` imports what it needs, so that drivers are loaded only where they are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from snowgauge.delivery.contract import EventLog, Sink
from snowgauge.part_settings import PartSettings


class BatchLimits(msgspec.Struct, frozen=True):
    """A batch ends at ``entries`` or ``bytes``, whichever comes first; ``linger`` is how long an entry may wait for
    company, in seconds."""

    entries: int = 5000
    bytes: int = 8_000_000
    linger: float = 0.2


class LogSettings(PartSettings):
    """Settings of one kind of event log."""

    def open(self, url: str, limits: BatchLimits, data_dir: Path) -> EventLog:
        """The log that ``eventlog.url`` and these settings describe. Opening it again gives the same log."""
        raise NotImplementedError


class SinkSettings(PartSettings):
    """Settings of one kind of sink. Without any of them given, it is off."""

    def open(self, name: str, data_dir: Path) -> Mapping[str, Sink]:
        """The sinks that these settings ask for, each under a name that stays: its cursor is found by it. ``name`` is
        the kind's, from which the names are made. Raises ``SettingsError``."""
        raise NotImplementedError
