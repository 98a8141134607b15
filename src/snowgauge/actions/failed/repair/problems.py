"""What is wrong with the failures of a cause, and the offers that help, tried on samples."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from snowgauge.actions.deployment import Deployment
from snowgauge.actions.failed.cures import cure_of
from snowgauge.actions.failed.diagnosis import Fault, vendor_of
from snowgauge.actions.failed.edits import EditOptions
from snowgauge.actions.failed.repair.headline import headline
from snowgauge.actions.failed.repair.offers import Offer, general_place, offers_for
from snowgauge.actions.failed.repair.samples import FINE, Sample, diagnosed, newest, of_cause, trouble
from snowgauge.enrich.enricher import Enricher
from snowgauge.errors import ActionRefused
from snowgauge.events.failed_cause import normal_message
from snowgauge.iglu.public_vendors import is_public

_LOOKED_AT = 100
_TRIED = 6
_MOST_VALUES = 12
_LONGEST_VALUE = 200


@dataclass(frozen=True)
class SentValue:
    """A value at the place of a problem, and in how many of the failures that were looked at."""

    value: Any
    count: int


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in ``seen`` of the failures looked at. ``headline`` is for people, ``message`` the
    validator's own words. ``place`` is a path for edits that holds in every failure of the cause."""

    headline: str
    message: str
    kind: str
    keyword: str | None
    schema: str | None
    place: str | None
    seen: int
    values: list[SentValue]
    offers: list[Offer]


@dataclass(frozen=True)
class Repair:
    """``looked_at`` of the ``open`` failures were looked at, ``tried`` of them replayed with each offer. ``advice`` is
    what to do where no offer says it. ``lost``: why nothing can be replayed."""

    cause: str
    open: int
    looked_at: int
    tried: int
    problems: list[Problem]
    advice: str
    lost: str = ""


def repair_of(deployment: Deployment, cause: str, at: int) -> Repair:
    """What would repair a cause. Raises ``ActionRefused`` for a cause that is none."""
    store = deployment.store
    count = store.count("failed", of_cause(cause))
    rows = newest(store, of_cause(cause), _LOOKED_AT) or newest(store, of_cause(cause, status=None), _LOOKED_AT)
    if not rows:
        raise ActionRefused(f"there is no cause {cause[:40]!r}; `snowgauge failed groups` lists them", status=404)
    samples = list(diagnosed(rows, deployment.resolver, deployment.validator))
    lost = samples[0].lost
    advice = cure_of(samples[0].faults[0], cause).text
    problems = _problems(samples, deployment)
    tried: list[Sample] = []
    if deployment.lend_enricher is not None and not lost:
        tried = [sample for sample in samples if sample.document is not None][:_TRIED]
        with deployment.lend_enricher() as enricher:
            problems = _tried(problems, enricher, tried, at)
    return Repair(cause, count, len(samples), len(tried), problems, advice, lost)


@dataclass
class _Seen:
    fault: Fault
    sample: Sample
    count: int = 0
    values: dict[str, tuple[Any, int]] = field(default_factory=dict)


def _problems(samples: list[Sample], deployment: Deployment) -> list[Problem]:
    """The most frequent first."""
    seen: dict[tuple[str | None, ...], _Seen] = {}
    for sample in samples:
        for fault in sample.faults:
            place = _place(fault, sample)
            key = (fault.kind, fault.keyword, fault.schema, place, normal_message(fault.message))
            known = seen.setdefault(key, _Seen(fault, sample))
            known.count += 1
            if not fault.absent and not isinstance(fault.value, dict | list) and len(str(fault.value)) < _LONGEST_VALUE:
                before = known.values.get(repr(fault.value), (fault.value, 0))[1]
                known.values[repr(fault.value)] = (fault.value, before + 1)
    problems = []
    for one in sorted(seen.values(), key=lambda one: -one.count):
        offers = list(offers_for(one.fault, one.sample.document or {}, deployment.resolver))
        common = sorted(one.values.values(), key=lambda value: -value[1])[:_MOST_VALUES]
        problems.append(
            Problem(
                headline(one.fault), one.fault.message, one.fault.kind, one.fault.keyword, one.fault.schema,
                _place(one.fault, one.sample), one.count, [SentValue(*value) for value in common], offers,
            )
        )  # fmt: skip
    return problems


def _place(fault: Fault, sample: Sample) -> str | None:
    return None if fault.place is None else general_place(fault.place, sample.document or {})


def _tried(problems: list[Problem], enricher: Enricher, samples: list[Sample], at: int) -> list[Problem]:
    """With how many samples each offer helps; those that help none are left out."""
    before = {sample.row.id: trouble(enricher, sample.row, [], at) for sample in samples}
    found = []
    for problem in problems:
        offers = []
        for offer in problem.offers:
            if offer.action != "edit" or offer.asked is not None:
                offers.append(offer)
                continue
            edits = offer.edits.edits()
            helps = sum(trouble(enricher, one.row, edits, at) < before[one.row.id] for one in samples)
            if helps:
                offers.append(replace(offer, helps=helps))
        found.append(replace(problem, offers=offers))
    good_now = sum(left == FINE for left in before.values())
    if good_now:
        again = Offer("Try again unchanged: what was missing is available now", "replay", EditOptions(), None, good_now)
        found = [replace(problem, offers=[again, *problem.offers]) for problem in found]
    return found


def infer_refused(schema: str | None) -> bool:
    """May no schema be inferred for failures of this one, since its vendor publishes it elsewhere?"""
    vendor = vendor_of(schema)
    return vendor is None or is_public(vendor)
