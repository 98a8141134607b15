"""A store full of canaries, an agent API over it, and an identity provider on this machine."""

from __future__ import annotations

import json
import time

import pytest
from cryptography.hazmat.primitives import serialization

from snowgauge.actions.deployment import Deployment
from snowgauge.api.agent.app import agent_app
from snowgauge.api.agent.settings import AgentSettings
from snowgauge.delivery.memory import MemoryLog
from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.store.memory import MemoryStore
from snowgauge.testing import issuer as issuer_of_tests
from snowgauge.testing.asgi import Client
from snowgauge.testing.web import serving

TOKEN = "0123456789abcdef0123456789abcdef"
CLIENT, USER = "1example23456789", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


class Issuer(issuer_of_tests.Issuer):
    """Signs access tokens of one user."""

    def other_key(self):
        return issuer_of_tests.rsa_key("another's")

    def public_text(self):
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def token(self, *, headers=None, algorithm="RS256", key=None, without=(), **claims):
        now = int(time.time())
        payload = {
            "iss": self.url, "sub": USER, "client_id": CLIENT, "token_use": "access", "iat": now, "exp": now + 300,
            "scope": "openid", **claims,
        }  # fmt: skip
        payload = {name: value for name, value in payload.items() if name not in without}
        return self.sign(payload, headers=headers, algorithm=algorithm, key=key)


@pytest.fixture
def issuer():
    with serving() as web:
        yield Issuer(web)


@pytest.fixture(scope="session")
def schemas():
    return build(IgluSettings(iglu_central=False), None)


@pytest.fixture
def deployment(schemas, tmp_path):
    resolver, validator = schemas
    return Deployment(
        store=MemoryStore(), eventlog=MemoryLog(), resolver=resolver, validator=validator, data_dir=tmp_path,
        version="1.2.3",
    )  # fmt: skip


class Agent:
    def __init__(self, client, token):
        self.client = client
        self.token = token

    def ask(self, path="/status", *, method="GET", token=None, headers=()):
        sent = [("authorization", f"Bearer {token or self.token}")] if token != "" else []
        return self.client.request(method, path, [*sent, *headers])

    def get(self, path):
        answer = self.ask(path)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)


@pytest.fixture
def open_agent(deployment):
    opened = []

    def make(*, now=None, checker=None, limit=None, proxies=(), **settings):
        made = AgentSettings(**(settings or {"static_token": TOKEN}))
        clock = {} if now is None else {"clock": lambda: now}
        client = Client(agent_app(deployment, made, checker=checker, limit=limit, proxies=proxies, **clock)).__enter__()
        opened.append(client)
        return Agent(client, TOKEN)

    yield make
    for client in opened:
        client.__exit__()
