"""The routing written for Traefik 3: one file that is read at the start, one that is watched.

What the watched file orders certificates for can differ from what it routes: a name whose last order failed is routed
without a resolver until its pause is over, since Traefik orders as soon as it sees one, at every start.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from snowgauge.pipeline.proxy.certificates import OwnCertificate
from snowgauge.pipeline.proxy.routing import Route, Routing
from snowgauge.settings.tls import AcmeSettings, TlsSettings

RESOLVER = "acme"
STATIC, DYNAMIC = "traefik.yaml", "routes.yaml"
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"

_CIPHERS = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
]
"""For TLS 1.2: forward secrecy and authenticated encryption only. 1.3 has nothing else."""


def directory_url(acme: AcmeSettings) -> str:
    """Where certificates are ordered."""
    if acme.directory is not None:
        return str(acme.directory)
    return STAGING if acme.staging else LETS_ENCRYPT


def storage(acme: AcmeSettings) -> str:
    """Name of the file with account and certificates: one for each authority, since none knows another's account."""
    if acme.directory is None:
        return "acme-staging.json" if acme.staging else "acme.json"
    return f"acme-{re.sub('[^A-Za-z0-9]+', '-', str(acme.directory).partition('://')[2]).strip('-')}.json"


def static(tls: TlsSettings, folder: Path | str) -> dict[str, Any]:
    """The file read at the start. ``folder`` is where certificates are kept and the watched file lies."""
    trusted = {"forwardedHeaders": {"trustedIPs": [str(network) for network in tls.trusted_proxies]}}
    reading = {"transport": {"respondingTimeouts": {"readTimeout": "60s", "idleTimeout": "180s"}}}
    # Traefik would read a semicolon as the end of a parameter, and write an ampersand in its place
    queries = {"encodeQuerySemicolons": True}
    web: dict[str, Any] = {"address": f"{_host(tls.interface)}:{tls.http_port}", **reading, "http": queries}
    websecure: dict[str, Any] = {"address": f"{_host(tls.interface)}:{tls.https_port}", **reading, "http": queries}
    if tls.trusted_proxies:
        web |= trusted
        websecure |= trusted
    if tls.redirect_http:
        target = f":{tls.port_of_visitors}"
        web["http"] = {**queries, "redirections": {"entryPoint": {"to": target, "scheme": "https", "permanent": True}}}
    if tls.http3:
        websecure["http3"] = {"advertisedPort": tls.port_of_visitors}
    made: dict[str, Any] = {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "INFO", "format": "json"},
        "entryPoints": {"web": web, "websecure": websecure},
        "serversTransport": {"maxIdleConnsPerHost": 256},
        "providers": {"file": {"filename": f"{folder}/{DYNAMIC}", "watch": True}},
    }
    if tls.certificate is None:
        made["certificatesResolvers"] = {RESOLVER: {"acme": _acme(tls.acme, folder)}}
    return made


def _host(interface: str) -> str:
    return f"[{interface}]" if ":" in interface else interface


def _acme(acme: AcmeSettings, folder: Path | str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "storage": f"{folder}/{storage(acme)}",
        "caServer": directory_url(acme),
        "keyType": acme.key_type,
        "certificatesDuration": max(1, int(acme.certificate_lifetime.total_seconds() // 3600)),
    }
    if acme.challenge == "http-01":
        made["httpChallenge"] = {"entryPoint": "web"}
    else:
        made["tlsChallenge"] = {}
    if acme.email:
        made["email"] = acme.email
    if acme.profile:
        made["profile"] = acme.profile
    if acme.ca_certificates:
        made["caCertificates"] = [str(file.expanduser().absolute()) for file in acme.ca_certificates]
        made["caSystemCertPool"] = True
    if acme.eab_key_id:
        made["eab"] = {"kid": acme.eab_key_id, "hmacEncoded": acme.eab_hmac_key.get_secret_value()}
    return made


def dynamic(
    routing: Routing, tls: TlsSettings, *, order: Collection[str] = (), own: OwnCertificate | None = None
) -> dict[str, Any]:
    """The file that is watched. ``order``: names whose certificates Traefik may order; ``own``: a certificate of
    yours, put into the file itself so that a new one is a change of the file."""
    options: dict[str, Any] = {"minVersion": f"VersionTLS{tls.min_version.replace('.', '')}", "sniStrict": True}
    if tls.min_version == "1.2":
        options["cipherSuites"] = _CIPHERS
    http: dict[str, Any] = {"routers": {}, "services": {}}
    middlewares = _middlewares(tls)
    if middlewares:
        http["middlewares"] = middlewares
    for route in routing.routes:
        router = _router(route)
        secure: dict[str, Any] = {"options": "snowgauge"}
        if route.host in order:
            secure |= {"certResolver": RESOLVER, "domains": [{"main": route.host}]}
        http["routers"][route.name] = {**router, "entryPoints": ["websecure"], "tls": secure}
        if middlewares:
            http["routers"][route.name]["middlewares"] = list(middlewares)
        if not tls.redirect_http and route.backend.name == "collector":
            http["routers"][f"{route.name}-plain"] = {**router, "entryPoints": ["web"]}
    for backend in routing.backends:
        http["services"][backend.name] = {"loadBalancer": {"servers": [{"url": backend.url}]}}
    made: dict[str, Any] = {"http": http, "tls": {"options": {"snowgauge": options, "default": options}}}
    if own is not None:
        made["tls"]["certificates"] = [{"certFile": own.chain, "keyFile": own.private_key}]
    return made


def _router(route: Route) -> dict[str, Any]:
    rule = f"Host(`{route.host}`)"
    if route.path:
        rule += f" && (Path(`{route.path}`) || PathPrefix(`{route.path}/`))"
    return {"rule": rule, "service": route.backend.name, "priority": 100 + len(route.path)}


def _middlewares(tls: TlsSettings) -> dict[str, Any]:
    seconds = int(tls.hsts.total_seconds())
    if not seconds:
        return {}
    return {"hsts": {"headers": {"stsSeconds": seconds, "stsIncludeSubdomains": tls.hsts_subdomains}}}


def text(tree: dict[str, Any]) -> str:
    """As YAML."""
    written: str = yaml.safe_dump(tree, sort_keys=False, width=120)
    return written
