"""A pixel as CloudFront serves and logs it: a static server on loopback, and the lines of its access log."""

from __future__ import annotations

import gzip
import http.server
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

FIELDS = tuple(
    """
    date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent)
    cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken
    x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status
    fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len
    sc-range-start sc-range-end
    """.split()  # noqa: SIM905 - as the header line is written
)

_LEFT_ALONE = "!$&()*+,-./:;=?@_"
"""Beside letters and digits, what CloudFront does not encode; a percent sign it does, which encodes twice."""


def encoded(text: str, *, twice: bool = True) -> str:
    """A field as CloudFront writes it: ``-`` for none; ``twice`` as after 2013, otherwise as in between."""
    return quote(text, safe=_LEFT_ALONE if twice else _LEFT_ALONE + "%") or "-"


def log_line(
    query: str,
    *,
    at: datetime | None = None,
    ip: str = "203.0.113.9",
    method: str = "GET",
    path: str = "/i",
    status: int = 200,
    referer: str = "",
    agent: str = "Mozilla/5.0 (X11; Linux x86_64)",
    request_id: str | None = None,
    forwarded: str = "-",
    twice: bool = True,
    count: int = 33,
) -> str:
    """One line with the first ``count`` columns; ``query``, ``referer`` and ``agent`` as the viewer sent them."""
    moment = at or datetime(2024, 5, 1, 10, 0, 0, tzinfo=UTC)
    values = {
        "date": f"{moment:%Y-%m-%d}",
        "time": f"{moment:%H:%M:%S}",
        "x-edge-location": "FRA56-P4",
        "sc-bytes": "480",
        "c-ip": ip,
        "cs-method": method,
        "cs(Host)": "d111111abcdef8.cloudfront.net",
        "cs-uri-stem": path,
        "sc-status": str(status),
        "cs(Referer)": encoded(referer, twice=twice),
        "cs(User-Agent)": encoded(agent, twice=twice),
        "cs-uri-query": encoded(query, twice=twice),
        "x-edge-result-type": "Hit",
        "x-edge-request-id": uuid.uuid4().hex if request_id is None else request_id,
        "x-host-header": "sp.example.com",
        "cs-protocol": "https",
        "time-taken": "0.001",
        "x-forwarded-for": forwarded,
        "cs-protocol-version": "HTTP/2.0",
    }
    return "\t".join(values.get(name, "-") for name in FIELDS[:count])


def write_log(file: Path, lines: Iterator[str] | list[str], *, header: bool = True, fields: str | None = None) -> None:
    """A log file; gzip where its name ends so."""
    with gzip.open(file, "wt", compresslevel=1) if file.suffix == ".gz" else file.open("w") as out:
        if header:
            out.write(f"#Version: 1.0\n#Fields: {fields or ' '.join(FIELDS)}\n")
        out.writelines(f"{line}\n" for line in lines)


class PixelHost:
    """Serves a folder as a CDN does and logs each request the CDN's way; nothing is computed.

    ``lines`` are those of the requests so far, each there before its answer.
    """

    def __init__(self, folder: Path, *, types: dict[str, str] | None = None) -> None:
        host = self
        self.lines: list[str] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                found = folder / path.lstrip("/")
                body = found.read_bytes() if found.is_file() else b""
                status = 200 if found.is_file() else 403
                host.lines.append(
                    log_line(
                        query,
                        at=datetime.now(UTC),
                        ip=self.client_address[0],
                        method=self.command,
                        path=path,
                        status=status,
                        referer=self.headers.get("Referer", ""),
                        agent=self.headers.get("User-Agent", ""),
                    )
                )
                self.send_response(status)
                self.send_header("content-type", (types or {}).get(path.lstrip("/"), "image/gif"))
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815 - the base class's name

            def log_message(self, *_: object) -> None:
                """The log is the list."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> PixelHost:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
