"""Order of registries, the cache, waiting times, and the two kinds of failure (iglu-scala-client 4)."""

import threading
import time
from datetime import timedelta
from itertools import count

import pytest

from snowgauge.errors import RegistryOutage, SchemaResolutionError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.registries.base import NOT_FOUND, Refusal
from snowgauge.iglu.registries.bundled import bundled_registry
from snowgauge.iglu.registries.folder import FolderRegistry
from snowgauge.iglu.registries.http import HttpRegistry
from snowgauge.iglu.resolver import IgluResolver, retry_after

KEY = SchemaKey.parse("iglu:com.acme/cart/jsonschema/1-0-0")
AWAY = Refusal("RepoFailure", "Unexpected server response: x", away=True)
FORBIDDEN = Refusal("ClientFailure", "Unexpected response code: 403")


class Shelf:
    """A registry in memory: answers are schemas or refusals by key; everything else is not found."""

    def __init__(self, name, answers=(), *, priority=0, prefixes=(), local=False, volatile=False, iglu_central=False):
        self.name = name
        self.answers = dict(answers)
        self.priority = priority
        self.vendor_prefixes = tuple(prefixes)
        self.local = local
        self.volatile = volatile
        self.iglu_central = iglu_central
        self.asked = 0

    def lookup(self, key):
        self.asked += 1
        return self.answers.get(key, NOT_FOUND)

    def versions(self, vendor, name, model):
        return [k for k in self.answers if (k.vendor, k.name, k.model) == (vendor, name, model)]

    def keys(self):
        return list(self.answers)


def resolver(*registries, clock, ttl=600, size=500):
    ttl = None if ttl is None else timedelta(seconds=ttl)
    return IgluResolver(registries, cache_size=size, cache_ttl=ttl, clock=clock)


def outcome(made, key=KEY):
    try:
        return made.schema(key)
    except RegistryOutage:
        return "outage"
    except SchemaResolutionError:
        return "missing"


def test_order_of_registries(clock):
    """Matching prefix, then local before remote, then priority; others are asked all the same."""
    built_in = Shelf("built-in", local=True)
    far, near = Shelf("far", priority=9), Shelf("near", priority=1)
    ours, folder = Shelf("ours", priority=5, prefixes=["com.acme"]), Shelf("folder", priority=7, local=True)
    made = resolver(far, ours, near, folder, built_in, clock=clock)
    assert [r.name for r in made.order("com.acme.shop")] == ["ours", "built-in", "folder", "near", "far"]
    assert [r.name for r in made.order("org.else")] == ["built-in", "folder", "near", "ours", "far"]


def test_the_first_that_has_it_wins_and_a_failure_before_it_does_not_matter(clock):
    made = resolver(Shelf("a", {KEY: AWAY}), Shelf("b", {KEY: {"b": 1}}), Shelf("c", {KEY: {"c": 1}}), clock=clock)
    assert made.schema(KEY) == {"b": 1}


def test_the_history_of_a_missing_schema(clock):
    """One element per registry by name, as Snowplow's client writes it into bad rows."""
    made = resolver(Shelf("b"), Shelf("a", {KEY: FORBIDDEN}), clock=clock)
    with pytest.raises(SchemaResolutionError) as missing:
        made.schema(KEY)
    assert missing.value.uri == KEY.uri
    assert missing.value.history == [
        {
            "repository": "a",
            "errors": [{"error": "ClientFailure", "message": "Unexpected response code: 403"}],
            "attempts": 1,
            "lastAttempt": "2024-05-01T10:00:00.123Z",
        },
        {
            "repository": "b",
            "errors": [{"error": "NotFound"}],
            "attempts": 1,
            "lastAttempt": "2024-05-01T10:00:00.123Z",
        },
    ]


