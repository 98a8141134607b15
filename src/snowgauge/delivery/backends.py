"""What the settings of a log or of a sink have to be, so that one line registers it.

A log is a folder with a subclass of ``LogSettings``, and a field of that type in ``EventLogSettings``: the field's name
is the scheme of ``eventlog.url`` that chooses it. A sink is the same with ``SinkSettings`` and a field of
``SinksSettings``. ``open`` imports what it needs, so that drivers are loaded only where they are used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from snowgauge.delivery.contract import EventLog, Sink
from snowgauge.part_settings import PartSettings


class BatchLimits(msgspec.Struct, frozen=True):
    """A batch ends at ``entries`` or ``bytes``, whichever comes first; ``linger`` is how long an entry waits for
    company after a pause, in seconds (in the spool see ``spool.linger``)."""

    entries: int = 5000
    bytes: int = 8_000_000
    linger: float = 0.2


class Streams(msgspec.Struct, frozen=True):
    """What the collector's settings say about its streams, for logs that are made of streams.

    ``key_by_ip``: a payload's key is the visitor's IP address instead of a random one.
    """

    good: str = "good"
    bad: str = "bad"
    key_by_ip: bool = False
    max_bytes: int = 1_000_000


class LogPlace(msgspec.Struct, frozen=True):
    """Where a log is opened. ``spool`` opens the local spool, for logs that fall back on it."""

    data_dir: Path
    limits: BatchLimits = BatchLimits()
    streams: Streams = Streams()
    spool: Callable[[], EventLog] | None = None


class LogSettings(PartSettings):
    """Settings of one kind of event log."""

    def open(self, url: str, place: LogPlace) -> EventLog:
        """The log that ``eventlog.url`` and these settings describe. Opening it again gives the same log."""
        raise NotImplementedError


class SinkSettings(PartSettings):
    """Settings of one kind of sink. Without any of them given, it is off."""

    def open(self, name: str, data_dir: Path) -> Mapping[str, Sink]:
        """The sinks that these settings ask for, each under a name that stays: its cursor is found by it. ``name`` is
        the kind's, from which the names are made. Raises ``SettingsError``."""
        raise NotImplementedError
