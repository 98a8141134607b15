"""Snowplow's tracker protocol 1: one event in the querystring of ``/i``."""

from __future__ import annotations

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.errors import AdapterFailure
from snowgauge.events.tracker import TrackerEvent


class TrackerProtocol1(Adapter):
    """The querystring is the event. A body is ignored, parameter names are not checked (enrich 6.10)."""

    paths = (("com.snowplowanalytics.snowplow", "tp1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        if not source.parameters:
            raise AdapterFailure(
                [
                    {
                        "field": "querystring",
                        "value": None,
                        # sic: enrich's text, shared with its redirect adapter
                        "expectation": "empty querystring: not a valid URI redirect",
                    }
                ]
            )
        return [TrackerEvent(source.parameters, source.vendor, source.version, source.payload)]
