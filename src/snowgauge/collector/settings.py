"""Settings of the collector: the keys of Snowplow's ``collector.hocon`` (stream-collector 3.4), in snake_case.

A configuration written for Snowplow can be pasted: every key is accepted in its camelCase spelling too. Keys of the
reference that have no meaning here (its sinks' buffers and retries, StatsD, telemetry, the licence flag) are listed in
:data:`IGNORED_REFERENCE_KEYS`; they are accepted and dropped, with a line in the log. Any other unknown key is refused.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ModelWrapValidatorHandler, model_validator
from pydantic.alias_generators import to_camel

from snowgauge.part_settings import ByteSize, Duration, PartSettings
from snowgauge.telemetry.logs import logger

_log = logger("collector")

_OF_A_STREAM = frozenset(
    {
        "buffer",
        "type",
        "region",
        "aws",
        "thread_pool_size",
        "backoff_policy",
        "startup_check_interval",
        "sqs_good_buffer",
        "sqs_bad_buffer",
        "sqs_max_bytes",
        "google_project_id",
        "retry_interval",
        "brokers",
        "retries",
        "producer_conf",
        "host",
        "port",
    }
)
IGNORED_REFERENCE_KEYS: dict[str, frozenset[str]] = {
    "CollectorSettings": frozenset(
        {
            "license",
            "telemetry",
            "monitoring",
            "termination_deadline",
            "prometheus_metrics",
            "akka",
            "compression",
        }
    ),
    # collector 3.7: here the body's time is part of response_header_timeout
    "NetworkingSettings": frozenset({"body_read_timeout"}),
    "StreamsSettings": frozenset({"sink", "buffer"}),
    "GoodStreamSettings": _OF_A_STREAM,
    "BadStreamSettings": _OF_A_STREAM | {"max_bytes"},
    # the Location of a bounce is always relative to the collector's own address, which no proxy can make wrong
    "CookieBounceSettings": frozenset({"forwarded_protocol_header"}),
}
"""Settings class -> keys of the reference that are accepted there and have no effect."""


def _path(value: str) -> str:
    if not value.startswith("/") or "?" in value:
        raise ValueError(
            f"expected a path with a leading slash and no query, such as '/com.acme/track', found {value!r}"
        )
    return value


UrlPath = Annotated[str, AfterValidator(_path)]
"""A path of the collector's own address, with its leading slash."""


