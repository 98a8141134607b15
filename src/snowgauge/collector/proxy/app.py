"""The analytics proxy: some third-party scripts under the collector's own host, where blockers do not look.

``POST /proxy/hash`` turns an address into one of this proxy's, ``GET /proxy/route/...`` fetches it. The URLs are those
of Simple Snowplow. Unlike there it is no open proxy: a host and a path must both be on their lists, every redirect goes
to a listed host, addresses must be public, and size, time and number of fetches are bounded.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import msgspec
import orjson

from snowgauge.collector.bodies import BodyIncomplete, BodyTooLarge, read_body
from snowgauge.collector.proxy.settings import ProxySettings
from snowgauge.collector.request import Header, Receive, Request, Scope, Send
from snowgauge.outgoing import Answer, HttpClient
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count
from snowgauge.telemetry.reporting import scrubbing

_log = logger("collector")

_REDIRECTS = 3
_LARGEST_QUESTION = 16 * 1024
_PORTS = {"http": 80, "https": 443}
_JSON: Header = (b"content-type", b"application/json")
_CORS: Header = (b"access-control-allow-origin", b"*")
_SAFE: tuple[Header, ...] = (
    _CORS,
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
    # opened as a page it may do nothing in this host's name; as a script it is not concerned
    (b"content-security-policy", b"sandbox; default-src 'none'"),
)


class _Refused(Exception):
    def __init__(self, status: int, detail: object) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class _Kept(msgspec.Struct, frozen=True):
    until: float
    content_type: bytes
    body: bytes


class AnalyticsProxy:
    """An ASGI application at ``prefix``. ``http`` must refuse private addresses.

    ``public_url`` begins the addresses it makes; empty: the address that the request came to.
    """

    def __init__(
        self,
        settings: ProxySettings,
        http: HttpClient,
        *,
        prefix: str = "/proxy",
        public_url: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._prefix = prefix
        self._public_url = public_url.rstrip("/")
        self._http = http
        self._clock = clock
        self._domains = frozenset(settings.domains)
        self._paths = frozenset(settings.paths)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._kept_bytes = 0
        # threads of its own: the event log's must not wait behind a slow third party
        self._threads = ThreadPoolExecutor(settings.max_requests, "proxy")
        self._under_way: dict[str, asyncio.Task[_Kept | tuple[int, bytes, bytes]]] = {}
        self._max_age = int(settings.cache_for.total_seconds())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            status, headers, body = await self._answer(request)
        except _Refused as refused:
            count("proxy_requests", result="refused")
            status, headers = refused.status, [_JSON, _CORS]
            body = orjson.dumps({"detail": refused.detail})
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})

    async def _answer(self, request: Request) -> tuple[int, list[Header], bytes]:
        path = request.raw_path.decode("latin-1").removeprefix(self._prefix)
        if path == "/hash" and request.method == "POST":
            return 200, [_JSON, _CORS], orjson.dumps(self._hash(await _question(request), request))
        parts = path.split("/", 4)
        if len(parts) == 5 and parts[1] == "route" and request.method in ("GET", "HEAD"):
            return await self._route(unquote(parts[2]), unquote(parts[3]), unquote(parts[4]))
        raise _Refused(404, "Not Found")

    # ---- addresses --------------------------------------------------------------------------------------------

    def _hash(self, url: str, request: Request) -> str:
        """The address as one of this proxy's, if its host or its path is listed; otherwise unchanged."""
        parts = urlsplit(url)
        host, path = parts.netloc, parts.path.removeprefix("/")
        if host not in self._domains and path not in self._paths:
            return url
        rest = path + (f"?{parts.query}" if parts.query else "")
        if path in self._paths:
            rest = base64.urlsafe_b64encode(rest.encode()).decode()
        hidden = base64.urlsafe_b64encode(host.encode()).decode()
        own = self._public_url or _own_address(request)
        return f"{own}{self._prefix}/route/{parts.scheme}/{hidden}/{rest}"

    async def _route(self, scheme: str, hidden_host: str, hidden_rest: str) -> tuple[int, list[Header], bytes]:
        if scheme not in _PORTS:
            raise _Refused(400, "scheme must be http or https")
        host = self._listed_host(_revealed(hidden_host, "host"))
        try:
            rest = _revealed(hidden_rest, "path")
        except _Refused:
            rest = hidden_rest
        path, _, query = rest.lstrip("/").partition("?")
        if path not in self._paths:
            raise _Refused(403, "this path is not in proxy.paths")
        url = f"{scheme}://{host}/{path}" + (f"?{query}" if query else "")
        return await self._fetched(url)

    def _listed_host(self, host: str) -> str:
        """The host in the spelling it is asked by. A port must be the scheme's usual one."""
        name, colon, port = host.partition(":")
        name = name.lower().rstrip(".")
        if name not in self._domains or (colon and port not in ("80", "443")):
            raise _Refused(403, "this host is not in proxy.domains")
        return name

    # ---- fetching ---------------------------------------------------------------------------------------------

    async def _fetched(self, url: str) -> tuple[int, list[Header], bytes]:
        kept = self._kept.get(url)
        if kept is not None and kept.until > self._clock():
            count("proxy_requests", result="cached")
            return self._passed_on(200, kept.content_type, kept.body, fresh_for=int(kept.until - self._clock()))
        task = self._under_way.get(url)
        if task is None:
            if len(self._under_way) >= self._settings.max_requests:
                raise _Refused(503, "too many fetches are under way")
            task = self._under_way[url] = asyncio.create_task(self._fetch(url))
            task.add_done_callback(lambda done: self._ended(url, done))
        found = await asyncio.shield(task)
        count("proxy_requests", result="fetched")
        if isinstance(found, _Kept):
            return self._passed_on(200, found.content_type, found.body, fresh_for=self._max_age)
        return self._passed_on(*found, fresh_for=0)

    def _ended(self, url: str, done: asyncio.Task[Any]) -> None:
        self._under_way.pop(url, None)
        if not done.cancelled():
            done.exception()  # told to those who waited, if anybody still did

    async def _fetch(self, url: str) -> _Kept | tuple[int, bytes, bytes]:
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, url)
        except TimeoutError as error:
            _log.warning("proxy_slow", reason=scrubbing.text(str(error)))
            raise _Refused(504, "the other side did not answer in time") from error
        except OSError as error:
            _log.warning("proxy_failed", reason=scrubbing.text(str(error)))
            raise _Refused(502, "the other side could not be asked") from error
        content_type = answer.headers.get("content-type", "application/octet-stream").encode("latin-1", "replace")
        if answer.status != 200:
            return answer.status, content_type, answer.body
        kept = _Kept(self._clock() + self._max_age, content_type, answer.body)
        if self._max_age:
            self._keep(url, kept)
        return kept

    def _ask(self, url: str) -> Answer:
        """In a thread. Redirects are followed to listed hosts only."""
        seconds = self._settings.timeout.total_seconds()
        for _ in range(_REDIRECTS + 1):
            answer = self._http.ask("GET", url, timeout=seconds, max_bytes=self._settings.max_bytes)
            target = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or not target:
                return answer
            parts = urlsplit(urljoin(url, target))
            if parts.scheme not in _PORTS or parts.username is not None:
                raise OSError(f"{url} redirects to {target[:200]!r}")
            try:
                host = self._listed_host(parts.netloc)
            except _Refused:
                raise OSError(f"{url} redirects to {parts.netloc[:200]!r}, which is not in proxy.domains") from None
            url = parts._replace(netloc=host, fragment="").geturl()
        raise OSError(f"{url}: more than {_REDIRECTS} redirects")

    def _keep(self, url: str, kept: _Kept) -> None:
        old = self._kept.pop(url, None)
        self._kept_bytes += len(kept.body) - (len(old.body) if old else 0)
        self._kept[url] = kept
        while self._kept_bytes > self._settings.cache_bytes:
            self._kept_bytes -= len(self._kept.popitem(last=False)[1].body)

    def _passed_on(
        self, status: int, content_type: bytes, body: bytes, *, fresh_for: int
    ) -> tuple[int, list[Header], bytes]:
        caching = b"public, max-age=%d" % fresh_for if fresh_for else b"no-store"
        return status, [(b"content-type", content_type), (b"cache-control", caching), *_SAFE], body


def _own_address(request: Request) -> str:
    forwarded = request.first.get(b"x-forwarded-proto", b"").split(b",")[0].strip().decode("latin-1").lower()
    scheme = forwarded if forwarded in _PORTS else request.scope.get("scheme", "http")
    return f"{scheme}://{request.host}"


async def _question(request: Request) -> str:
    """The URL of the body. An answer of 422 is worded as Simple Snowplow's."""
    try:
        async with asyncio.timeout(10):
            body = await read_body(request, _LARGEST_QUESTION)
        url = orjson.loads(body)["url"]
        parts = urlsplit(url)
        if parts.scheme in _PORTS and parts.hostname and (parts.port is None or parts.port > 0):
            return str(url)
    except BodyTooLarge:
        raise _Refused(413, "the body is too large") from None
    except (BodyIncomplete, TimeoutError, ValueError, KeyError, TypeError, AttributeError):
        url = None
    message = "Input should be a valid URL"
    raise _Refused(422, [{"type": "url_parsing", "loc": ["body", "url"], "msg": message, "input": url}])


def _revealed(text: str, what: str) -> str:
    try:
        return base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True).decode("utf-8")
    except (binascii.Error, UnicodeError, ValueError):
        raise _Refused(400, f"{what} is not base64url") from None
