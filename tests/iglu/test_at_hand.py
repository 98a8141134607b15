"""Checks that wait for no registry. What is slow here is held by an event, so that nothing depends on time."""

import threading
from datetime import timedelta

import pytest

from snowgauge.errors import RegistryOutage
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.iglu.at_hand import Limits, ValidatorAtHand
from snowgauge.iglu.contract import Invalid, ValidSchema
from snowgauge.iglu.registries.base import NOT_FOUND, Refusal
from snowgauge.iglu.registries.folder import FolderRegistry
from snowgauge.iglu.resolver import IgluResolver
from snowgauge.iglu.validation import IgluValidator

LONG = 60.0
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}


def item(name, data=None, vendor="com.acme"):
    return SelfDescribing(SchemaKey(vendor, name, "jsonschema", 1, 0, 0), data or {"n": 1})


class Remote:
    """A registry elsewhere: answers once ``go`` is set, and counts how often it is asked and by how many at once."""

    local = volatile = iglu_central = False
    priority = 0
    vendor_prefixes = ()

    def __init__(self, schemas=(), refusal=NOT_FOUND, name="remote"):
        self.name = name
        self.schemas = dict.fromkeys(schemas, SCHEMA)
        self.refusal = refusal
        self.go = threading.Event()
        self.asked = []

    def lookup(self, key):
        self.asked.append(key.name)
        assert self.go.wait(LONG)
        return self.schemas.get(key.name, self.refusal)

    def versions(self, vendor, name, model):
        return []

    def keys(self):
        return []


@pytest.fixture
def made():
    """A validator over registries, with the resolver; whatever is held is let go at the end."""
    opened, held = [], []

    def make(*registries, per_event=50, per_batch=500, patience=0.0, **options):
        resolver = IgluResolver(registries, **options)
        limits = Limits(patience, 1.0, per_event, per_batch)
        opened.append(ValidatorAtHand(resolver, IgluValidator(resolver), limits))
        held.extend(registries)
        return opened[-1]

    yield make
    for validator in opened:
        validator.close()
    for registry in held:
        if isinstance(registry, Remote):
            registry.go.set()


def errors(outage):
    return {one["repository"]: one for one in outage.value.history}


def test_a_schema_of_a_slow_registry_is_there_for_the_next_batch(made):
    remote = Remote(["cart"])
    at_hand = made(remote)
    assert at_hand.try_check(item("cart")) is None
    at_hand.look_for([item("cart").schema])
    at_hand.settle()  # no patience: the registry is held, and nothing waits for it
    with pytest.raises(RegistryOutage) as late:
        at_hand.check(item("cart"))
    said = errors(late)["remote"]
    assert (said["attempts"], said["errors"][0]["error"]) == (0, "ClientFailure")
    assert said["errors"][0]["message"].startswith("No answer in time")
    remote.go.set()
    at_hand._lookups.wait([item("cart").schema], LONG)
    assert isinstance(at_hand.check(item("cart")), ValidSchema)
    assert isinstance(at_hand.check(item("cart", {"n": "x"})), Invalid)
    assert remote.asked == ["cart"]


def test_a_registry_that_works_is_waited_for(made):
    remote = Remote(["cart"])
    remote.go.set()
    at_hand = made(remote, patience=LONG)
    at_hand.look_for([item("cart").schema, item("none").schema])
    at_hand.settle()
    assert isinstance(at_hand.check(item("cart")), ValidSchema)
    missing = at_hand.check(item("none"))
    assert isinstance(missing, Invalid)
    assert missing.error["lookupHistory"][0]["errors"] == [{"error": "NotFound"}]
    assert isinstance(at_hand.try_check(item("none")), Invalid), "it is known now, and nobody is asked again"


