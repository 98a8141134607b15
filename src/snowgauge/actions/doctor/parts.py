"""The parts of the deployment, and the event log in particular."""

from __future__ import annotations

from collections.abc import Iterator

from snowgauge.actions import health
from snowgauge.actions.deployment import Deployment, Surroundings
from snowgauge.actions.doctor.check import Check

_NAMES = {"eventlog": "event log", "state": "shared state"}


def parts(deployment: Deployment, _: Surroundings) -> Iterator[Check]:
    cures = {
        "store": "Is the database up? `snowgauge db init` completes its layout; the log says why it does not start.",
        "eventlog": "Is there room on the disk? Are the workers running? `snowgauge eventlog stats` tells more.",
        "state": "Is the table snowgauge_state there (`snowgauge db init`), and shared_state.key the same everywhere?",
    }
    for part in health.check(deployment).parts:
        yield Check(
            part.name,
            f"The {_NAMES.get(part.name, part.name)} works",
            "ok" if part.ok else "fail",
            part.note or "it answers",
            "" if part.ok else cures.get(part.name, ""),
        )
    stats = deployment.eventlog.stats()
    late = stats.oldest_seconds > 60
    yield Check(
        "lag",
        "Events are stored soon after they arrive",
        "warn" if late else "ok",
        f"{stats.entries} wait, the oldest for {stats.oldest_seconds:.0f} s",
        "Add workers (pipeline.workers), or see in the log what holds them up." if late else "",
    )
    yield Check(
        "eventlog-damage",
        "Every entry of the event log could be read",
        "fail" if stats.unreadable else "ok",
        f"{stats.unreadable} acknowledged entries were lost to damaged files" if stats.unreadable else "it could",
        "Check the disk. The folder `damaged` of the event log keeps the files, with a report for each; once you need "
        "neither, delete both and this check passes again."
        if stats.unreadable
        else "",
    )


def eventlog(deployment: Deployment, _: Surroundings) -> Iterator[Check]:
    """What about the log could lose events: topics of Kafka that keep too few copies."""
    for number, doubt in enumerate(deployment.eventlog.doubts()):
        yield Check(f"eventlog-{number}", "The event log keeps what it took", "warn", doubt.what, doubt.cure)
