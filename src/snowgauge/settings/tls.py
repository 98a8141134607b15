"""Settings of HTTPS at the front: which names are served, by which proxy, with certificates from where."""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, model_validator

from snowgauge.collector.admission.settings import Network
from snowgauge.part_settings import Duration, PartSettings, Secret

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def _domain(value: str) -> str:
    name = value.strip().lower().rstrip(".")
    if "://" in name or "/" in name or ":" in name:
        raise ValueError(
            f"expected a bare name such as 'collector.example.com', without https:// or port, found {value!r}"
        )
    try:
        ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        raise ValueError(f"expected a name such as 'collector.example.com', found the address {value!r}")
    if name.startswith("*."):
        raise ValueError(f"{value!r}: name each domain; certificates for wildcards cannot be had by these challenges")
    labels = name.split(".")
    if len(labels) < 2 or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"expected a full name such as 'collector.example.com', found {value!r}")
    return name


DomainName = Annotated[str, AfterValidator(_domain)]
"""A full host name: no scheme, no port, no wildcard."""


def _of_one(value: object) -> object:
    return [value] if isinstance(value, str) else value


class AcmeSettings(PartSettings):
    """Certificates from Let's Encrypt, or from another authority that speaks ACME."""

    email: str = ""
    """Address that the authority may write to. It goes to nobody else."""

    challenge: Literal["http-01", "tls-alpn-01"] = "http-01"
    """How the authority sees that a name is yours: `http-01` asks port 80, `tls-alpn-01` asks port 443."""

    staging: bool = False
    """Use Let's Encrypt's staging service: no limits worth knowing, and certificates that no browser believes."""

    directory: HttpUrl | None = None
    """Another authority's ACME directory. Empty: Let's Encrypt."""

    ca_certificates: Annotated[list[Path], BeforeValidator(_of_one)] = Field(default=[])
    """PEM files of roots to believe when talking to `directory`, for an authority inside your own network."""

    eab_key_id: str = ""
    """External account binding: the key's id, for authorities that want accounts of their customers only."""

    eab_hmac_key: Secret = Secret("")
    """External account binding: the key, base64url as the authority gave it."""

    profile: str = ""
    """Certificate profile, where the authority has several (Let's Encrypt: `classic`, `tlsserver`, `shortlived`)."""

    key_type: Literal["EC256", "EC384", "RSA2048", "RSA4096"] = "EC256"
    """Kind of the certificates' keys."""

    certificate_lifetime: Duration = Field(default=timedelta(days=90), ge=timedelta(hours=1))
    """How long the authority's certificates last. Renewal begins with a third of it left (Traefik: at 90 days, 30 days
    before the end; at 30, 10; at 7, one; below, hours)."""

    retry_after: Duration = Field(default=timedelta(minutes=15), ge=timedelta(seconds=1))
    """Pause after a failed order; it doubles with each further failure, up to a day, and outlives restarts, so that
    the authority's limit on failures (Let's Encrypt: 5 per name and hour) is never reached."""

    @model_validator(mode="after")
    def _both_halves(self) -> AcmeSettings:
        if bool(self.eab_key_id) != bool(self.eab_hmac_key.get_secret_value()):
            raise ValueError("eab_key_id and eab_hmac_key come together: give both, or neither")
        if self.staging and self.directory is not None:
            raise ValueError(
                "staging is Let's Encrypt's: with directory, name the other authority's test service there"
            )
        return self


class TlsSettings(PartSettings):
    """HTTPS in front of everything, by a proxy that `snowgauge serve` runs when `domains` names at least one."""

    domains: Annotated[list[DomainName], BeforeValidator(_of_one)] = Field(default=[])
    """Names of the collector. Each gets a certificate of its own, so that one that fails keeps no other waiting."""

    console_domain: DomainName | None = None
    """Name under which the private port is served over HTTPS too. It then needs an admin, as off loopback."""

    agent: bool = False
    """Pass `/agent` of `domains` on to the private port, for programs with a token. It then needs an admin too."""

    proxy: Literal["traefik", "caddy"] = "traefik"
    """Which proxy is run."""

    program: Path | None = None
    """The proxy's program. Empty: Traefik of the extra `snowgauge[tls]`, else what is found on PATH."""

    interface: str = ""
    """Address that the proxy listens at. Empty: all, IPv4 and IPv6."""

    http_port: int = Field(default=80, ge=1, le=65535)
    """Port of plain HTTP: challenges, and the way to HTTPS. The authority asks port 80, whatever this says."""

    https_port: int = Field(default=443, ge=1, le=65535)
    """Port of HTTPS: TCP, and UDP for HTTP/3."""

    public_port: int | None = Field(default=None, ge=1, le=65535)
    """Port of HTTPS as visitors see it, where something in front of this machine or container sends it on to
    `https_port`. Empty: `https_port` itself."""

    redirect_http: bool = True
    """Send plain HTTP on to HTTPS. Off, the collector is served on both, for trackers that cannot do HTTPS."""

    http3: bool = True
    """Serve HTTP/3 beside HTTP/2 and 1.1."""

    min_version: Literal["1.2", "1.3"] = "1.2"
    """Oldest version of TLS. 1.3 shuts out phones and set-top boxes from before 2019."""

    hsts: Duration = Field(default=timedelta(days=365), ge=timedelta(0))
    """How long browsers insist on HTTPS for these names (`Strict-Transport-Security`); 0 sends no such header."""

    hsts_subdomains: bool = False
    """Let browsers insist for all names below as well. Right only if everything there speaks HTTPS."""

    trusted_proxies: list[Network] = Field(default=[])
    """Load balancers in front of this proxy, whose `X-Forwarded-*` headers are believed. Everyone else's are thrown
    away."""

    certificate: Path | None = None
    """Own certificate chain, PEM, in place of ACME. It is loaded again when the file changes."""

    private_key: Path | None = None
    """Its private key, PEM."""

    acme: AcmeSettings = AcmeSettings()
    """Certificates from Let's Encrypt."""

    @property
    def enabled(self) -> bool:
        return bool(self.domains)

    @property
    def port_of_visitors(self) -> int:
        return self.public_port or self.https_port

    @property
    def names(self) -> list[str]:
        """Every name that needs a certificate."""
        return [*self.domains, *([self.console_domain] if self.console_domain else [])]

    @property
    def opens_private_port(self) -> bool:
        """Can others reach the private port through the proxy?"""
        return self.enabled and (self.agent or self.console_domain is not None)

    @model_validator(mode="after")
    def _consistent(self) -> TlsSettings:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key come together: give both PEM files, or neither")
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"a name stands twice: {', '.join(self.names)}; the console needs a name of its own")
        if self.console_domain and not self.domains:
            raise ValueError("console_domain needs domains: the proxy runs where the collector has a name")
        if self.http_port == self.https_port:
            raise ValueError(f"http_port and https_port are both {self.http_port}; they are two ports")
        return self
