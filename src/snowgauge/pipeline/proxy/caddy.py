"""The routing written for Caddy 2, as a Caddyfile.

Caddy orders and renews automatically, tries again with growing pauses, and keeps what it has in its storage folder.
"""

from __future__ import annotations

from pathlib import Path

from snowgauge.pipeline.proxy.routing import Routing
from snowgauge.pipeline.proxy.traefik import LETS_ENCRYPT, directory_url
from snowgauge.settings.tls import AcmeSettings, TlsSettings

FILE = "Caddyfile"
_KEY_TYPES = {"EC256": "p256", "EC384": "p384", "RSA2048": "rsa2048", "RSA4096": "rsa4096"}


def caddyfile(
    routing: Routing,
    tls: TlsSettings,
    *,
    storage: Path | str | None = None,
    admin: Path | str | None = None,
    certificate: tuple[Path | str, Path | str] | None = None,
) -> str:
    """``storage`` is where certificates are kept, ``admin`` the socket at which a change is told; both are left to
    Caddy's own defaults when not given. ``certificate`` is a chain and its key in place of ACME."""
    lines = ["{", *_indent(_globals(tls, storage, admin)), "}"]
    for host in routing.hosts:
        lines += ["", f"https://{host} {{", *_indent(_site(routing, tls, host, certificate)), "}"]
        if tls.redirect_http and tls.port_of_visitors != 443:
            # Caddy's own redirect takes for granted that visitors come by 443
            target = f"https://{{host}}:{tls.port_of_visitors}{{uri}}"
            lines += ["", f"http://{host} {{", f"\tredir {target} 308", "}"]
        if not tls.redirect_http and any(route.backend.name == "collector" for route in routing.of(host)):
            lines += ["", f"http://{host} {{", *_indent(_handles(routing, tls, host)), "}"]
    return "\n".join(lines) + "\n"


def _globals(tls: TlsSettings, storage: Path | str | None, admin: Path | str | None) -> list[str]:
    lines = []
    if tls.http_port != 80:
        lines.append(f"http_port {tls.http_port}")
    if tls.https_port != 443:
        lines.append(f"https_port {tls.https_port}")
    if tls.interface:
        lines.append(f"default_bind {tls.interface}")
    if storage is not None:
        lines.append(f"storage file_system {quoted(storage)}")
    if admin is not None:
        lines.append(f"admin {quoted(f'unix/{admin}')}")
    if tls.acme.email:
        lines.append(f"email {quoted(tls.acme.email)}")
    if not tls.redirect_http:
        lines.append("auto_https disable_redirects")
    lines.append(f"key_type {_KEY_TYPES[tls.acme.key_type]}")
    lines += ["servers {", f"\tprotocols h1 h2{' h3' if tls.http3 else ''}", "}"]
    return lines


def _site(
    routing: Routing, tls: TlsSettings, host: str, certificate: tuple[Path | str, Path | str] | None
) -> list[str]:
    own = f" {quoted(certificate[0])} {quoted(certificate[1])}" if certificate else ""
    lines = [f"tls{own} {{", f"\tprotocols tls{tls.min_version} tls1.3"]
    if certificate is None:
        lines += _indent(_issuer(tls.acme))
    lines.append("}")
    seconds = int(tls.hsts.total_seconds())
    if seconds:
        below = "; includeSubDomains" if tls.hsts_subdomains else ""
        lines.append(f'header Strict-Transport-Security "max-age={seconds}{below}"')
    return lines + _handles(routing, tls, host)


def _issuer(acme: AcmeSettings) -> list[str]:
    url = directory_url(acme)
    lines = ["issuer acme {"]
    if url != LETS_ENCRYPT:
        lines.append(f"\tdir {url}")
    lines.append("\tdisable_tlsalpn_challenge" if acme.challenge == "http-01" else "\tdisable_http_challenge")
    if acme.eab_key_id:
        lines.append(f"\teab {quoted(acme.eab_key_id)} {quoted(acme.eab_hmac_key.get_secret_value())}")
    if acme.profile:
        lines.append(f"\tprofile {quoted(acme.profile)}")
    if acme.ca_certificates:
        lines.append(
            "\ttrusted_roots " + " ".join(quoted(file.expanduser().absolute()) for file in acme.ca_certificates)
        )
    return [*lines, "}"]


def _handles(routing: Routing, tls: TlsSettings, host: str) -> list[str]:
    lines = []
    for route in routing.of(host):
        if route.path:
            matcher = f"@{route.name}"
            lines.append(f"{matcher} path {route.path} {route.path}/*")
            lines.append(f"handle {matcher} {{")
        else:
            lines.append("handle {")
        lines.append(f"\treverse_proxy {route.backend.address} {{")
        if tls.trusted_proxies:
            lines.append("\t\ttrusted_proxies " + " ".join(str(network) for network in tls.trusted_proxies))
        lines += ["\t\theader_up X-Real-IP {remote_host}", "\t}", "}"]
    return lines


def quoted(value: object) -> str:
    """A word of a Caddyfile, whatever it holds."""
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _indent(lines: list[str]) -> list[str]:
    return [f"\t{line}" for line in lines]