def test_an_event_and_a_batch_name_so_many_unknown_schemas(made):
    remote = Remote()
    remote.go.set()
    at_hand = made(remote, per_event=3, per_batch=5, patience=LONG)
    at_hand.look_for([item(f"a{n}").schema for n in range(9_000)])
    at_hand.look_for([item(f"b{n}").schema for n in range(3)])
    at_hand.look_for([item("a0").schema, item("c").schema])
    at_hand.settle()
    assert sorted(remote.asked) == ["a0", "a1", "a2", "b0", "b1"]
    refused = at_hand.check(item("a8999"))
    assert isinstance(refused, Invalid)
    (said,) = refused.error["lookupHistory"]
    assert (said["attempts"], said["errors"][0]["message"][:9]) == (0, "Not asked")
    at_hand.look_for([item("c").schema])
    at_hand.settle()
    assert remote.asked[-1] == "c", "the next batch begins with nothing spent"


def test_folders_and_the_package_are_read_at_once(made, tmp_path):
    file = tmp_path / "com.acme/cart/jsonschema/1-0-0"
    at_hand = made(FolderRegistry(tmp_path), Remote(), folder_check=timedelta(0))
    assert at_hand.try_check(item("cart")) is None
    file.parent.mkdir(parents=True)
    file.write_text('{"type": "object"}')
    assert isinstance(at_hand.try_check(item("cart")), ValidSchema)
    file.write_text('{"type": "array", "minItems": 7}')
    assert isinstance(at_hand.try_check(item("cart")), Invalid), "and so is a change"


def test_without_registries_elsewhere_a_schema_is_missing_at_once(made, tmp_path):
    at_hand = made(FolderRegistry(tmp_path, name="folder"))
    missing = at_hand.try_check(item("cart"))
    assert isinstance(missing, Invalid)
    assert [one["repository"] for one in missing.error["lookupHistory"]] == ["folder"]


def test_a_schema_whose_time_is_over_holds_until_its_registry_has_answered(made):
    now = [0.0]
    remote = Remote(["cart"])
    remote.go.set()
    at_hand = made(remote, patience=LONG, clock=lambda: now[0], cache_ttl=timedelta(seconds=600))
    at_hand.look_for([item("cart").schema])
    at_hand.settle()
    remote.go.clear()
    remote.schemas["cart"] = {"type": "array"}
    now[0] += 601
    assert isinstance(at_hand.try_check(item("cart")), ValidSchema)
    assert isinstance(at_hand.try_check(item("cart")), ValidSchema)
    remote.go.set()
    at_hand._lookups.wait([item("cart").schema], LONG)
    assert isinstance(at_hand.try_check(item("cart")), Invalid)
    assert remote.asked == ["cart", "cart"]


def test_a_cache_of_no_size_asks_for_every_batch(made):
    remote = Remote(["cart"])
    remote.go.set()
    at_hand = made(remote, patience=LONG, cache_size=0)
    for batch in (1, 2):
        assert at_hand.try_check(item("cart")) is None
        at_hand.look_for([item("cart").schema])
        at_hand.settle()
        assert isinstance(at_hand.check(item("cart")), ValidSchema)
        assert remote.asked == ["cart"] * batch


def test_an_outage_is_told_apart_from_a_missing_schema(made):
    remote = Remote(refusal=Refusal("ClientFailure", "ConnectError", away=True))
    remote.go.set()
    at_hand = made(remote, patience=LONG)
    at_hand.look_for([item("cart").schema])
    at_hand.settle()
    with pytest.raises(RegistryOutage) as away:
        at_hand.check(item("cart"))
    assert errors(away)["remote"]["errors"] == [{"error": "ClientFailure", "message": "ConnectError"}]


def test_missing_schemas_that_are_named_again_and_again_stay_known_among_made_up_names(made):
    remote = Remote()
    remote.go.set()
    at_hand = made(remote, patience=LONG, cache_size=5)  # keeps a hundred that are missing
    at_hand.look_for([item("real").schema])
    at_hand.settle()
    for number in range(10):
        at_hand.look_for([item(f"made-up-{number}-{n}").schema for n in range(50)])
        at_hand.settle()
        assert isinstance(at_hand.try_check(item("real")), Invalid)
    assert remote.asked.count("real") == 1
    assert len(at_hand._resolver._failed) <= 100
