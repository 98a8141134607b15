"""What tests of the enrich core share: a real validator over the bundled schemas, and payloads in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from snowgauge.enrich.enricher import Enricher
from snowgauge.enrich.enrichments.base import Enrichment
from snowgauge.enrich.settings import EnrichSettings
from snowgauge.events import payload_record
from snowgauge.events.payload import CollectorPayload
from snowgauge.iglu.build import build
from snowgauge.iglu.contract import Validator
from snowgauge.iglu.settings import IgluSettings

NOW = 1_700_000_001_234


@pytest.fixture(scope="session")
def validator() -> Validator:
    return build(IgluSettings(iglu_central=False), None)[1]


@pytest.fixture
def enricher_with(validator: Validator) -> Callable[..., Enricher]:
    def make(*enrichments: Enrichment, **settings: Any) -> Enricher:
        adapters = settings.pop("extra_adapters", ())
        using = settings.pop("validator", validator)
        return Enricher(using, EnrichSettings(**settings), enrichments, adapters=adapters, clock=lambda: NOW)

    return make


@pytest.fixture
def record() -> Callable[..., bytes]:
    """A record of ``/i`` with these parameters; ``payload`` says more about the request."""

    def make(parameters: dict[str, str] | None = None, **payload: Any) -> bytes:
        payload.setdefault("path", "/i")
        payload.setdefault("querystring", urlencode({"e": "pv", "p": "web"} if parameters is None else parameters))
        return payload_record.encode(
            CollectorPayload(**{"timestamp": 1_700_000_000_000, "collector": "ssc-3.4.0"} | payload)
        )

    return make
