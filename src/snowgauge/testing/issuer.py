"""A small OpenID Connect provider on this machine: discovery, keys, tokens, and the login of one person."""

from __future__ import annotations

import base64
import hashlib
import html
import time
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlencode

from cryptography.hazmat.primitives.asymmetric import rsa

from snowgauge.testing.web import Asked, Web


@lru_cache
def rsa_key(_name: str) -> rsa.RSAPrivateKey:
    """The same key for the same name: making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Issuer:
    """Serves a discovery document and keys; ``rotate`` replaces the key, ``token`` signs with the present one."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.url = f"{web.url}/pool"
        self.description: dict[str, Any] = {"issuer": self.url, "jwks_uri": f"{web.url}/keys"}
        self.rotate("first")
        web.answers["/pool/.well-known/openid-configuration"] = lambda _: (200, self.description)
        web.answers["/keys"] = lambda _: (200, {"keys": list(self.keys.values())})

    def rotate(self, kid: str) -> None:
        self.kid, self.key = kid, rsa_key(kid)
        self.keys: dict[str, dict[str, Any]] = {kid: self.jwk()}

    def jwk(self, **more: Any) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()

        def text(number: int) -> str:
            return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()

        made = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": text(numbers.n), "e": text(numbers.e)}
        return {**made, **more}

    def sign(
        self,
        payload: dict[str, Any],
        *,
        headers: dict[str, Any] | None = None,
        algorithm: str = "RS256",
        key: Any = None,
    ) -> str:
        import jwt

        return jwt.encode(payload, key or self.key, algorithm, headers={"kid": self.kid, **(headers or {})})

    def fetches(self) -> int:
        """How often the keys were asked for."""
        return sum(asked.path == "/keys" for asked in self.web.asked)


class Provider(Issuer):
    """An issuer through which ``person`` logs in, on a page with one link. ``overrides`` go into the next id tokens
    (``None``: the claim is left out), ``userinfo`` is what that endpoint adds."""

    def __init__(self, web: Web) -> None:
        super().__init__(web)
        self.client_id, self.secret = "snowgauge", "the provider's secret"
        self.person: dict[str, Any] = {"sub": "248289", "email": "ada@acme.example", "email_verified": True}
        self.overrides: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.signed_with: Any = None
        self._asked: dict[str, dict[str, str]] = {}
        for name in ("authorization", "token", "userinfo"):
            self.description[f"{name}_endpoint"] = f"{web.url}/{name}"
        web.answers["/authorization"] = self._authorize
        web.answers["/token"] = self._token
        web.answers["/userinfo"] = self._userinfo

    def consent(self, query: dict[str, str]) -> str:
        """The person agrees: the address to which the browser is sent back."""
        assert query["response_type"] == "code"
        assert query["client_id"] == self.client_id
        assert "openid" in query["scope"].split()
        code = f"code-{len(self._asked)}"
        self._asked[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def _authorize(self, asked: Asked) -> tuple[int, bytes]:
        there = html.escape(self.consent(asked.query))
        return 200, f'<!doctype html><title>Provider</title><a href="{there}">Continue as Ada</a>'.encode()

    def _token(self, asked: Asked) -> tuple[int, Any]:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        wanted = self._asked.pop(form["code"], None)  # a code is good for one exchange
        basic = base64.b64encode(f"{self.client_id}:{self.secret.replace(' ', '+').replace(chr(39), '%27')}".encode())
        if asked.headers.get("authorization") != f"Basic {basic.decode()}":
            return 401, {"error": "invalid_client"}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            wanted is None
            or wanted["code_challenge_method"] != "S256"
            or wanted["code_challenge"] != challenge
            or wanted["redirect_uri"] != form["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": self.client_id, "iat": now, "exp": now + 300, "nonce": wanted["nonce"],
            **self.person, **self.overrides,
        }  # fmt: skip
        token = self.sign({name: value for name, value in claims.items() if value is not None}, key=self.signed_with)
        return 200, {"id_token": token, "access_token": "access", "token_type": "Bearer"}

    def _userinfo(self, asked: Asked) -> tuple[int, Any]:
        known = asked.headers.get("authorization") == "Bearer access"
        return (200, {"sub": self.person["sub"], **self.userinfo}) if known else (401, {})
