"""All checks, asked at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import httpx

from snowgauge.actions.deployment import Deployment, Surroundings
from snowgauge.actions.doctor import titles
from snowgauge.actions.doctor.check import Check
from snowgauge.actions.doctor.collector import collector, dns_and_tls
from snowgauge.actions.doctor.machine import disk, memory
from snowgauge.actions.doctor.modelled import heartbeats, modelled
from snowgauge.actions.doctor.parts import eventlog, parts
from snowgauge.actions.doctor.registries import registries
from snowgauge.actions.doctor.traffic import json_columns, traffic
from snowgauge.actions.looks import Looks

_PATIENCE = 15.0
"""Seconds that all checks together may take; those of other hosts wait up to four for each question."""
_Group = Callable[[Deployment, Surroundings], Iterator[Check]]


def examine(deployment: Deployment, around: Surroundings | None = None) -> list[Check]:
    """Every check; one that itself fails is reported as failed."""
    surroundings = around or Surroundings()
    groups: list[_Group] = [
        parts,
        disk,
        memory,
        collector,
        dns_and_tls,
        eventlog,
        registries,
        traffic,
        json_columns,
        modelled,
        heartbeats,
    ]
    found: list[Check] = []
    looks = Looks(_PATIENCE)
    for name, answer in looks.ask(
        {_named(group): partial(_group, group, deployment, surroundings) for group in groups}
    ).items():
        if answer.late:
            found.append(Check(name, name, "fail", f"no answer within {_PATIENCE:g} s"))
        elif answer.error is not None:
            found.append(Check(name, name, "fail", str(answer.error)))
        else:
            found += answer.value
    return [replace(check, title=titles.title(check.title, check.status)) for check in found]


def _named(group: _Group) -> str:
    return group.__name__


def _group(group: _Group, deployment: Deployment, surroundings: Surroundings) -> list[Check]:
    try:
        return list(group(deployment, surroundings))
    except (OSError, httpx.HTTPError) as error:
        return [Check(_named(group), _named(group), "fail", str(error))]
