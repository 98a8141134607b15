"""What the console does about one person: export what is held, look what an erasure would take out, and erase.

An erasure is written down before it begins, so one that breaks off is finished by ``snowgauge erase --resume``.
"""

from __future__ import annotations

import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from snowgauge.actions.deployment import Deployment
from snowgauge.actions.lifetime.erasing import Erasing, Identifier
from snowgauge.actions.lifetime.person_export import export_person
from snowgauge.errors import ActionRefused

MOST_IDENTIFIERS = 200
_IN_MEMORY = 8_000_000


@dataclass(frozen=True)
class PlaceCount:
    """How much of a person is in a place."""

    place: str
    items: int


@dataclass(frozen=True)
class ErasurePlan:
    """What an erasure would take out. Nothing was changed."""

    places: list[PlaceCount]
    items: int


@dataclass(frozen=True)
class ErasureState:
    """``state``: running, also where another machine or a command does it; done; or broken off, which
    ``snowgauge erase --resume`` finishes. ``removed`` items were taken out."""

    id: str
    state: Literal["running", "done", "broken off"]
    removed: int = 0


def plan(deployment: Deployment, identifiers: Sequence[Identifier]) -> ErasurePlan:
    """Look everywhere. Raises ``ActionRefused``, and ``SnowgaugeError`` for identifiers that cannot be used."""
    found = _erasing(deployment).plan(_checked(identifiers))
    return ErasurePlan([PlaceCount(one.place, one.items) for one in found.places if one.items], found.items)


def erase(deployment: Deployment, identifiers: Sequence[Identifier], *, by: str, reason: str) -> ErasureState:
    """Write an erasure down and begin it."""
    erasing = _erasing(deployment)
    order = erasing.order(_checked(identifiers), at=time.time_ns() // 1_000_000, by=by, reason=reason)
    deployment.erasures.begin(erasing, order)
    return ErasureState(order.id, "running")


def state(deployment: Deployment, erasure_id: str) -> ErasureState:
    """Of one that was begun, wherever. Raises ``ActionRefused`` where there was none."""
    erasing = _erasing(deployment)
    if deployment.erasures.runs(erasure_id):
        return ErasureState(erasure_id, "running")
    for report in erasing.reports():
        if report.id == erasure_id:
            return ErasureState(erasure_id, "done", sum(taken.removed for taken in report.taken))
    if any(order.id == erasure_id for order in erasing.unfinished()):
        return ErasureState(erasure_id, "broken off")
    raise ActionRefused(f"there is no erasure {erasure_id[:100]!r}", status=404)


def export(deployment: Deployment, identifiers: Sequence[Identifier]) -> Iterator[bytes]:
    """A ZIP of what an erasure of the same identifiers would take out. The search is done here, so that a refusal is
    one."""
    erasing, given = _erasing(deployment), _checked(identifiers)
    packed = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by who reads it
    with tempfile.TemporaryDirectory(prefix="snowgauge-export-") as folder:
        files = Path(folder) / "person"
        export_person(erasing, given, files)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as zipped:
            for file in sorted(files.iterdir()):
                zipped.write(file, file.name)
    packed.seek(0)
    return _pieces(packed)


def _pieces(packed: tempfile.SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    with packed:
        while piece := packed.read(65_536):
            yield piece


def _checked(identifiers: Sequence[Identifier]) -> Sequence[Identifier]:
    if not 1 <= len(identifiers) <= MOST_IDENTIFIERS:
        raise ActionRefused(f"expected 1 to {MOST_IDENTIFIERS} identifiers, found {len(identifiers)}", status=422)
    return identifiers


def _erasing(deployment: Deployment) -> Erasing:
    if deployment.erasing is None:
        raise ActionRefused("nobody is erased or exported here: use the command line", status=404)
    return deployment.erasing()
