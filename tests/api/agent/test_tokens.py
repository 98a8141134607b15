"""Who may ask the agent, against a real issuer on this machine."""

from __future__ import annotations

import base64
import json
import time
from ipaddress import ip_network

import pytest
from pydantic import ValidationError

from snowgauge.api.agent.door import RateLimit
from snowgauge.api.agent.settings import AgentSettings
from snowgauge.api.agent.tokens import TokenChecker, issuer_keys
from snowgauge.outgoing import HttpClient

CLIENT, USER = "1example23456789", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def agent(open_agent, issuer):
    return open_agent(**oidc(issuer))


def oidc(issuer, **more):
    return {"issuer": issuer.url, "client_ids": [CLIENT], "subjects": [USER], "token_use": "access", **more}


def test_a_good_token_opens(agent, issuer) -> None:
    assert agent.ask(token=issuer.token()).status == 200
    assert agent.client.request("GET", "/status", [("authorization", f"bearer {issuer.token()}")]).status == 200


def test_without_a_token_there_is_a_challenge(agent) -> None:
    answer = agent.ask(token="")
    assert (answer.status, answer["www-authenticate"]) == (401, 'Bearer realm="snowgauge"')
    assert answer["cache-control"] == "no-store"


BAD = {
    "expired": lambda i: i.token(exp=int(time.time()) - 120),
    "issued in the future": lambda i: i.token(iat=int(time.time()) + 300),
    "not yet valid": lambda i: i.token(nbf=int(time.time()) + 300),
    "another issuer": lambda i: i.token(iss="https://other.example"),
    "another issuer by a slash": lambda i: i.token(iss=i.url + "/"),
    "another key under the same id": lambda i: i.token(key=i.other_key()),
    "an unknown key": lambda i: i.token(headers={"kid": "unknown"}),
    "no sub": lambda i: i.token(without=["sub"]),
    "no exp": lambda i: i.token(without=["exp"]),
    "no iat": lambda i: i.token(without=["iat"]),
    "no iss": lambda i: i.token(without=["iss"]),
    "an id token": lambda i: i.token(token_use="id"),
    "no token_use": lambda i: i.token(without=["token_use"]),
    "another client": lambda i: i.token(client_id="other"),
    "no client": lambda i: i.token(without=["client_id"]),
    "another algorithm": lambda i: i.token(algorithm="RS512"),
    "garbage": lambda i: "garbage",
    "three parts of garbage": lambda i: "a.b.c",
    "too long": lambda i: i.token(pad="x" * 9000),
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
def test_anything_wrong_with_a_token_is_401(agent, issuer, token) -> None:
    answer = agent.ask(token=token(issuer))
    assert answer.status == 401
    assert (answer["www-authenticate"] or "").startswith('Bearer realm="snowgauge", error="invalid_')


def forged(header, issuer, signature=b""):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    claims = json.loads(base64.urlsafe_b64decode(issuer.token().split(".")[1] + "=="))
    signed = part({"kid": issuer.kid, "typ": "JWT", **header}) + b"." + part(claims)
    made = signature(signed) if callable(signature) else signature
    return (signed + b"." + base64.urlsafe_b64encode(made).rstrip(b"=")).decode()


def test_no_algorithm_and_the_public_key_as_a_secret_are_refused(agent, issuer) -> None:
    import hashlib
    import hmac

    def with_public_key(signed):
        return hmac.new(issuer.public_text(), signed, hashlib.sha256).digest()

    assert agent.ask(token=forged({"alg": "none"}, issuer)).status == 401
    assert agent.ask(token=forged({"alg": "HS256"}, issuer, with_public_key)).status == 401


def test_a_symmetric_key_among_the_issuers_is_never_used(agent, issuer) -> None:
    issuer.keys["first"] = {"kty": "oct", "kid": "first", "k": base64.urlsafe_b64encode(b"secret" * 6).decode()}
    assert agent.ask(token=issuer.token()).status == 401


def test_another_user_is_403(agent, issuer) -> None:
    answer = agent.ask(token=issuer.token(sub="somebody-else"))
    assert (answer.status, 'error="insufficient_scope"' in (answer["www-authenticate"] or "")) == (403, True)


@pytest.mark.parametrize(
    "values", [["Basic dTpw"], ["Bearer"], ["Bearer "], ["Bearer a b"], ["Bearer  x"], ["Bearer x", "Bearer y"]]
)
def test_the_header_has_one_form(agent, values) -> None:
    answer = agent.client.request("GET", "/status", [("authorization", value) for value in values])
    assert (answer.status, 'error="invalid_request"' in (answer["www-authenticate"] or "")) == (401, True)


def test_clocks_may_differ_a_little(agent, issuer) -> None:
    assert agent.ask(token=issuer.token(exp=int(time.time()) - 5)).status == 200
    assert agent.ask(token=issuer.token(iat=int(time.time()) + 5)).status == 200


def test_audience_client_claims_and_scopes(open_agent, issuer) -> None:
    agent = open_agent(
        issuer=issuer.url, subjects=[USER], audiences=["api://agent"], client_ids=["app"], scopes=["agent"]
    )
    good = {"aud": "api://agent", "azp": "app", "scope": "openid agent"}
    assert agent.ask(token=issuer.token(**good, without=["client_id", "token_use"])).status == 200
    assert agent.ask(token=issuer.token(**{**good, "aud": ["x", "api://agent"]}, without=["client_id"])).status == 200
    for change in ({"aud": "other"}, {"aud": None}, {"azp": "other"}):
        assert agent.ask(token=issuer.token(**{**good, **change}, without=["client_id"])).status == 401
    assert agent.ask(token=issuer.token(**good)).status == 401, "client_id comes first where there is one"
    assert agent.ask(token=issuer.token(**{**good, "scope": "openid"}, without=["client_id"])).status == 403


def test_new_keys_are_found_at_once_and_old_ones_are_forgotten(open_agent, issuer) -> None:
    agent = open_agent(**oidc(issuer, keys_cooldown=0))
    before = issuer.token()
    assert agent.ask(token=before).status == 200
    issuer.rotate("second")
    assert agent.ask(token=issuer.token()).status == 200
    assert agent.ask(token=before).status == 401


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clocked(open_agent, issuer):
    """An agent whose keys age by hand."""
    clock = Clock()
    settings = AgentSettings(**oidc(issuer))
    http = HttpClient(timeout=60, retries=0, allow_private_hosts=True)
    checker = TokenChecker(settings, issuer_keys(settings, http, monotonic=clock))
    yield open_agent(checker=checker, **oidc(issuer)), clock
    http.close()


def test_made_up_keys_do_not_hammer_the_issuer(clocked, issuer) -> None:
    agent, clock = clocked
    for number in range(20):
        assert agent.ask(token=issuer.token(headers={"kid": f"made-up-{number}"})).status == 401
    assert issuer.fetches() == 1
    clock.now += 11
    agent.ask(token=issuer.token(headers={"kid": "made-up"}))
    assert issuer.fetches() == 2


def test_keys_are_fetched_anew_after_their_time(clocked, issuer) -> None:
    agent, clock = clocked
    for step, fetches in ((0, 1), (299, 1), (2, 2)):
        clock.now += step
        assert agent.ask(token=issuer.token()).status == 200
        assert issuer.fetches() == fetches


def test_while_the_issuer_is_away_known_keys_go_on(clocked, issuer) -> None:
    agent, clock = clocked
    assert agent.ask(token=issuer.token()).status == 200
    issuer.web.answers["/keys"] = (503, b"")
    clock.now += 1000
    assert agent.ask(token=issuer.token()).status == 200


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/keys", (500, b"")),
        ("/keys", (200, b"not json")),
        ("/keys", (200, [])),
        ("/pool/.well-known/openid-configuration", (404, b"")),
        ("/pool/.well-known/openid-configuration", (200, {"issuer": "https://other.example", "jwks_uri": "x"})),
    ],
)
def test_without_any_keys_it_is_503(agent, issuer, path, answer) -> None:
    issuer.web.answers[path] = answer
    refused = agent.ask(token=issuer.token())
    assert (refused.status, refused["www-authenticate"]) == (503, None)