@pytest.mark.parametrize(
    ("registries", "expected"),
    [
        ([], "missing"),
        ([Shelf("a")], "missing"),
        ([Shelf("a", {KEY: FORBIDDEN})], "missing"),
        ([Shelf("a", {KEY: AWAY})], "outage"),
        ([Shelf("a", {KEY: AWAY}), Shelf("b")], "outage"),
        ([Shelf("a", {KEY: Refusal("RepoFailure", "not JSON")}, local=True)], "missing"),
        ([Shelf("c", {KEY: AWAY}, iglu_central=True)], "outage"),
        ([Shelf("c", {KEY: AWAY}, iglu_central=True), Shelf("mirror", iglu_central=True)], "missing"),
        ([Shelf("c", iglu_central=True), Shelf("a", {KEY: AWAY})], "outage"),
    ],
)
def test_missing_or_outage(registries, expected, clock):
    """Away counts unless it is Iglu Central and another mirror of it says that there is no such schema."""
    assert outcome(resolver(*registries, clock=clock)) == expected


def test_a_hit_asks_nobody_until_the_time_is_over(clock):
    shelf = Shelf("a", {KEY: {"v": 1}})
    made = resolver(shelf, clock=clock)
    first = made.find(KEY)
    shelf.answers[KEY] = {"v": 2}
    clock.move(599)
    assert made.find(KEY) is first
    clock.move(1)
    assert made.schema(KEY) == {"v": 2}
    assert shelf.asked == 2


def test_without_a_time_a_schema_stays(clock):
    shelf = Shelf("a", {KEY: {}})
    made = resolver(shelf, clock=clock, ttl=None)
    made.schema(KEY)
    clock.move(10**9)
    made.schema(KEY)
    assert shelf.asked == 1


@pytest.mark.parametrize("how", [{"ttl": 0}, {"size": 0}])
def test_no_cache(clock, how):
    shelf = Shelf("a", {KEY: {}})
    made = resolver(shelf, clock=clock, **how)
    made.schema(KEY)
    made.schema(KEY)
    other = SchemaKey.parse("iglu:com.acme/other/jsonschema/1-0-0")
    assert [outcome(made, other), outcome(made, other)] == ["missing", "missing"]
    assert shelf.asked == 4


def test_an_expired_schema_stays_while_nobody_has_it(clock):
    """A stale schema is better than none; its clock starts again."""
    shelf = Shelf("a", {KEY: {"v": 1}})
    made = resolver(shelf, clock=clock)
    made.schema(KEY)
    for gone in (AWAY, NOT_FOUND):
        shelf.answers[KEY] = gone
        clock.move(600)
        assert made.schema(KEY) == {"v": 1}
        assert made.schema(KEY) == {"v": 1}
    assert shelf.asked == 3


def test_not_found_is_believed_until_the_time_is_over(clock):
    shelf = Shelf("a")
    made = resolver(shelf, clock=clock)
    assert outcome(made) == "missing"
    shelf.answers[KEY] = {}
    clock.move(599)
    assert outcome(made) == "missing"
    clock.move(1)
    assert outcome(made) == {}
    assert shelf.asked == 2


def test_not_found_is_for_ever_without_a_time(clock):
    shelf = Shelf("a")
    made = resolver(shelf, clock=clock, ttl=None)
    assert outcome(made) == "missing"
    clock.move(10**9)
    assert outcome(made) == "missing"
    assert shelf.asked == 1


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 0.504), (2, 0.516), (8, 60.0), (5, 1.524), (7, 16.884), (9, 20.183), (10, 59.549), (12, 60.0), (13, 13.692),
     (15, 38.268), (16, 60.0), (20, 60.0), (21, 60.0), (1000, 60.0)],
)  # fmt: skip
def test_waiting_times(attempts, seconds):
    assert retry_after(attempts) == seconds


def test_passing_errors_are_retried_after_growing_pauses_and_only_where_they_were(clock):
    away, empty = Shelf("away", {KEY: AWAY}), Shelf("empty")
    made = resolver(away, empty, clock=clock)
    asked = []
    for pause in (0, 0.5, 0.005, 0.5, 0.017):
        clock.move(pause)
        assert outcome(made) == "outage"
        asked.append(away.asked)
    assert asked == [1, 1, 2, 2, 3]
    assert empty.asked == 1
    away.answers[KEY] = {"back": True}
    clock.move(1)
    assert outcome(made) == {"back": True}


