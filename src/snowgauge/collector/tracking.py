"""One tracking request from its first byte to its answer, in the order of stream-collector 3.4."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence

from snowgauge.collector.bodies import BodyIncomplete, BodyTooLarge, Deadlines, read_body
from snowgauge.collector.cookies import CookieJar, do_not_track
from snowgauge.collector.cors import allow_headers
from snowgauge.collector.endpoints import Answer, text
from snowgauge.collector.limits import SizeLimits
from snowgauge.collector.meter import Meter
from snowgauge.collector.payloads import ANONYMOUS_NETWORK_USER_ID, Records, Sent
from snowgauge.collector.query_strings import first_value
from snowgauge.collector.redirects import ClickRedirects, CookieBounce
from snowgauge.collector.request import Header, Request
from snowgauge.collector.routing import Route
from snowgauge.collector.settings import CollectorSettings
from snowgauge.collector.submit import Submitter
from snowgauge.errors import LogUnavailable
from snowgauge.events.failed import Processor
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.trace_ids import trace_ids
from snowgauge.telemetry.reporting.base import TRANSACTION, Followed

PIXEL = base64.b64decode("R0lGODlhAQABAPAAAP///wAAACH5BAUAAAAALAAAAAABAAEAAAICRAEAOw==")

_NO_CACHE: Header = (b"cache-control", b"no-cache, no-store, must-revalidate")
_GIF: Header = (b"content-type", b"image/gif")
_PLAIN: Header = (b"content-type", b"text/plain")
_CLOSE: Header = (b"connection", b"close")


class Tracking:
    """Builds the payload, has it kept, and answers only then."""

    def __init__(
        self,
        settings: CollectorSettings,
        submitter: Submitter,
        meter: Meter,
        *,
        name: str,
        processor: Processor,
        clock: Callable[[], int],
        new_uuid: Callable[[], str],
    ) -> None:
        networking = settings.networking
        self._submitter = submitter
        self._meter = meter
        self._records = Records(name)
        self._clock = clock
        self._new_uuid = new_uuid
        self._jar = CookieJar(settings.cookie)
        self._opted_out = do_not_track(settings.do_not_track_cookie)
        self._bounce = CookieBounce(settings.cookie_bounce)
        self._redirects = ClickRedirects(settings)
        self._query_user_id = first_value("nuid")
        self._drop_size = networking.drop_payload_size
        self._limits = SizeLimits(
            max_bytes=settings.streams.good.max_bytes,
            max_payload_size=networking.max_payload_size,
            processor=processor,
        )
        self._deadlines = Deadlines(networking.response_header_timeout.total_seconds())
        self._retry_after = (b"retry-after", b"%d" % max(1, int(networking.retry_after.total_seconds())))
        p3p = settings.p3p
        policy = f'policyref="{p3p.policy_ref}", CP="{p3p.cp}"'
        self._p3p: list[Header] = [(b"p3p", policy.encode("latin-1", "replace"))] if p3p.sent else []

    async def answer(self, request: Request, route: Route) -> Answer:
        task = self._deadlines.begin()
        body: bytes | None = None
        received = False
        try:
            if request.method == "POST":
                body = await read_body(request, self._drop_size)
            received = True
            answer, entries = self._decide(request, route, body)
            if entries:
                work = request.scope.get(TRANSACTION)
                if work is not None and work.follows:
                    work.payloads = [
                        Followed(trace_ids(entry.body, is_payload=entry.kind == "payload")) for entry in entries
                    ]
                await self._submitter.submit(entries)
                for entry in entries:
                    self._meter.kept(len(entry.body))
        except LogUnavailable:
            return self._unavailable(request, "log_unavailable")
        except BodyTooLarge:
            self._meter.refused("too_large")
            return 413, [_CLOSE] if request.scope.get("http_version") != "2" else [], b""
        except BodyIncomplete:
            self._meter.refused("incomplete")
            return bad_request(request)
        except asyncio.CancelledError:
            if not self._deadlines.expired(task):
                raise
            task.uncancel()
            if received:
                # the log may still keep it: the tracker sends again, and enrich tells the two by their event id
                return self._unavailable(request, "timeout")
            self._meter.refused("timeout")
            status, headers, reason = text(408, b"Response timed out")
            return status, [*headers, *allow_headers(request)], reason
        finally:
            self._deadlines.end(task)
        return answer

    def _decide(self, request: Request, route: Route, body: bytes | None) -> tuple[Answer, Sequence[LogEntry]]:
        """The answer, and what has to be durable before it is given."""
        now = self._clock()
        cookie = self._jar.read(request)
        opted_out = self._opted_out(request)
        redirect = route.kind == "redirect"
        user_id, bounce = self._network_user_id(request, cookie)
        bounce = bounce and route.kind == "pixel"

        headers: list[Header] = [] if opted_out else self._jar.write(request, now, user_id, cookie)
        if body is None:
            headers.append(_NO_CACHE)
        headers += allow_headers(request)
        headers += self._p3p

        answer: Answer
        if bounce:
            headers.append((b"location", self._bounce.location(request)))
            return (302, headers, b""), ()
        if redirect:
            target = self._redirects.location(request, user_id)
            if target is not None:
                headers.append((b"location", target))
            answer = (400 if target is None else 302, headers, b"")
        elif body is None:
            headers.append(_GIF)
            answer = (200, headers, b"" if request.method == "HEAD" else PIXEL)
        else:
            headers.append(_PLAIN)
            answer = (200, headers, b"ok")
        if opted_out:
            return answer, ()
        record, damaged = self._records.of(request, Sent(route.path, body, user_id, now))
        return answer, self._limits.entries(record, now) if damaged is None else self._limits.damaged(record, damaged)

    def _network_user_id(self, request: Request, cookie: str | None) -> tuple[str, bool]:
        """The id, and whether the browser should be sent round to see if it keeps cookies."""
        if request.anonymous:
            return ANONYMOUS_NETWORK_USER_ID, False
        if request.query:
            user_id = self._query_user_id(request.query)
            if user_id is not None:
                return user_id, False
        if cookie is not None:
            return cookie, False
        if self._bounce.enabled:
            if self._bounce.bounced(request):
                return self._bounce.fallback, False
            return self._new_uuid(), True
        return self._new_uuid(), False

    def _unavailable(self, request: Request, reason: str) -> Answer:
        """Not kept: trackers send again later. With CORS, so that scripts see the status."""
        self._meter.refused(reason)
        return unavailable(request, self._retry_after)


def unavailable(request: Request, retry_after: Header) -> Answer:
    status, headers, body = text(503, b"Service Unavailable")
    return status, [*allow_headers(request), retry_after, *headers], body


def bad_request(request: Request) -> Answer:
    """As the reference answers what it cannot read. HTTP/2 has no Connection header."""
    return 400, [] if request.scope.get("http_version") == "2" else [_CLOSE], b""