def test_keys_may_be_where_the_settings_say(open_agent, issuer) -> None:
    issuer.web.answers.pop("/pool/.well-known/openid-configuration")
    agent = open_agent(**oidc(issuer, jwks_url=f"{issuer.web.url}/keys"))
    assert agent.ask(token=issuer.token()).status == 200


def test_a_static_token_opens_beside_or_without_an_issuer(open_agent, issuer) -> None:
    alone = open_agent(static_token=TOKEN)
    assert alone.ask().status == 200
    assert alone.ask(token=TOKEN[:-1] + "0").status == 401
    both = open_agent(**oidc(issuer, static_token=TOKEN))
    assert both.ask().status == 200
    assert both.ask(token=issuer.token()).status == 200


# ---- the door ---------------------------------------------------------------------------------------------------


def test_only_the_configured_origin_may_read(open_agent) -> None:
    agent = open_agent(static_token=TOKEN, allowed_origin="https://console.example")
    own, other = [("origin", "https://console.example")], [("origin", "https://evil.example")]
    assert agent.ask(headers=own)["access-control-allow-origin"] == "https://console.example"
    assert agent.ask(headers=other)["access-control-allow-origin"] is None
    preflight = agent.ask(method="OPTIONS", token="", headers=own)
    assert (preflight.status, preflight["access-control-allow-headers"]) == (204, "authorization")
    assert agent.ask(method="OPTIONS", token="", headers=other).status == 403
    refused = agent.ask(token="", headers=own)
    assert (refused.status, refused["access-control-allow-origin"]) == (401, "https://console.example")


