"""What the proxy's log lines mean for the person who runs this: which name got no certificate, why, and the cure."""

from __future__ import annotations

import re

import msgspec

_URN = re.compile(r"urn:ietf:params:acme:error:([A-Za-z]+)")
_NAMES = re.compile(r"domains? \[([^\]]*)\]")
_RENEWING = re.compile(r"renewing (?:ACME )?certificate", re.IGNORECASE)
_RENEWED_NAME = re.compile(r"\{(\S+) \[")

CURES = {
    "connection": "see that the name's DNS entries (A and AAAA) lead to this machine, and that port {port} is open in "
    "every firewall between",
    "dns": "make a DNS entry (A or AAAA) for the name that leads to this machine",
    "unauthorized": "something else answers under this name on port {port}: see that its DNS entries (A and AAAA) lead "
    "to this machine, and that no other web server or CDN stands in front",
    "tls": "something else answers under this name on port {port}, or ends TLS in front of this machine",
    "caa": "the domain's CAA records do not allow this authority: add it, or remove them",
    "rateLimited": "the authority has had too many orders for this name: wait; for trials set tls.acme.staging",
    "rejectedIdentifier": "the authority gives no certificates for this name: is it spelt right, and a public name?",
    "externalAccountRequired": "this authority wants its customers' accounts only: set tls.acme.eab_key_id and "
    "tls.acme.eab_hmac_key",
    "invalidContact": "tls.acme.email is not an address that the authority accepts",
    "unsupportedContact": "tls.acme.email is not an address that the authority accepts",
    "invalidProfile": "tls.acme.profile names a profile that the authority does not have",
}
"""ACME's error types (RFC 8555, 6.7) and what to do about each."""

_AUTHORITY_AWAY = "the authority could not be asked: is this machine allowed to reach it, and is it up?"
_OTHER = "what the authority says is above; tls.acme.staging lets you try without its limits"


class Refused(msgspec.Struct, frozen=True):
    """A certificate was not issued or renewed."""

    names: list[str]
    reason: str
    cure: str
    renewal: bool = False


class Trouble(msgspec.Struct, frozen=True):
    """Any other error of the proxy."""

    message: str


class _Line(msgspec.Struct):
    level: str = ""
    message: str = ""
    msg: str = ""
    error: str = ""
    domains: list[str] | str = []
    identifier: str = ""
    err: str = ""


def read(line: bytes, *, challenge_port: int) -> Refused | Trouble | None:
    """``None`` for a line that needs nobody. Lines that are not JSON (a panic, a complaint at the start) are troubles.

    ``challenge_port`` is the port that the authority asks: 80 or 443, or what a test gave it.
    """
    text = line.decode(errors="replace").strip()
    if not text:
        return None
    try:
        said = msgspec.json.decode(text, type=_Line)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return Trouble(text) if not text.startswith("{") else None
    message = said.message or said.msg
    if said.level not in ("error", "fatal", "panic"):
        return None
    detail = said.error or said.err
    names = [said.domains] if isinstance(said.domains, str) else said.domains
    if said.identifier:
        names = [said.identifier]
    about_orders = "ACME certificate" in message or "certificate from issuer" in message or _RENEWING.search(message)
    if not names and about_orders:
        found = _RENEWED_NAME.search(message) or _NAMES.search(detail)
        names = found[1].split() if found else []
    if about_orders and names:
        reason, cure = explain(detail, challenge_port)
        return Refused(names, reason, cure, bool(_RENEWING.search(message)))
    return Trouble(f"{message}: {detail}" if detail else message)


def explain(detail: str, port: int) -> tuple[str, str]:
    """The authority's reason without its wrapping, and the cure."""
    urn = _URN.search(detail)
    reason = detail[urn.end() :].strip(" :-]") if urn else detail
    if urn is None:
        away = re.search(r"get directory at|connection refused|no such host|timeout|certificate signed by", detail)
        return _shorten(reason), _AUTHORITY_AWAY if away else _OTHER
    kind = urn[1]
    if kind == "connection" and re.search(r"could not resolve|no such host|SERVFAIL|NXDOMAIN", detail):
        kind = "dns"
    return _shorten(f"{kind}: {reason}"), CURES.get(kind, _OTHER).format(port=port)


def _shorten(text: str) -> str:
    return text if len(text) <= 400 else text[:397] + "..."
