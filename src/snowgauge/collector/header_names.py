"""Header names as they are usually spelled.

ASGI and HTTP/2 lower-case them; Snowplow's collector stores them as received, and configurations written for it (the
HTTP header extractor, JavaScript enrichments) look for the usual spelling.
"""

from __future__ import annotations

_SPELLINGS = {
    name.lower(): name
    for name in (
        "SP-Anonymous",
        "DNT",
        "TE",
        "ETag",
        "ECT",
        "RTT",
        "DPR",
        "WWW-Authenticate",
        "Content-MD5",
        "HTTP2-Settings",
        "Sec-GPC",
        "CF-Connecting-IP",
        "CF-Connecting-IPv6",
        "CF-Pseudo-IPv4",
        "CF-IPCountry",
        "CF-IPCity",
        "CF-Ray",
        "CF-EW-Via",
        "CF-Visitor",
        "CF-Worker",
        "CDN-Loop",
        "True-Client-IP",
        "Fastly-Client-IP",
        "Fastly-SSL",
        "X-Real-IP",
        "X-Client-IP",
        "X-Cluster-Client-IP",
        "X-Original-Forwarded-For",
        "X-Appengine-User-IP",
        "X-Azure-ClientIP",
        "X-Azure-SocketIP",
        "X-Azure-FDID",
        "X-Azure-Ref",
        "X-FD-HealthProbe",
        "X-Request-ID",
        "X-Correlation-ID",
        "X-B3-TraceId",
        "X-B3-SpanId",
        "X-B3-ParentSpanId",
        "X-GeoIP-Country",
        "X-ATT-DeviceId",
        "X-CSRF-Token",
        "X-XSRF-Token",
        "X-HTTP-Method-Override",
        "X-UIDH",
        "X-OperaMini-Phone-UA",
        "X-OperaMini-UA",
        "X-OperaMini-Features",
        "X-UCBrowser-UA",
        "X-UCBrowser-Device-UA",
        "Device-Stock-UA",
        # written in lower case by those who send them
        "traceparent",
        "tracestate",
        "baggage",
        "newrelic",
        "sentry-trace",
    )
}


def _spell(name: bytes) -> str:
    text = name.decode("latin-1").lower()
    if text.startswith("sec-ch-"):  # client hints: browsers send them in lower case
        return text
    return _SPELLINGS.get(text) or "-".join(part.capitalize() for part in text.split("-"))


_remembered: dict[bytes, str] = {}
_MOST_REMEMBERED = 2048


def usual_spelling(name: bytes) -> str:
    """``x-forwarded-for`` -> ``X-Forwarded-For``, ``sp-anonymous`` -> ``SP-Anonymous``; client hints stay."""
    spelled = _remembered.get(name)
    if spelled is None:
        spelled = _spell(name)
        # so that a hostile client cannot fill the memory: the usual ones come first
        if len(name) <= 64 and len(_remembered) < _MOST_REMEMBERED:
            _remembered[name] = spelled
    return spelled
