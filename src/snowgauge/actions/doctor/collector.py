"""The collector as visitors reach it: address, CORS, cookie, DNS, certificate."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from snowgauge.actions.deployment import Deployment, Surroundings
from snowgauge.actions.doctor.addresses import is_ip
from snowgauge.actions.doctor.check import Check


def collector(deployment: Deployment, around: Surroundings) -> Iterator[Check]:
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


def dns_and_tls(deployment: Deployment, _: Surroundings) -> Iterator[Check]:
    parts = urlsplit(deployment.collector_url)
    host = parts.hostname or ""
    if not host or host == "localhost" or is_ip(host):
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