def test_attempts_and_different_errors_add_up(clock):
    shelf = Shelf("a")
    made = resolver(shelf, clock=clock, ttl=None)
    for i in range(40):
        shelf.answers[KEY] = Refusal("RepoFailure", f"e{i}", away=True)
        with pytest.raises(RegistryOutage) as away:
            made.schema(KEY)
        clock.move(61)
    (history,) = away.value.history
    assert history["attempts"] == 40
    assert len(history["errors"]) == 32
    shelf.answers[KEY] = Refusal("RepoFailure", "e39", away=True)
    with pytest.raises(RegistryOutage) as away:
        made.schema(KEY)
    assert len(away.value.history[0]["errors"]) == 32


def test_the_least_used_schema_leaves_a_full_cache(clock):
    keys = [SchemaKey.parse(f"iglu:com.acme/s{i}/jsonschema/1-0-0") for i in range(3)]
    shelf = Shelf("a", {key: {} for key in keys})
    made = resolver(shelf, clock=clock, size=2)
    for i in (0, 1, 0, 2, 0):
        made.schema(keys[i])
    assert shelf.asked == 3
    made.schema(keys[1])
    assert shelf.asked == 4


def test_invented_names_do_not_push_out_schemas(clock):
    shelf = Shelf("a", {KEY: {}})
    made = resolver(shelf, clock=clock, size=2)
    made.schema(KEY)
    for i in range(10):
        assert outcome(made, SchemaKey.parse(f"iglu:evil/n{i}/jsonschema/1-0-0")) == "missing"
    asked = shelf.asked
    made.schema(KEY)
    assert shelf.asked == asked


def test_one_lookup_for_many_threads(clock):
    """Threads that want one key wait for the one that looks; another key does not wait for them."""
    started, release = threading.Event(), threading.Event()

    class Slow(Shelf):
        def lookup(self, key):
            answer = super().lookup(key)
            if key == KEY:
                started.set()
                release.wait(10)
            return answer

    other = SchemaKey.parse("iglu:com.acme/other/jsonschema/1-0-0")
    shelf = Slow("a", {KEY: {"v": 1}, other: {"v": 2}})
    made = resolver(shelf, clock=clock)
    found = []
    threads = [threading.Thread(target=lambda: found.append(made.schema(KEY))) for _ in range(8)]
    for thread in threads:
        thread.start()
    started.wait(10)
    assert made.schema(other) == {"v": 2}
    release.set()
    for thread in threads:
        thread.join()
    assert found == [{"v": 1}] * 8
    assert shelf.asked == 2


NEWER = SchemaKey.parse("iglu:com.acme/cart/jsonschema/1-0-2")


def test_a_superseded_schema(clock):
    """The newer version checks, the named one stays readable, and one hop is all."""
    old = {"$supersededBy": "1-0-2"}
    new = {"$supersededBy": "1-0-3", "new": True}
    found = resolver(Shelf("a", {KEY: old, NEWER: new}), clock=clock).find(KEY)
    assert (found.schema, found.effective, found.superseded_by) == (old, new, "1-0-2")


@pytest.mark.parametrize("version", ["1-0-0", "0-0-1", "1-0", "", 5, [], "1-0-?", "2"])
def test_a_superseding_version_must_be_greater(clock, version):
    made = resolver(Shelf("a", {KEY: {"$supersededBy": version}, NEWER: {}}), clock=clock)
    with pytest.raises(SchemaResolutionError) as missing:
        made.schema(KEY)
    assert missing.value.history[0]["errors"][0]["error"] == "ClientFailure"


def test_a_superseding_schema_must_be_in_the_same_registry(clock):
    made = resolver(Shelf("a", {KEY: {"$supersededBy": "1-0-2"}}), Shelf("b", {NEWER: {}}), clock=clock)
    assert outcome(made) == "missing"


def test_versions_and_keys_of_all_registries(clock):
    made = resolver(Shelf("a", {NEWER: {}, KEY: {}}), Shelf("b", {KEY: {}}), clock=clock)
    assert made.versions("com.acme", "cart", 1) == [KEY, NEWER]
    assert made.versions("com.acme", "cart", 2) == []
    assert made.versions("/etc", "../x", 1) == []
    assert made.keys() == [KEY, NEWER]