def _token(value: str) -> str:
    if not re.fullmatch(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", value):
        raise ValueError(f"expected a cookie name (letters, digits and !#$%&'*+-.^_`|~), found {value!r}")
    return value


CookieName = Annotated[str, AfterValidator(_token)]
"""A name that HTTP allows for a cookie."""


def _domain(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.\-_]+", value) or value.startswith("."):
        raise ValueError(f"expected a domain without a leading dot, such as 'example.com', found {value!r}")
    return value


Domain = Annotated[str, AfterValidator(_domain)]
"""A domain name without a leading dot."""


class CollectorPart(PartSettings):
    """Base of the collector's settings: camelCase spellings are accepted beside snake_case."""

    model_config = ConfigDict(alias_generator=to_camel, loc_by_alias=False)

    @model_validator(mode="before")
    @classmethod
    def _drop_keys_of_the_reference(cls, data: Any) -> Any:
        ignored = IGNORED_REFERENCE_KEYS.get(cls.__name__)
        if not ignored or not isinstance(data, dict):
            return data
        kept = {}
        for key, value in data.items():
            if re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", str(key)).lower() in ignored:
                _log.info("reference_setting_ignored", section=cls.__name__, key=key)
            else:
                kept[key] = value
        return kept


class P3pSettings(CollectorPart):
    """The ``P3P`` header, which old Internet Explorers wanted before they kept a third party's cookie."""

    enabled: bool | None = None
    """Send the header on tracking responses. Unset: where a policy is configured. (Snowplow documents it; its
    collector 3.x never sends it.)"""
    policy_ref: str = "/w3c/p3p.xml"
    """Where the policy file is."""
    cp: str = Field(default="NOI DSP COR NID PSA OUR IND COM NAV STA", alias="CP")
    """The compact policy."""

    @property
    def sent(self) -> bool:
        return bool(self.model_fields_set & {"policy_ref", "cp"}) if self.enabled is None else self.enabled


class CrossDomainSettings(CollectorPart):
    """``/crossdomain.xml`` for Flash trackers."""

    enabled: bool = False
    """Serve the file; otherwise its path is not found."""
    domains: list[str] = ["*"]
    """Domains that may send."""
    secure: bool = True
    """Whether only HTTPS documents may send."""


def _same_site(value: Any) -> Any:
    return value.capitalize() if isinstance(value, str) else value


class CookieSettings(CollectorPart):
    """The cookie that carries the network user id."""

    enabled: bool = True
    """Set the cookie. An incoming one is read in any case."""
    name: CookieName = "sp"
    """Name of the cookie."""
    expiration: Duration = timedelta(days=365)
    """How long a browser keeps it after its last request."""
    domains: list[Domain] = []
    """Domains the cookie may be set for: the first that the request's Origin belongs to is used."""
    fallback_domain: Domain | None = None
    """Domain of the cookie when none of ``domains`` fits; unset binds it to the collector's own host."""
    secure: bool = True
    """Mark the cookie Secure. With ``same_site`` None it is so in any case."""
    http_only: bool = True
    """Hide the cookie from scripts."""
    same_site: Annotated[Literal["None", "Lax", "Strict"], BeforeValidator(_same_site)] | None = "None"
    """SameSite attribute; unset sends none."""
    client_cookie_name: CookieName | None = None
    """Name of a second cookie with the same value that scripts can read."""


def _java_pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"expected a regular expression, found {value!r}: {error}") from None
    return value


class DoNotTrackCookieSettings(CollectorPart):
    """A cookie by which a visitor opts out: requests that carry it are answered and not kept."""

    enabled: bool = False
    """Look for the cookie."""
    name: str = ""
    """Its name."""
    value: Annotated[str, AfterValidator(_java_pattern)] = ""
    """Regular expression that the whole value has to match."""

    @model_validator(mode="after")
    def _named(self) -> DoNotTrackCookieSettings:
        if self.enabled:
            _token(self.name)
        return self


class CookieBounceSettings(CollectorPart):
    """One redirect to find out whether the browser keeps a third party's cookies."""

    enabled: bool = False
    """Bounce pixel requests that come without a cookie."""
    name: Annotated[str, AfterValidator(_token)] = "n3pc"
    """Query parameter that marks the second request."""
    fallback_network_user_id: str = "00000000-0000-4000-A000-000000000000"
    """Network user id of visitors whose browser keeps no cookie."""


class RedirectMacroSettings(CollectorPart):
    """Text in a redirect's target that the network user id takes the place of."""

    enabled: bool = False
    """Replace the text. (Snowplow's documentation promises it; collector 3.x does not do it, 2.x did.)"""
    placeholder: str = Field(default="${SP_NUID}", min_length=1)
    """The text to replace."""


class RootResponseSettings(CollectorPart):
    """What ``GET /`` answers."""

    enabled: bool = False
    """Answer; otherwise the path is not found."""
    status_code: int = Field(default=302, ge=200, le=599)
    """HTTP status."""
    headers: dict[str, str] = {}
    """Headers, exactly as sent."""
    body: str = ""
    """Body, sent as UTF-8."""

    @model_validator(mode="after")
    def _headers_are_headers(self) -> RootResponseSettings:
        for name, value in self.headers.items():
            _token(name)
            if not re.fullmatch(r"[\t\x20-\x7e\x80-\xff]*", value):
                raise ValueError(f"header {name}: {value!r} holds characters that a header cannot")
        return self


