"""The HTTP registry against a real server: every kind of answer, and none at all."""

from datetime import timedelta
from itertools import count

import pytest

from snowgauge.errors import SettingsError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.registries.base import Refusal
from snowgauge.iglu.registries.http import HttpRegistry

OTHER = SchemaKey("com.acme", "other", "jsonschema", 1, 0, 0)
KEY = SchemaKey.parse("iglu:com.acme/cart/jsonschema/1-0-0")
PATH = "/schemas/com.acme/cart/jsonschema/1-0-0"
SCHEMA = {"type": "object"}


@pytest.fixture
def registry(server):
    pauses = []
    # every look at the clock is a minute later, so that a registry that was away is asked again at once
    made = HttpRegistry(server.uri + "/", sleep=pauses.append, max_size=1000, clock=count(0, 60).__next__)
    made.pauses = pauses
    yield made
    made.close()


def test_a_schema_is_found_at_its_path(server, registry):
    server.put(KEY.uri, SCHEMA)
    assert registry.lookup(KEY) == SCHEMA
    assert server.requests == [(PATH, None)]


def test_the_api_key_is_sent(server):
    server.put(KEY.uri, SCHEMA)
    server.apikey = "secret"
    allowed, refused = HttpRegistry(server.uri, apikey="secret"), HttpRegistry(server.uri, apikey="wrong")
    assert allowed.lookup(KEY) == SCHEMA
    assert refused.lookup(KEY) == Refusal("ClientFailure", "Unexpected response code: 403")
    allowed.close()
    refused.close()


@pytest.mark.parametrize(
    ("answer", "error", "message", "away", "tries"),
    [
        ((404, b""), "NotFound", None, False, 1),
        ((400, b"x"), "ClientFailure", "Unexpected response code: 400", False, 1),
        ((401, b"x"), "ClientFailure", "Unexpected response code: 401", False, 1),
        ((403, b"x"), "ClientFailure", "Unexpected response code: 403", False, 1),
        ((408, b"x"), "ClientFailure", "Unexpected response code: 408", True, 3),
        ((429, b"x"), "ClientFailure", "Unexpected response code: 429", True, 1),
        ((500, b"oh no"), "RepoFailure", "Unexpected server response: oh no", True, 3),
        ((501, b""), "RepoFailure", "Unexpected server response: ", True, 1),
        ((502, b"x"), "RepoFailure", "Unexpected server response: x", True, 3),
        ((503, b"x"), "RepoFailure", "Unexpected server response: x", True, 3),
        ((504, b"\xff"), "RepoFailure", "Unexpected server response: \ufffd", True, 3),
        ((200, b"<html>"), "ClientFailure", "Could not decode server response. ", True, 1),
        ((200, b""), "ClientFailure", "Could not decode server response. ", True, 1),
        ((200, b"[1]"), "ClientFailure", "Could not decode server response. ", True, 1),
        ((304, b""), "ClientFailure", "Unexpected response: ", False, 1),
        ((200, b'"' + b"x" * 1000 + b'"'), "ClientFailure", "Answer is longer than 1000 bytes", False, 1),
    ],
)
def test_answers_without_a_schema(server, registry, answer, error, message, away, tries):
    """Kind and text are those of a lookup history; passing errors are repeated twice and count as being away."""
    server.answers["*"] = answer
    refusal = registry.lookup(KEY)
    assert refusal.error == error
    assert refusal.away is away
    assert refusal.message == message or (message is not None and refusal.message.startswith(message))
    assert len(server.requests) == tries
    assert registry.pauses == [0.1, 0.2][: tries - 1]


def test_a_passing_error_passes(server, registry):
    server.put(KEY.uri, SCHEMA)
    server.answers[PATH] = [(500, b""), (503, b"")]
    assert registry.lookup(KEY) == SCHEMA
    assert len(server.requests) == 3


def test_pauses_double_up_to_the_limit(server):
    pauses = []
    registry = HttpRegistry(server.uri, sleep=pauses.append, max_retry=5, max_wait=timedelta(seconds=0.5))
    server.answers["*"] = (500, b"")
    registry.lookup(KEY)
    registry.close()
    assert pauses == [0.1, 0.2, 0.4, 0.5, 0.5]


def test_a_registry_that_is_away_is_left_alone_for_a_while_then_asked_once(server):
    """What it costs to find out that nobody answers is not paid for every made-up name."""
    now, pauses = [0.0], []

    def sleep(seconds):
        pauses.append(seconds)
        now[0] += seconds

    registry = HttpRegistry(server.uri, sleep=sleep, clock=lambda: now[0])
    server.put(KEY.uri, SCHEMA)
    server.down()
    first = registry.lookup(KEY)
    assert len(pauses) == 2
    assert registry.lookup(KEY) is first
    assert registry.lookup(OTHER) is first
    now[0] += 3.1
    assert registry.lookup(OTHER).away
    assert len(pauses) == 2, "one request finds out whether it is back"
    server.up()
    now[0] += 60
    assert registry.lookup(KEY) == SCHEMA


def test_nobody_there_then_back(server, registry):
    """A refused connection is repeated and counts as being away; the next lookup finds the server that came back."""
    server.put(KEY.uri, SCHEMA)
    server.down()
    refusal = registry.lookup(KEY)
    assert (refusal.error, refusal.away) == ("ClientFailure", True)
    assert refusal.message.startswith("ConnectError")
    assert len(registry.pauses) == 2
    server.up()
    assert registry.lookup(KEY) == SCHEMA


def test_a_slow_server_is_given_up(server):
    server.put(KEY.uri, SCHEMA)
    server.delay = 0.5
    registry = HttpRegistry(server.uri, timeout=timedelta(seconds=0.1), max_retry=0)
    refusal = registry.lookup(KEY)
    registry.close()
    assert (refusal.error, refusal.away) == ("ClientFailure", True)
    assert "Timeout" in refusal.message


def test_redirects_are_followed_but_never_with_a_key(server, registry):
    server.put(KEY.uri, SCHEMA)
    server.answers["/old" + PATH] = (302, (server.uri + PATH).encode())
    moved, keyed = HttpRegistry(server.uri + "/old"), HttpRegistry(server.uri + "/old", apikey="k")
    assert moved.lookup(KEY) == SCHEMA
    assert keyed.lookup(KEY).error == "ClientFailure"
    moved.close()
    keyed.close()


def test_versions_are_listed(server, registry):
    server.answers["/schemas/com.acme/cart/jsonschema/1"] = (
        200,
        b'["iglu:com.acme/cart/jsonschema/1-0-10","iglu:com.acme/cart/jsonschema/1-0-2","nonsense",5]',
    )
    assert [key.version for key in registry.versions("com.acme", "cart", 1)] == ["1-0-2", "1-0-10"]
    assert registry.versions("com.acme", "cart", 2) == []
    assert registry.keys() == []


@pytest.mark.parametrize("uri", ["", "acme.com", "ftp://acme.com", "http://", "http://[", "http://a:x/", "http://a:0/"])
def test_an_address_must_be_one(uri):
    with pytest.raises(SettingsError, match="registry address"):
        HttpRegistry(uri)


@pytest.mark.parametrize(
    ("uri", "central"),
    [
        ("http://iglucentral.com", True),
        ("http://mirror01.iglucentral.com", True),
        ("https://iglucentral-dev.example.com", True),
        ("https://iglu.acme.com/iglucentral", False),
        ("https://notiglucentral.com", False),
    ],
)
def test_iglu_central_is_known_by_its_host(uri, central):
    assert HttpRegistry(uri).iglu_central is central
