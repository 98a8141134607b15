"""Checks of what tends to go wrong with a deployment, each with what was found and what to do about it."""

from __future__ import annotations

import ipaddress
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Literal
from urllib.parse import urlsplit

import httpx
import psutil  # type: ignore[import-untyped,unused-ignore]

from snowgauge.actions import check_titles, health, modelling
from snowgauge.actions.deployment import Deployment, Surroundings
from snowgauge.actions.events import now_ms
from snowgauge.actions.looks import Looks
from snowgauge.errors import SnowgaugeError
from snowgauge.modelling.application_book import ApplicationBook
from snowgauge.modelling.store import HasModelling
from snowgauge.store.base import Filter, Selection

Status = Literal["ok", "warn", "fail", "skip"]
_DAY = 86_400_000
_PATIENCE = 15.0
"""Seconds that all checks together may take; those of other hosts wait up to four for each question."""
_MODELLED_LATE = 900
_BOTS = ("bot", "crawler", "spider", "headless")
_NAMES = {"eventlog": "event log", "state": "shared state"}


@dataclass(frozen=True)
class Check:
    """``cure`` is empty where there is nothing to do."""

    id: str
    title: str
    status: Status
    found: str
    cure: str = ""


def examine(deployment: Deployment, around: Surroundings | None = None) -> list[Check]:
    """Every check; one that itself fails is reported as failed."""
    surroundings = around or Surroundings()
    groups: list[_Group] = [
        _parts,
        _disk,
        _memory,
        _collector,
        _name,
        _eventlog,
        _registries,
        _traffic,
        _json_columns,
        _modelled,
        _heartbeats,
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
    return [replace(check, title=check_titles.title(check.title, check.status)) for check in found]


_Group = Callable[[Deployment, Surroundings], Iterator[Check]]


def _named(group: _Group) -> str:
    return group.__name__.strip("_")


def _group(group: _Group, deployment: Deployment, surroundings: Surroundings) -> list[Check]:
    try:
        return list(group(deployment, surroundings))
    except (OSError, httpx.HTTPError) as error:
        return [Check(_named(group), _named(group), "fail", str(error))]


def _parts(deployment: Deployment, _: Surroundings) -> Iterator[Check]:
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


def _modelled(deployment: Deployment, _: Surroundings) -> Iterator[Check]:
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


def _heartbeats(deployment: Deployment, _: Surroundings) -> Iterator[Check]:
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


def _eventlog(deployment: Deployment, _: Surroundings) -> Iterator[Check]:
    """What about the log could lose events: topics of Kafka that keep too few copies."""
    for number, doubt in enumerate(deployment.eventlog.doubts()):
        yield Check(f"eventlog-{number}", "The event log keeps what it took", "warn", doubt.what, doubt.cure)


def _disk(deployment: Deployment, _: Surroundings) -> Iterator[Check]:
    usage = shutil.disk_usage(deployment.data_dir)
    share = usage.free / usage.total
    status: Status = "fail" if usage.free < 1_000_000_000 else "warn" if share < 0.1 else "ok"
    yield Check(
        "disk",
        "There is room on the disk",
        status,
        f"{usage.free / 1e9:.1f} GB free ({share:.0%})",
        "Delete old events (retention), or give common.data_dir a larger disk." if status != "ok" else "",
    )


def _memory(_: Deployment, around: Surroundings) -> Iterator[Check]:
    memory = psutil.virtual_memory()
    if around.engine_memory is None:
        yield Check("memory", "The engine's memory fits this machine", "skip", "the store is not the embedded engine")
        return
    enough = around.engine_memory + 800_000_000 <= memory.total
    yield Check(
        "memory",
        "The engine's memory fits this machine",
        "ok" if enough else "warn",
        f"the engine may take {around.engine_memory / 1e9:.1f} GB of {memory.total / 1e9:.1f} GB",
        "" if enough else "Lower clickhouse.engine.memory_limit, or add memory: else the system may kill the engine.",
    )


def _collector(deployment: Deployment, around: Surroundings) -> Iterator[Check]:
    url = deployment.collector_url
    if not url:
        yield Check("collector", "The collector answers", "skip", "its address is not known here")
        return
    try:
        answer = httpx.get(f"{url}/health", timeout=4)
        before = time.time()
        ok = answer.status_code == 200
        yield Check(
            "collector",
            "The collector answers",
            "ok" if ok else "fail",
            f"{url}/health: {answer.status_code}",
            "" if ok else "Is it running, and does the proxy in front pass requests on?",
        )
        origin = "https://www.example.com"
        ask = httpx.options(
            f"{url}/com.snowplowanalytics.snowplow/tp2",
            timeout=4,
            headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
        )
        allowed = ask.headers.get("access-control-allow-origin") == origin
        credentials = ask.headers.get("access-control-allow-credentials") == "true"
        cors = allowed and credentials
        yield Check(
            "cors",
            "Browsers may send from other sites (CORS)",
            "ok" if cors else "fail",
            "preflights are answered" if cors else f"preflight answered {ask.status_code} without the origin",
            "" if cors else "A proxy in front must pass OPTIONS on and must not add or strip CORS headers.",
        )
        if "date" in answer.headers:
            skew = abs(parsedate_to_datetime(answer.headers["date"]).timestamp() - before)
            yield Check(
                "proxy-clock",
                "The collector's clock agrees",
                "ok" if skew < 5 else "warn",
                f"{skew:.0f} s apart",
                "" if skew < 5 else "Switch time synchronisation on for both machines (NTP).",
            )
    except httpx.HTTPError as error:
        yield Check(
            "collector",
            "The collector answers",
            "fail",
            f"{url}: {error}",
            "Is it running? Is console.collector_url the address that visitors use?",
        )
    host = urlsplit(url).hostname or ""
    wrong = [
        one for one in around.cookie_domains if not (host == one.lstrip(".") or host.endswith("." + one.lstrip(".")))
    ]
    yield Check(
        "cookie",
        "The cookie's domain fits the collector",
        "warn" if wrong else "ok",
        f"{', '.join(wrong)} is not a domain of {host}" if wrong else "it does",
        "Browsers refuse a cookie for another domain: correct collector.cookie.domains." if wrong else "",
    )


def _name(deployment: Deployment, _: Surroundings) -> Iterator[Check]:
    parts = urlsplit(deployment.collector_url)
    host = parts.hostname or ""
    if not host or host == "localhost" or _is_ip(host):
        yield Check(
            "dns", "The collector's name is known (DNS)", "skip", "it is reached by address, on this machine only"
        )
        yield Check("tls", "The certificate is valid", "skip", "the collector has no https address")
        return
    try:
        found = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, parts.port or 443)})
        yield Check("dns", "The collector's name is known (DNS)", "ok", f"{host} is {', '.join(found)}")
    except OSError as error:
        yield Check(
            "dns",
            "The collector's name is known (DNS)",
            "fail",
            f"{host}: {error}",
            "Add an A or AAAA record with the address of this machine or of the proxy in front.",
        )
        return
    if parts.scheme != "https":
        yield Check(
            "tls",
            "The certificate is valid",
            "warn",
            "visitors send over plain http",
            "Pages served by https cannot send to http: switch tls on, or put a proxy with TLS in front.",
        )
        return
    try:
        with (
            socket.create_connection((host, parts.port or 443), timeout=4) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secure,
        ):
            certificate = secure.getpeercert() or {}
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
        days = (ends - datetime.now(UTC)).days
        yield Check(
            "tls",
            "The certificate is valid",
            "ok" if days > 14 else "warn",
            f"for {days} more days",
            "" if days > 14 else "Renewal seems to be stuck: see the log of what renews it.",
        )
    except (OSError, ssl.SSLError) as error:
        yield Check("tls", "The certificate is valid", "fail", str(error), "Renew it, or correct its chain or name.")


