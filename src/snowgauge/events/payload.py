"""One HTTP request as the collector keeps it: Snowplow's ``CollectorPayload`` 1-0-0."""

from __future__ import annotations

import msgspec

PAYLOAD_SCHEMA = "iglu:com.snowplowanalytics.snowplow/CollectorPayload/thrift/1-0-0"


class CollectorPayload(msgspec.Struct, kw_only=True, rename="camel"):
    """What one request brought. A tracker event differs from it in that one payload may hold many events.

    JSON names (``snowgauge enrich``, ``eventlog show``) are the Thrift struct's: ``ipAddress``, ``refererUri``, ...
    ``timestamp`` is milliseconds since the epoch, UTC. Unset optional fields are ``None``, which differs from ``""``.
    """

    schema: str | None = PAYLOAD_SCHEMA
    ip_address: str | None = None
    timestamp: int = 0
    encoding: str | None = "UTF-8"
    collector: str | None = None
    user_agent: str | None = None
    referer_uri: str | None = None
    path: str | None = None
    querystring: str | None = None
    body: str | None = None
    headers: list[str] | None = None
    content_type: str | None = None
    hostname: str | None = None
    network_user_id: str | None = None
