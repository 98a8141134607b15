"""The routing written for nginx, with certificates as certbot leaves them (or your own files).

nginx orders no certificates: `certbot certonly --webroot -w <webroot> -d <name>` does, through the folder that port 80
serves. The file is one for `/etc/nginx/conf.d/`: it belongs inside nginx's `http` block.
"""

from __future__ import annotations

from pathlib import Path

from snowgauge.pipeline.proxy.routing import Routing
from snowgauge.settings.tls import TlsSettings

FILE = "snowgauge.conf"
WEBROOT = "/var/www/letsencrypt"
CERTBOT = "/etc/letsencrypt/live"
_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)


def conf(
    routing: Routing,
    tls: TlsSettings,
    *,
    largest_body: int,
    certificate: tuple[Path | str, Path | str] | None = None,
    webroot: str = WEBROOT,
) -> str:
    """``largest_body`` is in bytes: a little more than the collector takes, so that its own answer is the one seen."""
    lines: list[str] = []
    for backend in routing.backends:
        lines += [
            f"upstream snowgauge_{backend.name} {{",
            f"    server {backend.address};",
            "    keepalive 64;",
            "}",
            "",
        ]
    for host in routing.hosts:
        lines += [*_plain(routing, tls, host, webroot), ""]
        lines += [*_secure(routing, tls, host, largest_body, certificate), ""]
    return "\n".join(lines)


def _listen(tls: TlsSettings, port: int, extra: str = "") -> list[str]:
    if tls.interface:
        host = f"[{tls.interface}]" if ":" in tls.interface else tls.interface
        return [f"    listen {host}:{port}{extra};"]
    return [f"    listen {port}{extra};", f"    listen [::]:{port}{extra};"]


def _plain(routing: Routing, tls: TlsSettings, host: str, webroot: str) -> list[str]:
    lines = ["server {", *_listen(tls, tls.http_port), f"    server_name {host};"]
    lines += [f"    location ^~ /.well-known/acme-challenge/ {{ root {webroot}; default_type text/plain; }}"]
    if tls.redirect_http or all(route.backend.name != "collector" for route in routing.of(host)):
        port = "" if tls.port_of_visitors == 443 else f":{tls.port_of_visitors}"
        lines.append(f"    location / {{ return 308 https://$host{port}$request_uri; }}")
    else:
        lines += _locations(routing, host)
    return [*lines, "}"]


def _secure(
    routing: Routing,
    tls: TlsSettings,
    host: str,
    largest_body: int,
    certificate: tuple[Path | str, Path | str] | None,
) -> list[str]:
    chain, key = certificate or (f"{CERTBOT}/{host}/fullchain.pem", f"{CERTBOT}/{host}/privkey.pem")
    # nginx 1.25 prefers `http2 on;` and still takes this form, which older ones need
    lines = ["server {", *_listen(tls, tls.https_port, " ssl http2"), f"    server_name {host};"]
    lines += [
        f"    ssl_certificate {_quoted(chain)};",
        f"    ssl_certificate_key {_quoted(key)};",
        f"    ssl_protocols {'TLSv1.2 ' if tls.min_version == '1.2' else ''}TLSv1.3;",
        f"    ssl_ciphers {_CIPHERS};",
        "    ssl_prefer_server_ciphers off;",
        "    ssl_session_cache shared:snowgauge:10m;",
        "    ssl_session_tickets off;",
        f"    client_max_body_size {largest_body};",
        "    large_client_header_buffers 8 32k;",
    ]
    seconds = int(tls.hsts.total_seconds())
    if seconds:
        below = "; includeSubDomains" if tls.hsts_subdomains else ""
        lines.append(f'    add_header Strict-Transport-Security "max-age={seconds}{below}" always;')
    for network in tls.trusted_proxies:
        lines.append(f"    set_real_ip_from {network};")
    if tls.trusted_proxies:
        lines += ["    real_ip_header X-Forwarded-For;", "    real_ip_recursive on;"]
    return [*lines, *_locations(routing, host), "}"]


def _locations(routing: Routing, host: str) -> list[str]:
    lines = []
    for route in routing.of(host):
        places = [f"= {route.path}", f"{route.path}/"] if route.path else ["/"]
        for place in places:
            lines += [
                f"    location {place} {{",
                # no path here: nginx then passes the request on as it came
                f"        proxy_pass http://snowgauge_{route.backend.name};",
                "        proxy_http_version 1.1;",
                '        proxy_set_header Connection "";',
                "        proxy_set_header Host $http_host;",
                # in place of what the client wrote: only this proxy's word counts
                "        proxy_set_header X-Forwarded-For $remote_addr;",
                "        proxy_set_header X-Forwarded-Proto $scheme;",
                "        proxy_set_header X-Forwarded-Host $http_host;",
                "        proxy_set_header X-Real-IP $remote_addr;",
                '        proxy_set_header Forwarded "";',
                "        proxy_read_timeout 60s;",
                "    }",
            ]
    return lines


def _quoted(value: object) -> str:
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
