"""What other deployments' agent APIs answer, all asked at once; one that is unreachable or slow holds up nobody."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import msgspec

from snowgauge.actions.agent import figures
from snowgauge.actions.elsewhere.settings import OtherDeployment
from snowgauge.actions.looks import Answer, Looks
from snowgauge.errors import SnowgaugeError
from snowgauge.outgoing import HttpClient

T = TypeVar("T")

_PATIENCE = 8.0
"""Seconds in which every deployment has to answer."""
_MOST_BYTES = 512 * 1024
_FRESH = 10.0
"""Seconds for which an answer is shown again, so that many open consoles ask no more often than one."""
_MOST_NAMES = 10
_CURE = "set `allow_private_hosts` for a deployment in your own network"


class Silent(SnowgaugeError):
    """A deployment did not answer as an agent API does."""


@dataclass(frozen=True)
class Figures:
    """What one deployment says about itself. ``minutes`` are the last 60; types, trackers and counts those of 24 hours.
    ``capacity`` is ``None`` where its version does not tell it."""

    status: figures.Status
    health: figures.Health
    counts: figures.PeriodCounts
    minutes: list[figures.MinuteCount]
    event_types: list[figures.EventType]
    trackers: list[figures.Counted]
    versions: figures.Versions
    limits: list[figures.LimitHit]
    capacity: figures.Throughput | None


@dataclass(frozen=True)
class Look:
    """``problem`` says why there are no ``figures``."""

    name: str
    url: str
    figures: Figures | None
    problem: str


class OtherDeployments:
    """Safe for threads. ``close`` ends the connections."""

    def __init__(self, deployments: Mapping[str, OtherDeployment]) -> None:
        self._deployments = deployments
        self._looks = Looks(_PATIENCE)
        self._clients = {
            private: HttpClient(
                timeout=_PATIENCE / 2,
                max_bytes=_MOST_BYTES,
                retries=0,
                allow_private_hosts=private,
                private_hosts_cure=_CURE,
            )
            for private in {one.allow_private_hosts for one in deployments.values()}
        }

    def looks(self) -> list[Look]:
        """Every deployment, in the order of the settings."""
        if not self._deployments:
            return []
        with ThreadPoolExecutor(len(self._deployments), "deployment") as threads:
            answers = threads.map(self._recent, self._deployments)
            return [self._shown(name, answer) for name, answer in zip(self._deployments, answers, strict=True)]

    def _recent(self, name: str) -> Answer:
        return self._looks.recent(name, partial(self._asked, self._deployments[name]), _FRESH)

    def _shown(self, name: str, answer: Answer) -> Look:
        url = self._deployments[name].url
        if answer.late:
            return Look(name, url, None, f"No answer within {_PATIENCE:g} s.")
        if answer.error is not None:
            return Look(name, url, None, str(answer.error))
        seen: Figures = answer.value
        return Look(name, url, seen, "")

    def _asked(self, deployment: OtherDeployment) -> Figures:
        def get(path: str, shape: type[T]) -> T:
            return self._get(deployment, path, shape)

        counts = {one.period: one for one in get("counts", list[figures.PeriodCounts])}
        if "24h" not in counts:
            raise Silent(f"{deployment.url}/agent/v1/counts tells nothing of the last 24 hours.")
        return Figures(
            status=get("status", figures.Status),
            health=get("health", figures.Health),
            counts=counts["24h"],
            minutes=get("minutes?number=60", list[figures.MinuteCount]),
            event_types=get("event-types?period=24h", list[figures.EventType])[:_MOST_NAMES],
            trackers=get("trackers?period=24h", list[figures.Counted])[:_MOST_NAMES],
            versions=get("versions", figures.Versions),
            limits=get("limits", list[figures.LimitHit]),
            capacity=self._capacity(deployment),
        )

    def _capacity(self, deployment: OtherDeployment) -> figures.Throughput | None:
        try:
            return self._get(deployment, "capacity", figures.Throughput)
        except NoSuchRoute:
            return None

    def _get(self, deployment: OtherDeployment, path: str, shape: type[T]) -> T:
        address = f"{deployment.url}/agent/v1/{path}"
        client = self._clients[deployment.allow_private_hosts]
        try:
            status, body = client(
                "GET", address, headers={"authorization": f"Bearer {deployment.token.get_secret_value()}"}
            )
        except OSError as error:
            raise Silent(str(error)) from error
        if status == 404:
            raise NoSuchRoute(f"{address} answered 404. Is the agent API switched on there, and the address right?")
        if status in (401, 403):
            raise Silent(f"{address} answered {status}. Check the token of this deployment.")
        if status != 200:
            raise Silent(f"{address} answered {status}.")
        try:
            return msgspec.json.decode(body, type=shape)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise Silent(f"{address} gave no answer of an agent API: {error}") from error

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


class NoSuchRoute(Silent):
    """The deployment's agent API, if it has one, does not have this route."""
