"""Schema registries elsewhere, and the clock that they show."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from snowgauge.actions.deployment import Deployment, Surroundings
from snowgauge.actions.doctor.check import Check


def registries(_: Deployment, around: Surroundings) -> Iterator[Check]:
    for address in around.registries:
        title = f"Registry reachable: {urlsplit(address).hostname}"
        probe = f"{address}/schemas/com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"
        try:
            answer = httpx.get(probe, timeout=4, follow_redirects=True)
        except httpx.HTTPError as error:
            yield Check(
                "registry",
                title,
                "warn",
                f"{type(error).__name__}: {error}",
                "Events that need a schema from it fail, and are recovered once it answers. Allow outgoing requests, "
                "or switch it off (iglu.iglu_central) and keep schemas locally.",
            )
            continue
        yield Check(
            "registry", title, "ok" if answer.status_code < 500 else "warn", f"it answered {answer.status_code}"
        )
        if "date" in answer.headers:
            skew = abs(parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time())
            yield Check(
                "clock",
                "This machine's clock is right",
                "ok" if skew < 10 else "fail",
                f"{skew:.0f} s off",
                "" if skew < 10 else "Switch time synchronisation on (NTP): times of events depend on it.",
            )
    if not around.registries:
        yield Check("registry", "Registry reachable", "skip", "only local schemas are used")