def put(folder, key, text):
    file = folder / key.path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def test_a_schema_added_to_a_folder_is_seen_within_seconds(tmp_path, clock):
    """Also while a remote registry's NotFound is still believed, and without asking that one again."""
    remote = Shelf("remote")
    made = resolver(FolderRegistry(tmp_path), remote, clock=clock, ttl=None)
    assert outcome(made) == "missing"
    put(tmp_path, KEY, '{"v": 1}')
    clock.move(2)
    assert outcome(made) == {"v": 1}
    assert remote.asked == 1


def test_a_change_in_a_folder_is_seen_within_seconds(tmp_path, clock):
    made = resolver(FolderRegistry(tmp_path), clock=clock, ttl=None)
    put(tmp_path, KEY, '{"v": 1}')
    first = made.find(KEY)
    clock.move(2)
    assert made.find(KEY) is first
    put(tmp_path, KEY, '{"v": 1, "w": 2}')
    clock.move(2)
    assert outcome(made) == {"v": 1, "w": 2}
    put(tmp_path, KEY, '{"v": ')
    clock.move(2)
    assert outcome(made) == {"v": 1, "w": 2}
    (tmp_path / KEY.path).unlink()
    clock.move(2)
    assert outcome(made) == "missing"


def test_a_file_written_in_halves_is_not_believed_for_long(tmp_path, clock):
    made = resolver(FolderRegistry(tmp_path), clock=clock, ttl=None)
    put(tmp_path, KEY, "{")
    assert outcome(made) == "missing"
    put(tmp_path, KEY, "{}")
    clock.move(2)
    assert outcome(made) == {}


def test_a_registry_server_that_fails_and_comes_back(server, clock):
    server.put(KEY.uri, {"type": "object"})
    registry = HttpRegistry(server.uri, sleep=lambda seconds: None, clock=count(0, 60).__next__)
    made = resolver(bundled_registry(), registry, clock=clock)
    server.answers["*"] = (500, b"broken")
    assert outcome(made) == "outage"
    server.answers.clear()
    assert outcome(made) == "outage"
    clock.move(1)
    assert outcome(made) == {"type": "object"}
    server.down()
    clock.move(600)
    assert outcome(made) == {"type": "object"}
    server.up()
    other = SchemaKey.parse("iglu:com.acme/other/jsonschema/1-0-0")
    assert outcome(made, other) == "missing"
    registry.close()


def test_many_threads_and_a_slow_server(server):
    """A slow registry is asked once per key, however many events wait for it."""
    server.put(KEY.uri, {})
    server.delay = 0.05
    registry = HttpRegistry(server.uri)
    made = resolver(registry, clock=time.time)
    threads = [threading.Thread(target=made.schema, args=(KEY,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    registry.close()
    assert len(server.requests) == 1


def test_lookups_are_counted_by_result(clock):
    """Lookups, not hits of the cache."""
    import prometheus_client

    def counted():
        read = prometheus_client.REGISTRY.get_sample_value
        results = ("found", "missing", "outage")
        return [read("snowgauge_iglu_lookups_total", {"result": each}) or 0 for each in results]

    away = SchemaKey.parse("iglu:com.acme/away/jsonschema/1-0-0")
    none = SchemaKey.parse("iglu:com.acme/none/jsonschema/1-0-0")
    made = resolver(Shelf("a", {KEY: {}, away: AWAY}), clock=clock)
    before = counted()
    for key in (KEY, KEY, none, none, away, away):
        outcome(made, key)
    assert [now - then for now, then in zip(counted(), before, strict=True)] == [1, 1, 1]


def test_an_outage_is_logged_with_the_registries_that_are_away(clock):
    from structlog.testing import capture_logs

    made = resolver(Shelf("a", {KEY: AWAY}), Shelf("b"), clock=clock)
    with capture_logs() as logs:
        outcome(made, KEY)
        outcome(made, SchemaKey.parse("iglu:com.acme/other/jsonschema/1-0-0"))  # names are made up faster than read
        clock.move(100)
        outcome(made, KEY)  # known to be away
    assert [(line["event"], line["log_level"], line["schema"], line["registries"]) for line in logs] == [
        ("registry_unreachable", "warning", KEY.uri, {"a": "Unexpected server response: x"})
    ]