def test_without_a_configured_origin_no_page_may_read(open_agent) -> None:
    agent = open_agent()
    for origin in ("https://console.example", "null", ""):
        answer = agent.ask(headers=[("origin", origin)])
        assert answer["access-control-allow-origin"] is None
        assert agent.ask(method="OPTIONS", headers=[("origin", origin)]).status == 403


def test_too_many_requests(open_agent) -> None:
    clock = Clock()
    agent = open_agent(limit=RateLimit(3, clock))
    statuses = [agent.ask(token="wrong" if number == 1 else None).status for number in range(5)]
    assert statuses == [200, 401, 200, 429, 429]
    assert agent.ask()["retry-after"] == str(60 - int(clock.now % 60))
    clock.now += 60
    assert agent.ask().status == 200


def test_a_flood_of_addresses_does_not_fill_the_memory() -> None:
    limit = RateLimit(1, Clock())
    for number in range(30_000):
        limit.wait(str(number))
    assert len(limit._seen) <= 10_000


def test_the_description_needs_no_token_and_nothing_else_does_without(open_agent) -> None:
    agent = open_agent()
    description = agent.ask("/openapi.json", token="")
    assert description.status == 200
    paths = json.loads(description.body)["paths"]
    assert "/event-types" in paths
    for path in [*paths, "/nowhere", "/docs", "/openapi.json/"]:
        assert agent.ask(path, token="").status == 401
        for method in ("POST", "PUT", "DELETE", "HEAD"):
            assert agent.ask(path, token="", method=method).status == 401


def test_nothing_is_kept_by_browsers(open_agent) -> None:
    for answer in (open_agent().ask(), open_agent().ask("/nowhere"), open_agent().ask(token="")):
        assert answer["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"issuer": "https://a.example", "subjects": ["x"]}, "client_ids or agent.audiences"),
        ({"issuer": "https://a.example", "client_ids": ["x"]}, "agent.subjects"),
        ({"issuer": "a.example"}, "expected an https address"),
        ({"algorithms": ["HS256"]}, "'HS256' is not one of"),
        ({"algorithms": ["none"]}, "'none' is not one of"),
        ({"clock_skew": "5 minutes"}, "0 to 60 seconds"),
        ({"static_token": "short"}, "32 characters"),
        ({"allowed_origin": "*"}, "expected an origin"),
        ({"allowed_origin": "https://a.example/x"}, "expected an origin"),
    ],
)
def test_settings_that_would_let_too_many_in_are_refused(settings, reason) -> None:
    with pytest.raises(ValidationError, match=reason):
        AgentSettings(**settings)


def test_cognitos_tokens_must_be_access_tokens() -> None:
    pool = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a1b2c3d4e"
    common = {"client_ids": ["x"], "subjects": ["y"]}
    assert AgentSettings(issuer=pool, **common).wanted_token_use == "access"
    assert AgentSettings(issuer="https://id.example", **common).wanted_token_use == ""
    assert AgentSettings(issuer=pool, token_use="", **common).wanted_token_use == ""


def test_behind_a_proxy_each_visitor_has_a_limit_of_its_own(open_agent) -> None:
    def ask(agent, *hops):
        return agent.ask("/versions", headers=[("x-forwarded-for", hop) for hop in hops]).status

    behind = open_agent(limit=RateLimit(2, lambda: 0.0), proxies=[ip_network("203.0.113.0/24")])
    assert [ask(behind, "198.51.100.1") for _ in range(3)] == [200, 200, 429]
    assert ask(behind, "198.51.100.2") == 200
    assert ask(behind, "198.51.100.9, 198.51.100.1") == 429, "what the visitor made up does not count"
    open_ = open_agent(limit=RateLimit(2, lambda: 0.0))
    assert [ask(open_, f"198.51.100.{n}") for n in range(3)] == [200, 200, 429]
