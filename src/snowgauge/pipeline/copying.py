"""The parts of `snowgauge eventlog copy`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from snowgauge.errors import ActionRefused, SettingsError
from snowgauge.pipeline import build
from snowgauge.settings.model import Settings

if TYPE_CHECKING:
    from snowgauge.delivery.kafka.copying import Copying

_ID = "eventlog-copy"


def copying(settings: Settings, told: Callable[[str], None]) -> tuple[Copying, int]:
    """A copy of the spool to the brokers of ``eventlog.url``, and how many records wait. Raises ``SettingsError``,
    ``LogUnavailable`` and ``ActionRefused``."""
    if settings.eventlog.kind != "kafka":
        raise SettingsError("eventlog copy: name the brokers with --to kafka://host:9092, or with eventlog.url")
    target = build.open_eventlog(settings)
    from snowgauge.delivery.kafka.copying import Copying, copy_id, too_old
    from snowgauge.delivery.kafka.log import KafkaLog

    assert isinstance(target, KafkaLog)
    eventlog = settings.eventlog.model_copy(update={"url": ""})
    source = build.open_eventlog(settings.model_copy(update={"eventlog": eventlog}))
    waiting = source.stats()
    short = too_old(target.cluster, waiting.oldest_seconds)
    if short:
        raise ActionRefused(
            f"the oldest record has waited for {waiting.oldest_seconds / 3600:.1f} hours, which is longer than the "
            f"retention of topic {' and '.join(short)}: brokers would delete it at once. Raise its retention.ms first"
        )
    name = copy_id(build.data_dir(settings) / _ID)
    return Copying(source, target.cluster, name, told), waiting.entries
