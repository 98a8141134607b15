"""What one HTTP request asks for: statement, parameters, settings, session, identity (ClickHouse HTTP interface)."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec

from snowgauge.store.clickhouse.engine.exceptions import error
from snowgauge.store.settings import MAINTENANCE_USER, EngineSettings

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_OURS = frozenset(
    [
        "query", "user", "password", "database", "default_format", "query_id", "session_id", "session_timeout",
        "session_check", "compress", "decompress", "buffer_size", "wait_end_of_query", "quota_key", "stacktrace",
        "role", "client_protocol_version", "enable_http_compression", "http_zlib_compression_level", "close_session",
        "send_progress_in_http_headers", "http_headers_progress_interval_ms", "http_write_exception_in_output_format",
    ]
)  # fmt: skip
"""Parameters that mean something to the HTTP interface; every other one is a setting of the query."""


class Asked(msgspec.Struct):
    """One request, without its body."""

    query: bytes
    query_id: str
    database: str
    format: str
    parameters: dict[str, str]
    settings: dict[str, str]
    read_only: int
    session_id: str
    session_timeout: float
    session_check: bool
    wait_end: bool
    compress_http: bool
    compress_blocks: bool
    """The answer in ClickHouse's own compressed blocks (``compress=1``)."""
    decompress_blocks: bool
    """The body in such blocks (``decompress=1``)."""
    protocol: int
    """``client_protocol_version``: from which on a Native answer has more in it; 0: as the format is written."""
    maintenance: bool
    """Asked with the secret of backup and restore."""


def asked(method: str, query_string: str, headers: Any, engine: EngineSettings) -> Asked:
    pairs = parse_qsl(query_string, keep_blank_values=True, errors="surrogateescape", max_num_fields=10_000)
    values = dict(pairs)
    maintenance = _identify(values, headers, engine)
    parameters, settings = _sorted(pairs)
    read_only = settings.pop("readonly", "0")
    if read_only not in ("0", "1", "2"):
        raise error(36, "BAD_ARGUMENTS", f"Setting readonly must be 0, 1 or 2, not {read_only[:40]!r}")
    timeout = values.get("session_timeout", "60")
    if not timeout.isdigit() or int(timeout) > 3600:
        raise error(374, "INVALID_SESSION_TIMEOUT", f"Invalid session timeout: '{timeout[:40]}'")
    return Asked(
        query="".join(v for n, v in pairs if n == "query").encode("utf-8", "surrogateescape"),
        query_id=values.get("query_id") or str(uuid4()),
        database=values.get("database") or headers.get("X-ClickHouse-Database") or "",
        format=values.get("default_format") or headers.get("X-ClickHouse-Format") or "TabSeparated",
        parameters=parameters,
        settings=settings,
        # as in ClickHouse, GET only reads
        read_only=int(read_only) or (2 if method != "POST" else 0),
        session_id=values.get("session_id", ""),
        session_timeout=float(timeout),
        session_check=_flag(values.get("session_check")),
        wait_end=_flag(values.get("wait_end_of_query")),
        compress_http=_flag(values.get("enable_http_compression")),
        compress_blocks=_flag(values.get("compress")),
        decompress_blocks=_flag(values.get("decompress")),
        protocol=_number(values, "client_protocol_version"),
        maintenance=maintenance,
    )


def take_fields(request: Asked, fields: list[tuple[str, str]]) -> None:
    """Fields of a form mean what they would mean in the address; identity and the readonly setting do not go here."""
    parameters, settings = _sorted(fields)
    settings.pop("readonly", None)
    request.parameters.update(parameters)
    request.settings.update(settings)
    request.query += "".join(value for name, value in fields if name == "query").encode("utf-8", "surrogateescape")


def _sorted(pairs: list[tuple[str, str]]) -> tuple[dict[str, str], dict[str, str]]:
    """Parameters of the statement, and settings."""
    settings: dict[str, str] = {}
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name.startswith("param_"):
            parameters[name[6:]] = value
        elif name not in _OURS:
            if not _NAME.fullmatch(name):
                raise error(115, "UNKNOWN_SETTING", f"Unknown setting {name[:100]!r}")
            settings[name] = value
    return parameters, settings


def _flag(value: str | None) -> bool:
    return value is not None and value.lower() not in ("", "0", "false")


def _number(values: dict[str, str], name: str) -> int:
    text = values.get(name) or "0"
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise error(36, "BAD_ARGUMENTS", f"{name} must be a number, not {text[:40]!r}")
    return int(text)


def _identify(values: dict[str, str], headers: Any, engine: EngineSettings) -> bool:
    """Raises for a stranger; answers whether it is the user of backup and restore."""
    user, password = "", ""
    basic = headers.get("Authorization") or ""
    if headers.get("X-ClickHouse-User") is not None:
        user, password = headers.get("X-ClickHouse-User"), headers.get("X-ClickHouse-Key") or ""
    elif basic.lower().startswith("basic "):
        try:
            user, _, password = base64.b64decode(basic[6:], validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise error(516, "AUTHENTICATION_FAILED", "The Authorization header is not valid Basic") from None
    else:
        user, password = values.get("user", ""), values.get("password", "")
    given = ((user or "default").encode("utf-8", "replace"), password.encode("utf-8", "replace"))
    # everything is compared, and in constant time, so that nothing is learnt from how long a refusal takes
    is_user = _same(given, engine.username, engine.password.get_secret_value())
    is_maintenance = _same(given, MAINTENANCE_USER, engine.maintenance_password.get_secret_value() or token_hex())
    if not engine.password.get_secret_value():
        # as in ClickHouse, a user without a password may send any (JDBC sends "null")
        is_user = hmac.compare_digest(given[0], engine.username.encode())
    if not (is_user or is_maintenance):
        raise error(
            516,
            "AUTHENTICATION_FAILED",
            f"{(user or 'default')[:100]}: Authentication failed: password is incorrect, "
            "or there is no user with such name.",
        )
    return is_maintenance


def _same(given: tuple[bytes, bytes], user: str, password: str) -> bool:
    right_user = hmac.compare_digest(given[0], user.encode())
    right_password = hmac.compare_digest(given[1], password.encode())
    return right_user and right_password
