"""What Snowplow's dbt packages ask of the tables, as SQL of the same kind: joins of events with their entities, the
filters that drop rows in silence, the functions that need text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snowgauge.store.base import StoreBatch
from snowgauge.store.postgres.store import DBT_SCHEMAS, PostgresStore
from snowgauge.testing.events import described, web_page_view

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "dbt.md"
PREFIX = "iglu:com.snowplowanalytics.snowplow"
EVENTS = 40


@pytest.fixture
def store(open_store: Callable[..., PostgresStore]) -> PostgresStore:
    postgres = open_store(dbt_tables=True)

    def event(number: int) -> Any:
        session = f"0000000{number // 10}-0000-4000-8000-000000000000"
        return web_page_view(
            number,
            contexts=[
                *web_page_view(number).contexts,
                described(f"{PREFIX}/client_session/jsonschema/1-0-2", {
                    "sessionId": session, "sessionIndex": 1, "userId": "u", "storageMechanism": "COOKIE_1",
                    "previousSessionId": None}),
                described(f"{PREFIX}/consent_preferences/jsonschema/1-0-0", {
                    "eventType": "allow_all", "basisForProcessing": "consent", "consentUrl": "https://x.example",
                    "consentVersion": "1", "consentScopes": ["ads", "stats"], "domainsApplied": ["x.example"],
                    "gdprApplies": True}),
            ],
        )  # fmt: skip

    events = [event(number) for number in range(EVENTS)]
    assert postgres.write(StoreBatch("b1", events)).refused == 0
    # a tracker sent one of them twice
    postgres.write(StoreBatch("b2", [event(0), web_page_view(0, collector_tstamp=events[0].collector_tstamp + 5000)]))
    return postgres


def test_events_join_their_entities_on_id_and_time(store: PostgresStore) -> None:
    for table in ("com_snowplowanalytics_snowplow_web_page_1", "com_snowplowanalytics_snowplow_ua_parser_context_1"):
        [[joined]] = store.query(
            f"SELECT count(DISTINCT e.event_id) FROM atomic.events e JOIN atomic.{table} c "
            "ON e.event_id = c.root_id AND e.collector_tstamp = c.root_tstamp"
        ).rows
        assert joined == EVENTS


def test_the_first_entity_of_each_event_by_row_number(store: PostgresStore) -> None:
    """The shape of snowplow-utils: all columns but some, renamed, numbered per root, joined on a window of time."""
    [[views, pages]] = store.query("""
        WITH base AS (SELECT a.*, row_number() OVER (PARTITION BY a.event_id ORDER BY a.collector_tstamp,
                             a.dvce_created_tstamp) AS event_id_dedupe_index
                      FROM atomic.events a
                      WHERE a.collector_tstamp BETWEEN '2024-05-01' AND '2024-05-02'
                        AND a.dvce_sent_tstamp <= a.dvce_created_tstamp + interval '3 days'
                        AND a.domain_sessionid IS NOT NULL AND a.event_name IN ('page_view', 'page_ping')
                        AND lower(a.useragent) NOT SIMILAR TO '%(bot|crawl|spider)%'),
             page AS (SELECT * FROM (SELECT root_id AS page__id, root_tstamp AS page__tstamp, id AS page_view_id,
                             row_number() OVER (PARTITION BY root_id ORDER BY root_tstamp) AS n
                      FROM atomic.com_snowplowanalytics_snowplow_web_page_1
                      WHERE root_tstamp BETWEEN '2024-05-01' AND '2024-05-02' AND schema_name = 'web_page') p
                      WHERE n = 1)
        SELECT count(*), count(page_view_id) FROM base LEFT JOIN page
          ON event_id = page__id AND collector_tstamp = page__tstamp WHERE event_id_dedupe_index = 1
    """).rows
    assert (views, pages) == (EVENTS, EVENTS)


def test_ids_of_entities_and_events_are_of_one_type(store: PostgresStore) -> None:
    [[sessions]] = store.query("""
        SELECT count(DISTINCT coalesce(s.session_id, e.domain_sessionid)) FROM atomic.events e
        LEFT JOIN atomic.com_snowplowanalytics_snowplow_client_session_1 s
          ON e.event_id = s.root_id AND e.collector_tstamp = s.root_tstamp
        WHERE s.session_id IS NOT NULL
    """).rows
    assert sessions == EVENTS // 10
    [[user]] = store.query("SELECT max(coalesce(user_id, domain_userid)) FROM atomic.events").rows
    assert user
    store.query("SELECT coalesce(p.id, v.id) FROM atomic.com_snowplowanalytics_snowplow_web_page_1 p "
                "LEFT JOIN atomic.com_snowplowanalytics_mobile_screen_view_1 v ON p.root_id = v.root_id")  # fmt: skip


def test_consent_scopes_are_text(store: PostgresStore) -> None:
    rows = store.query("""
        SELECT DISTINCT translate(consent_scopes, '"[]', ''), translate(domains_applied, '"[]', '')
        FROM atomic.com_snowplowanalytics_snowplow_consent_preferences_1
    """).rows
    assert rows == [["ads,stats", "x.example"]]


def test_events_carry_the_time_of_loading(store: PostgresStore) -> None:
    [[missing, kind]] = store.query(
        "SELECT count(*) FILTER (WHERE load_tstamp IS NULL), max(pg_typeof(load_tstamp)::text) FROM atomic.events"
    ).rows
    assert (missing, kind) == (0, "timestamp without time zone")


def test_no_column_of_the_tables_needs_quotes(store: PostgresStore) -> None:
    rows = store.query("""
        SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'atomic' AND a.attnum > 0 AND NOT a.attisdropped AND a.attname !~ '^[a-z_][a-z0-9_]*$'
          AND c.relkind = 'r' AND c.relname NOT LIKE '%badrows%'
    """).rows
    assert rows == []


def test_the_guides_sources_name_every_table(store: PostgresStore) -> None:
    text = GUIDE.read_text("utf-8")
    tables = {row[0] for row in store.query(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'atomic'").rows}  # fmt: skip
    named = set(re.findall(r"- name: ((?:com|nl|events)\w*)$", text, re.MULTILINE))
    assert named <= tables
    assert len([name for name in named if name != "events"]) == len(DBT_SCHEMAS)


def test_an_index_serves_each_join_and_window(open_store: Callable[..., PostgresStore]) -> None:
    store = open_store(dbt_tables=True)
    found = {row[0]: row[1] for row in store.query(
        "SELECT tablename, string_agg(indexdef, ' ') FROM pg_indexes WHERE schemaname = 'atomic' GROUP BY 1"
    ).rows}  # fmt: skip
    assert "UNIQUE" in found["events"]
    assert "(event_id, collector_tstamp)" in found["events"]
    assert "(collector_tstamp)" in found["events"]
    assert "(root_tstamp, root_id)" in found["com_snowplowanalytics_snowplow_web_page_1"]