class CorsSettings(CollectorPart):
    """Which requests browsers may make from other origins."""

    access_control_max_age: Duration = timedelta(minutes=60)
    """How long a browser may keep the answer to a preflight; ``-1 s`` forbids it."""
    access_control_max_age_by_path: dict[UrlPath, Duration] = {}
    """Request path -> a maximum age of its own."""
    allowed_headers: list[CookieName] = ["Content-Type", "SP-Anonymous"]
    """Request headers that scripts may set: add those that your trackers' ``customHeaders`` send."""


class GoodStreamSettings(CollectorPart):
    """What the event log accepts."""

    name: str = Field(default="good", min_length=1)
    """Name of the topic, where `eventlog.url` is Kafka."""
    max_bytes: ByteSize = Field(default=1_000_000, ge=1000)
    """Records of this size or more are split; what cannot be split becomes a size_violation."""


class BadStreamSettings(CollectorPart):
    """Bad rows that the collector makes itself."""

    name: str = Field(default="bad", min_length=1)
    """Name of the topic, where `eventlog.url` is Kafka."""


class StreamsSettings(CollectorPart):
    """Where payloads go. How to get there is a matter of the event log's own settings."""

    good: GoodStreamSettings = GoodStreamSettings()
    """The stream of payloads. (Snowplow's older form is read too: a name, with ``maxBytes`` under ``sink``.)"""
    bad: BadStreamSettings = BadStreamSettings()
    """The stream of the collector's own bad rows. (A name alone is read too.)"""
    use_ip_address_as_partition_key: bool = False
    """Where `eventlog.url` is Kafka: a payload's key is the visitor's IP address, not a random one."""

    @model_validator(mode="wrap")
    @classmethod
    def _older_form(cls, data: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, dict) and isinstance(data.get("good"), str):
            sink = data.get("sink")
            size = {key: value for key, value in sink.items() if key == "maxBytes"} if isinstance(sink, dict) else {}
            data = {**data, "good": {"name": data["good"], **size}}
        if isinstance(data, dict) and isinstance(data.get("bad"), str):
            data = {**data, "bad": {"name": data["bad"]}}
        return read(data)


class NetworkingSettings(CollectorPart):
    """Limits on connections and requests."""

    max_connections: int = Field(default=1024, ge=1)
    """Open connections per process; further ones wait to be accepted. Where all places are taken, the connections that
    are silent longest are closed to make room."""
    max_connections_per_address: int = Field(default=256, ge=0)
    """Open connections of one address per process; above it those that are silent longest are closed. 0 sets no limit.
    What counts is the address of the connection itself: the visitors behind a proxy share the proxy's, so
    `security.trusted_proxies` are not limited, and limiting visitors is up to the proxy."""
    head_timeout: Duration = Field(default=timedelta(seconds=20), gt=timedelta())
    """A new connection is closed when it has not sent the head of a request within this time, including the TLS
    handshake; a later one (on Linux, over HTTP/1) when the head of a further request takes longer."""
    idle_timeout: Duration = Field(default=timedelta(seconds=610), gt=timedelta())
    """A connection without a further request is closed after this time; over HTTP/2 also one that takes longer for
    the head of a further request. Longer than the 600 s of common load balancers, so that it is never the collector
    that closes first. Without one in front, 60 s is safer."""
    http2_without_tls: bool = True
    """Whether HTTP/2 is spoken on the plain port, too."""
    response_header_timeout: Duration = timedelta(seconds=30)
    """Time for receiving and keeping one request; then the answer is 408, or 503 when the log was too slow."""
    max_request_line_length: ByteSize = Field(default=20480, ge=1024)
    """Longest request line; longer ones are answered 400."""
    max_headers_length: ByteSize = Field(default=40960, ge=1024)
    """Longest request head without its first line; longer ones are answered 400."""
    max_payload_size: ByteSize = Field(default=1_048_576, ge=1000)
    """Records above this are not split: they become one size_violation."""
    drop_payload_size: ByteSize = Field(default=2_097_152, ge=1000)
    """Bodies of this size or more, before or after gzip, are answered 413."""
    max_waiting_bytes: ByteSize = Field(default=67_108_864, ge=1_000_000)
    """Bytes that may wait for the event log in one process; above it requests are answered 503."""
    retry_after: Duration = timedelta(seconds=5)
    """``Retry-After`` of a 503."""