def _registries(_: Deployment, around: Surroundings) -> Iterator[Check]:
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


def _traffic(deployment: Deployment, _: Surroundings) -> Iterator[Check]:
    """What the events of the last day say about the way they came."""
    store = deployment.store
    day = Selection(now_ms() - _DAY)
    good, failed = store.count("good", day), store.count("failed", day)
    if not good + failed:
        yield Check(
            "traffic", "Events arrive", "warn", "none in 24 hours", "See First run for what to put into your pages."
        )
        return
    yield Check("traffic", "Events arrive", "ok", f"{good:,} good and {failed:,} failed in 24 hours")
    share = failed / (good + failed)
    yield Check(
        "failures",
        "Few events fail",
        "ok" if share < 0.02 else "warn" if share < 0.2 else "fail",
        f"{share:.1%}",
        "" if share < 0.02 else "Failed events shows the causes, the most frequent first.",
    )
    if not good:
        return
    bots = store.count("good", Selection(day.since, None, [Filter("useragent", "contains", _BOTS)]))
    yield Check(
        "bots",
        "Few events come from robots",
        "ok" if bots / good < 0.2 else "warn",
        f"{bots / good:.1%} by their user agent",
        "" if bots / good < 0.2 else "Leave them out with the bot detection enrichment, or block them in front.",
    )
    sample = store.count_by("good", "user_ipaddress", day, limit=20)
    private = sum(one.count for one in sample if _is_private(str(one.key or "")))
    behind = private > 0.9 * sum(one.count for one in sample) and not _is_local(deployment.collector_url)
    yield Check(
        "proxy",
        "Visitors' addresses come through (proxy headers)",
        "warn" if behind else "ok",
        "nearly all events have a private address" if behind else "they do",
        "The proxy in front must send X-Forwarded-For with the visitor's address." if behind else "",
    )


def _json_columns(deployment: Deployment, around: Surroundings) -> Iterator[Check]:
    title = "JSON columns say what was sent"
    if not around.json_columns:
        yield Check("json-columns", title, "skip", "the store has no JSON columns")
        return
    sent = ("contexts", "unstruct_event", "derived_contexts")
    nulls = [Filter(column, "contains", ("[null]", "[null,null")) for column in sent]
    found = deployment.store.count("good", Selection(now_ms() - _DAY, None, any_of=nulls))
    yield Check(
        "json-columns",
        title,
        "warn" if found else "ok",
        f"{found:,} events of 24 hours have arrays of nulls, which can read as [{{}}] there" if found else "they do",
        f"Read such arrays from the text in {', '.join(sent)}; the guide's page of promises lists what else differs."
        if found
        else "",
    )


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_private(host: str) -> bool:
    return _is_ip(host) and ipaddress.ip_address(host).is_private


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or "localhost"
    return host == "localhost" or _is_private(host)
