"""Modelled tables, and whether the trackers send page pings as the settings say."""

from __future__ import annotations

from collections.abc import Iterator

from snowgauge.actions import modelling
from snowgauge.actions.deployment import Deployment, Surroundings
from snowgauge.actions.doctor.check import Check
from snowgauge.errors import SnowgaugeError
from snowgauge.modelling.application_book import ApplicationBook
from snowgauge.modelling.store import HasModelling

_MODELLED_LATE = 900


def modelled(deployment: Deployment, _: Surroundings) -> Iterator[Check]:
    if not isinstance(deployment.store, HasModelling):
        return
    title = "Modelled tables follow what is stored"
    try:
        found = modelling.status(deployment.store.modelling())
    except SnowgaugeError as error:
        yield Check("modelled", title, "fail", str(error), "Is the database up? `snowgauge db init` lays it out.")
        return
    behind = found.lag_seconds
    late = behind is None or behind > _MODELLED_LATE
    text = "they were never made" if behind is None else f"{behind:.0f} s behind"
    if found.rebuild_day is not None:
        text += f", a rebuild has come down to {found.rebuild_day}"
    if found.error:
        text += f"; the last run failed: {found.error}"
    yield Check(
        "modelled",
        title,
        "warn" if late or found.error else "ok",
        text,
        "Does the process `modeller` of `snowgauge serve` run? `snowgauge model status` and the log tell more."
        if late or found.error
        else "",
    )
    yield Check(
        "quarantined",
        "Every visit could be modelled to its end",
        "warn" if found.quarantined else "ok",
        f"{found.quarantined} visits were given up" if found.quarantined else "none was given up",
        "See derived.model_quarantine: kiosks, load tests and bots; what came first of them is counted."
        if found.quarantined
        else "",
    )


def heartbeats(deployment: Deployment, _: Surroundings) -> Iterator[Check]:
    """Engaged time is a number of heartbeats: with another interval than the tracker's it is wrong by that factor."""
    if not isinstance(deployment.store, HasModelling):
        return
    title = "Page pings come as often as the settings say"
    store = deployment.store.modelling()
    try:
        applications = ApplicationBook(store, deployment.applications_file).applications()
        seen = modelling.heartbeats(store, applications)
    except SnowgaugeError as error:
        yield Check("heartbeat", title, "skip", str(error))
        return
    wrong = [one for one in seen if one.differs]
    for one in wrong:
        yield Check(
            f"heartbeat-{one.app_id}",
            f"{title}: {one.app_id}",
            "warn",
            f"every {one.seen} s, and `heartbeat` is {one.setting}: engaged time is off by that factor",
            f"Set `heartbeat` of {one.app_id} to {one.seen} in its settings, or have the tracker send them every "
            f"{one.setting} s (enableActivityTracking, heartbeatDelay).",
        )
    if not wrong:
        text = ", ".join(f"{one.app_id} every {one.seen} s" for one in seen) or "too few page pings of late to tell"
        yield Check("heartbeat", title, "ok" if seen else "skip", text)