class HstsSettings(CollectorPart):
    """``Strict-Transport-Security`` on every answer."""

    enable: bool = False
    """Send the header."""
    max_age: Duration = timedelta(days=365)
    """How long browsers insist on HTTPS."""


class SslSettings(CollectorPart):
    """HTTPS served by the collector itself."""

    enable: bool = False
    """Serve HTTPS on ``ssl.port``. Plain HTTP on ``port`` is then served only for ``redirect``."""
    redirect: bool = False
    """Send plain HTTP requests on to HTTPS: those on ``port`` when ``enable`` is set, and those that a proxy marked
    ``X-Forwarded-Proto: http``. GET gets 301, POST 308, so that its body is sent again."""
    port: int = Field(default=443, ge=1, le=65535)
    """Port of HTTPS."""
    certificate: Path | None = None
    """File with the certificate chain, PEM."""
    private_key: Path | None = None
    """File with the private key, PEM."""

    @model_validator(mode="after")
    def _complete(self) -> SslSettings:
        if self.enable and not (self.certificate and self.private_key):
            raise ValueError("ssl.enable needs ssl.certificate and ssl.private_key (PEM files)")
        return self


class CollectorSettings(CollectorPart):
    """The public door: receives what trackers send and keeps it."""

    interface: str = "0.0.0.0"  # noqa: S104  the collector is the public door
    """Address to listen at."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port of plain HTTP."""
    paths: dict[UrlPath, UrlPath] = {}
    """Request path -> the path it is kept under: ``/com.acme/track`` -> ``/com.snowplowanalytics.snowplow/tp2``.
    A target that starts with ``/r/`` makes a redirect of it, whatever ``enable_default_redirect`` says."""
    post_paths: list[UrlPath] = ["/tracker", "/i"]
    """Further paths on which trackers may POST; kept as tracker protocol 2."""
    pixel_paths: list[UrlPath] = ["/i", "/ice.png"]
    """One-segment paths of the pixel; kept as ``/i`` (``/ice.png`` as itself)."""
    p3p: P3pSettings = P3pSettings()
    """The ``P3P`` header."""
    cross_domain: CrossDomainSettings = CrossDomainSettings()
    """``/crossdomain.xml``."""
    cookie: CookieSettings = CookieSettings()
    """The network user id cookie."""
    do_not_track_cookie: DoNotTrackCookieSettings = DoNotTrackCookieSettings()
    """The opt-out cookie."""
    cookie_bounce: CookieBounceSettings = CookieBounceSettings()
    """The check for third-party cookies."""
    enable_default_redirect: bool = False
    """Serve click redirects at ``/r/...``. Without ``redirect_domains`` this is an open redirector."""
    redirect_domains: list[str] = []
    """Hosts that may be redirected to, matched exactly; empty allows any."""
    redirect_macro: RedirectMacroSettings = RedirectMacroSettings()
    """The network user id in redirect targets."""
    root_response: RootResponseSettings = RootResponseSettings()
    """The answer at ``/``."""
    cors: CorsSettings = CorsSettings()
    """Requests from other origins."""
    streams: StreamsSettings = StreamsSettings()
    """Size limit of a payload record."""
    networking: NetworkingSettings = NetworkingSettings()
    """Connections, sizes and times."""
    hsts: HstsSettings = HstsSettings()
    """Insisting on HTTPS."""
    ssl: SslSettings = SslSettings()
    """Serving HTTPS."""
    pre_termination_period: Duration = timedelta(seconds=10)
    """After SIGTERM the collector serves on for this long, so that a load balancer can take it out first."""
    pre_termination_unhealthy: bool = False
    """Answer 503 at ``/health`` and ``/sink-health`` during that time, so that a load balancer notices. (Snowplow's
    configuration promises it; its collector 3.x does not do it.)"""
    collector_name: str | None = Field(default=None, min_length=1, max_length=100)
    """Name written into every payload; becomes ``v_collector``. Unset: ``snowgauge-collector-<version>``."""
