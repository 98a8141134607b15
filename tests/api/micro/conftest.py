"""Micro mode in this process: the collector's application with a writer that enriches on the spot."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest

from snowgauge.actions.micro.memory import MemoryMicroEvents
from snowgauge.api.micro.app import MicroApp
from snowgauge.collector.app import create_app
from snowgauge.collector.settings import CollectorSettings
from snowgauge.enrich.enricher import Enricher
from snowgauge.enrich.settings import EnrichSettings
from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.pipeline.micro import MicroWriter
from snowgauge.testing.asgi import Client

CART = {
    "$schema": "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#",
    "self": {"vendor": "com.acme", "name": "addToCart", "format": "jsonschema", "version": "1-0-0"},
    "type": "object",
    "properties": {"sku": {"type": "string"}, "price": {"type": "number"}},
    "required": ["sku"],
    "additionalProperties": False,
}


class InProcess:
    """``get``/``post`` answer (status, value); ``track`` sends one event as a pixel does."""

    def __init__(self, client: Client, events: MemoryMicroEvents | None) -> None:
        self.client = client
        self.events = events

    def request(self, method, path, body=b"", headers=()):
        return self.client.request(
            method, path, headers, body if isinstance(body, bytes) else json.dumps(body).encode()
        )

    def get(self, path):
        answer = self.request("GET", f"/micro/{path}")
        return answer.status, _value(answer)

    def post(self, path, body):
        answer = self.request("POST", f"/micro/{path}", body)
        return answer.status, _value(answer)

    def track(self, **parameters):
        answer = self.request("GET", "/i?" + urlencode({"e": "pv", "p": "web", "tv": "js-4.6.8", **parameters}))
        assert answer.status == 200

    def track_many(self, *events):
        body = {
            "schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4",
            "data": [{"e": "pv", "p": "web", "tv": "js-4.6.8", **event} for event in events],
        }
        sent = [("content-type", "application/json"), ("host", "localhost:9090"), ("content-language", "de-de, en-ca")]
        assert self.request("POST", "/com.snowplowanalytics.snowplow/tp2", body, sent).status == 200

    def track_cart(self, data, **parameters):
        described = {"schema": "iglu:com.acme/addToCart/jsonschema/1-0-0", "data": data}
        wrapper = {
            "schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
            "data": described,
        }
        self.track(e="ue", ue_pr=json.dumps(wrapper), **parameters)


def _value(answer):
    return json.loads(answer.body) if answer["content-type"] == "application/json" else answer.body.decode()


@pytest.fixture(scope="session")
def iglu(tmp_path_factory):
    folder = tmp_path_factory.mktemp("schemas")
    file = Path(folder) / "com.acme/addToCart/jsonschema/1-0-0"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(CART))
    return build(IgluSettings(registries=[str(folder)], iglu_central=False), None)


@pytest.fixture
def make_micro(iglu):
    """Makes a Micro; ``store=False`` is ``--no-storage``."""
    opened = []

    def make(*, store=True, most=None):
        resolver, validator = iglu
        events = MemoryMicroEvents(most) if store else None
        enricher = Enricher(validator, EnrichSettings(processor_artifact="snowplow-micro"))
        app = create_app(
            CollectorSettings(),
            MicroWriter(enricher, events),
            more={"/micro": MicroApp(events, resolver, any_origin=True)},
        )
        client = Client(app).__enter__()
        opened.append(client)
        return InProcess(client, events)

    yield make
    for client in opened:
        client.__exit__()


@pytest.fixture
def micro(make_micro):
    return make_micro()
