"""The registry answers as Iglu Server 0.14 does, and the pipeline validates against what is published."""

from __future__ import annotations

import json
import os
import uuid
from datetime import timedelta

import orjson
import pytest
from pydantic import ValidationError

from snowgauge.actions.registry.catalog import SchemaCatalog
from snowgauge.actions.registry.database import RegistryDatabase
from snowgauge.actions.registry.keys import KeyBook, Permission
from snowgauge.api.iglu.app import IgluApp
from snowgauge.api.iglu.settings import RegistrySettings
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.iglu.build import build
from snowgauge.iglu.contract import Invalid, ValidSchema
from snowgauge.iglu.registries.folder import FolderRegistry
from snowgauge.iglu.settings import IgluSettings
from snowgauge.testing.asgi import Client

SUPER = "5f2b8d7e-4d3f-4c8e-9a52-0d6a0c7f3b11"
META = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
CART = "com.acme/cart/jsonschema"
NOT_FOUND = {"message": "The schema is not found"}
SEQUENCE = {"message": "Preceding SchemaVer in the group is missing, check that schemas published in proper order"}


def schema(place="com.acme/cart/jsonschema/1-0-0", **more):
    vendor, name, fmt, version = place.split("/")
    return {
        "$schema": META,
        "description": "A cart",
        "self": {"vendor": vendor, "name": name, "format": fmt, "version": version},
        "type": "object",
        "properties": {"sku": {"type": "string"}},
        **more,
    }


class Registry:
    """``get``/``put``/... answer (status, JSON); asked with ``key``, the super key unless told otherwise."""

    def __init__(self, folder, **settings):
        self.now = 1_700_000_000_000
        self.folder = folder
        database = RegistryDatabase(folder / "schemas.db")
        made = RegistrySettings(super_api_key=SUPER, **settings)
        self.catalog = SchemaCatalog(FolderRegistry(folder / "schemas"), database, clock=self.tick)
        self.database = database
        keys = KeyBook(database, made.super_api_key.get_secret_value())
        self.client = Client(IgluApp(self.catalog, keys, made)).__enter__()

    def tick(self):
        self.now += 1000
        return self.now

    def ask(self, method, path, body=None, key=SUPER):
        headers = [] if key is None else [("apikey", key)]
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.client.request(method, f"/iglu{path}", headers, sent)

    def __getattr__(self, method):
        def ask(path, body=None, key=SUPER):
            answer = self.ask(method.upper(), path, body, key)
            assert answer["content-type"] == "application/json"
            return answer.status, orjson.loads(answer.body)

        return ask

    def publish(self, place=f"{CART}/1-0-0", *, public=False, **more):
        path = f"/api/schemas/{place}?isPublic={'true' if public else 'false'}"
        return self.put(path, schema(place, **more))


@pytest.fixture
def open_registry(tmp_path):
    opened = []

    def make(**settings):
        opened.append(Registry(tmp_path, **settings))
        return opened[-1]

    yield make
    for registry in opened:
        registry.client.__exit__()
        registry.database.close()


@pytest.fixture
def registry(open_registry):
    return open_registry()


def keys_for(registry, vendor):
    status, pair = registry.post("/api/auth/keygen", {"vendorPrefix": vendor})
    assert status == 200
    return pair


# ---- publishing -------------------------------------------------------------------------------------------------


def test_publishing_and_reading_back(registry) -> None:
    assert registry.publish() == (
        201,
        {"message": "Schema created", "updated": False, "location": f"iglu:{CART}/1-0-0", "status": 201},
    )
    status, found = registry.get(f"/api/schemas/{CART}/1-0-0")
    assert (status, list(found)) == (200, ["$schema", "self", "description", "type", "properties"])
    assert found == schema()
    assert registry.get(f"/schemas/{CART}/1-0-0") == (200, schema()), "as a static registry too"


def test_a_bare_body_takes_its_name_from_the_path(registry) -> None:
    assert registry.put(f"/api/schemas/{CART}/1-0-0", {"type": "object", "properties": {}})[0] == 201
    assert registry.get(f"/api/schemas/{CART}/1-0-0")[1] == {
        "$schema": META,
        "self": {"vendor": "com.acme", "name": "cart", "format": "jsonschema", "version": "1-0-0"},
        "type": "object",
        "properties": {},
    }


def test_post_reads_the_name_from_the_schema(registry) -> None:
    assert registry.post("/api/schemas?isPublic=true", schema())[0] == 201
    assert registry.get(f"/api/schemas/{CART}/1-0-0", key=None)[0] == 200
    assert registry.post("/api/schemas/", schema(f"{CART}/1-0-1"))[1]["message"].startswith("Inconsistent schema")
    assert registry.post("/api/schemas", {"type": "object"}) == (400, {"message": "Cannot decode JSON schema"})


def test_the_name_must_agree_with_the_path(registry) -> None:
    assert registry.put(f"/api/schemas/{CART}/1-0-1", schema()) == (
        400,
        {
            "uriSchemaKey": f"iglu:{CART}/1-0-1",
            "payloadSchemaKey": f"iglu:{CART}/1-0-0",
            "message": "Mismatch: the schema metadata does not match the payload and URI",
        },
    )


@pytest.mark.parametrize("version", ["1-0", "x", "0-0-0", "01-0-0", "1-0-0-0"])
def test_a_version_that_is_none(registry, version) -> None:
    text = f"Cannot parse version part '{version}' as SchemaVer, INVALID_SCHEMAVER"
    assert registry.put(f"/api/schemas/{CART}/{version}", {}) == (400, {"message": text})
    assert registry.get(f"/api/schemas/{CART}/{version}") == (400, {"message": text})


def test_an_empty_version(registry) -> None:
    text = "Version cannot be empty, should be model to get SchemaList or full SchemaVer"
    assert registry.get(f"/api/schemas/{CART}/") == (404, {"message": text})


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "The request body was malformed."),
        (b"{", 400, "The request body was malformed."),
        (b"[]", 422, "The request body was invalid."),
        (b'{"a":' + b"[" * 40 + b"1" + b"]" * 40 + b"}", 422, "The request body was invalid."),
        (b'"' + b"x" * 100_000 + b'"', 413, "The payload is too large"),
        (b'{"self":{"vendor":1}}', 400, "Cannot decode JSON schema"),
        (b'{"self":[]}', 400, "Cannot decode JSON schema"),
    ],
)
def test_bodies_that_are_no_schemas(registry, body, status, message) -> None:
    assert registry.put(f"/api/schemas/{CART}/1-0-0", body) == (status, {"message": message})


@pytest.mark.parametrize(
    ("more", "message", "pointer"),
    [
        ({"type": "nonsense"}, None, "/type"),
        ({"required": ["b"]}, "Elements specified as required [b] don't exist in schema properties", "/"),
        ({"self": {"vendor": "com.acme", "name": "cart", "format": "avro", "version": "1-0-0"}}, None, "/self/format"),
    ],
)
def test_a_schema_with_errors_is_refused_with_a_report(registry, more, message, pointer) -> None:
    body = {**schema(), **more}
    place = "/".join(body["self"][part] for part in ("vendor", "name", "format", "version"))
    status, refused = registry.put(f"/api/schemas/{place}", body)
    assert (status, refused["message"]) == (400, "The schema does not conform to a JSON Schema v4 specification")
    error = next(entry for entry in refused["report"] if entry["level"] == "ERROR")
    assert error["pointer"] == pointer
    assert message is None or error["message"] == message
    assert registry.get("/api/schemas") == (200, [])


def test_a_schema_without_its_meta_schema_is_refused(registry) -> None:
    body = schema()
    del body["$schema"]
    status, refused = registry.put(f"/api/schemas/{CART}/1-0-0", body)
    assert status == 400
    assert {"message": "No $schema field in top-level of schema", "level": "ERROR", "pointer": "/"} in refused["report"]


def test_warnings_do_not_keep_a_schema_out(registry) -> None:
    body = {key: value for key, value in schema().items() if key in ("$schema", "self")}
    assert registry.put(f"/api/schemas/{CART}/1-0-0", body)[0] == 201


@pytest.mark.parametrize("vendor", ["..", ".", "..."])
def test_no_name_leads_out_of_the_folder(registry, vendor) -> None:
    assert registry.publish(f"{vendor}/cart/jsonschema/1-0-0")[0] == 400
    assert {path.name for path in registry.folder.iterdir()} <= {
        "schemas",
        "schemas.db",
        "schemas.db-wal",
        "schemas.db-shm",
    }


def test_a_schema_is_published_once(registry) -> None:
    registry.publish()
    assert registry.publish() == (409, {"message": "Schema already exists"})


def test_where_patches_are_allowed_it_is_overwritten(open_registry) -> None:
    registry = open_registry(patches_allowed=True)
    registry.publish()
    assert registry.publish(description="New") == (
        200,
        {"message": "Schema updated", "updated": True, "location": f"iglu:{CART}/1-0-0", "status": 200},
    )
    assert registry.get(f"/api/schemas/{CART}/1-0-0")[1]["description"] == "New"


@pytest.mark.parametrize(
    ("published", "next_one", "answer"),
    [
        ([], "1-0-0", None),
        ([], "1-0-1", SEQUENCE),
        ([], "2-0-0", SEQUENCE),
        (["1-0-0"], "1-0-1", None),
        (["1-0-0"], "1-0-2", SEQUENCE),
        (["1-0-0"], "1-1-0", None),
        (["1-0-0"], "1-2-0", SEQUENCE),
        (["1-0-0"], "2-0-0", None),
        (["1-0-0"], "3-0-0", SEQUENCE),
        (["1-0-0", "1-1-0"], "1-0-1", {"message": "The schema version is not sequential"}),
        (["1-0-0", "1-1-0"], "1-1-1", None),
    ],
)
def test_versions_come_in_order(registry, published, next_one, answer) -> None:
    for version in published:
        assert registry.publish(f"{CART}/{version}")[0] == 201
    assert registry.publish(f"{CART}/{next_one}") == (
        (409, answer)
        if answer
        else (
            201,
            {"message": "Schema created", "updated": False, "location": f"iglu:{CART}/{next_one}", "status": 201},
        )
    )


def test_versions_are_all_public_or_all_private(registry) -> None:
    registry.publish()
    assert registry.publish(f"{CART}/1-0-1", public=True) == (
        409,
        {"message": "Inconsistent schema availability. Cannot add public schema, previous versions are private"},
    )
    registry.publish("com.acme/open/jsonschema/1-0-0", public=True)
    assert registry.publish("com.acme/open/jsonschema/1-0-1") == (
        409,
        {"message": "Inconsistent schema availability. Cannot add private schema, previous versions are public"},
    )


def test_superseding(registry) -> None:
    for version in ("1-0-0", "1-0-1"):
        registry.publish(f"{CART}/{version}")
    text = "Superseded schema version(s) do not exist"
    assert registry.publish(f"{CART}/1-0-2", **{"$supersedes": ["1-0-7"]}) == (409, {"message": text})
    assert registry.publish(f"{CART}/1-0-2", **{"$supersedes": ["1-0-0"], "$supersededBy": "9-9-9"})[0] == 201
    assert registry.get(f"/api/schemas/{CART}/1-0-2")[1]["$supersedes"] == ["1-0-0"]
    assert "$supersededBy" not in registry.get(f"/api/schemas/{CART}/1-0-2")[1]
    assert registry.get(f"/api/schemas/{CART}/1-0-0")[1]["$supersededBy"] == "1-0-2"
    assert "$supersededBy" not in registry.get(f"/api/schemas/{CART}/1-0-1")[1]
    registry.publish(f"{CART}/1-0-3", **{"$supersedes": ["1-0-2"]})
    assert [registry.get(f"/api/schemas/{CART}/1-0-{n}")[1].get("$supersededBy") for n in range(4)] == [
        "1-0-3",
        None,
        "1-0-3",
        None,
    ]
    assert list(registry.get(f"/api/schemas/{CART}/1-0-2")[1])[:4] == [
        "$schema",
        "$supersededBy",
        "$supersedes",
        "self",
    ]


def test_what_supersedes_must_be_above(open_registry) -> None:
    registry = open_registry(patches_allowed=True)
    for version in ("1-0-0", "1-0-1"):
        registry.publish(f"{CART}/{version}")
    text = "Superseded schema version(s) must be below the superseding version"
    assert registry.publish(f"{CART}/1-0-0", **{"$supersedes": ["1-0-1"]}) == (409, {"message": text})


# ---- reading ----------------------------------------------------------------------------------------------------


def test_lists_are_oldest_first(registry) -> None:
    for place in (f"{CART}/1-0-0", f"{CART}/2-0-0", "com.zeta/a/jsonschema/1-0-0", f"{CART}/1-0-1"):
        registry.publish(place)
    uris = [f"iglu:{CART}/{version}" for version in ("1-0-0", "2-0-0", "1-0-1")]
    assert registry.get("/api/schemas") == (200, [*uris[:2], "iglu:com.zeta/a/jsonschema/1-0-0", uris[2]])
    assert registry.get("/api/schemas/com.acme") == (200, uris)
    assert registry.get("/api/schemas/com.acme/cart/") == (200, uris)
    assert registry.get(f"/api/schemas/{CART}/1") == (200, [uris[0], uris[2]])
    assert registry.get(f"/schemas/{CART}/2") == (200, [uris[1]])


@pytest.mark.parametrize("path", ["com.none", "com.acme/none", f"{CART}/7"])
def test_an_empty_list_is_not_found(registry, path) -> None:
    registry.publish()
    assert registry.get(f"/api/schemas/{path}") == (404, {"message": "No schemas available"})


def test_the_whole_list_may_be_empty(registry) -> None:
    assert registry.get("/api/schemas") == (200, [])
    assert registry.get("/api/schemas/", key=None) == (200, [])


def test_representations(registry) -> None:
    registry.publish(public=True)
    assert registry.get("/api/schemas?repr=canonical")[1] == [schema()]
    assert registry.get(f"/api/schemas/{CART}/1-0-0?repr=URI")[1] == f"iglu:{CART}/1-0-0"
    meta = registry.get("/api/schemas/com.acme?repr=meta")[1][0]
    assert list(meta)[:2] == ["self", "metadata"]
    times = {"createdAt": "2023-11-14T22:13:21Z", "updatedAt": "2023-11-14T22:13:21Z"}
    assert meta["metadata"] == {**times, "isPublic": True}
    unknown = {"message": "Unknown schema representation format: 'xml'"}
    assert registry.get("/api/schemas?repr=xml") == (400, unknown)


def test_files_put_there_by_hand_belong_to_the_registry(registry) -> None:
    file = registry.folder / "schemas" / CART / "1-0-0"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(schema()))
    os.utime(file, (1_600_000_000, 1_600_000_000))
    assert registry.get("/api/schemas") == (200, [f"iglu:{CART}/1-0-0"])
    assert registry.get("/api/schemas", key=None) == (200, []), "and are private"
    assert registry.get("/api/schemas?repr=meta")[1][0]["metadata"]["createdAt"] == "2020-09-13T12:26:40Z"
    file.unlink()
    assert registry.get("/api/schemas") == (200, [])


def test_unknown_paths(registry) -> None:
    assert registry.get("/") == (404, {"message": "The endpoint does not exist"})
    assert registry.get("/api/debug") == (404, {"message": "The endpoint does not exist"})
    assert registry.get("/api/schemas/a/b/c/d/e") == (404, {"message": ""})
    assert registry.patch("/api/schemas") == (404, {"message": ""})
    assert registry.get(f"/api/schemas/{CART}/1-0-0") == (404, NOT_FOUND)


# ---- keys -------------------------------------------------------------------------------------------------------


def test_private_schemas_are_seen_with_a_key_of_the_vendor_only(registry) -> None:
    registry.publish()
    own, other = keys_for(registry, "com.acme"), keys_for(registry, "com.acmecorp")
    for key, found in (
        (own["read"], 200),
        (own["write"], 200),
        (other["read"], 404),
        (None, 404),
        (str(uuid.uuid4()), 404),
    ):
        assert registry.get(f"/api/schemas/{CART}/1-0-0", key=key)[0] == found
        assert (registry.get("/api/schemas", key=key)[1] == []) is (found == 404)


def test_a_key_that_is_no_uuid_is_refused(registry) -> None:
    for path in ("/api/schemas", "/api/meta/server", "/api/nowhere"):
        status, said = registry.get(path, key="secret")
        assert (status, said["message"]) == (
            (400, "Invalid UUID for ApiKey") if "nowhere" not in path else (404, "The endpoint does not exist")
        )


def test_who_may_publish(registry) -> None:
    acme = keys_for(registry, "com.acme")
    denied = (403, {"message": "Authentication error: not authorized"})
    path = f"/api/schemas/{CART}/1-0-0"
    for key in (None, str(uuid.uuid4()), acme["read"], keys_for(registry, "com.acm")["write"]):
        assert registry.put(path, schema(), key=key) == denied
    assert registry.put(path, schema(), key=acme["write"])[0] == 201
    below = "com.acme.shop/cart/jsonschema/1-0-0"
    assert registry.put(f"/api/schemas/{below}", schema(below), key=acme["write"])[0] == 201


def test_who_may_make_keys(registry) -> None:
    acme = keys_for(registry, "com.acme")
    for key in (None, acme["read"], acme["write"]):
        assert registry.post("/api/auth/keygen", {"vendorPrefix": "com.acme"}, key=key) == (
            403,
            {"message": "Not sufficient privileges to create keys"},
        )
    assert registry.post("/api/auth/keygen", {"vendor": "x"}) == (422, {"message": "The request body was invalid."})
    assert registry.post("/api/auth/keygen", b"vendorPrefix=a")[0] == 400


def test_a_revoked_key_opens_nothing(registry) -> None:
    registry.publish()
    key = keys_for(registry, "com.acme")["read"]
    assert registry.delete(f"/api/auth/keygen?key={key}", key=key) == (
        403,
        {"message": "Not sufficient privileges to delete key"},
    )
    gone = (200, {"message": "Keys have been deleted"})
    assert registry.delete(f"/api/auth/keygen?key={key}") == gone
    assert registry.delete(f"/api/auth/keygen?key={key}") == gone
    assert registry.get("/api/schemas", key=key) == (200, [])


def test_keys_are_not_kept_in_plain_text(registry) -> None:
    pair = keys_for(registry, "com.acme")
    kept = b"".join(file.read_bytes() for file in registry.folder.glob("schemas.db*"))
    assert pair["read"].encode() not in kept
    assert pair["write"].encode() not in kept


def test_without_a_super_key_nobody_is_super(tmp_path) -> None:
    database = RegistryDatabase(tmp_path / "schemas.db")
    keys = KeyBook(database, "")
    for key in (SUPER, "48b267d7-cd2b-4f22-bae4-0f002008b5ad"):
        assert not keys.permission(key).known
    database.close()


@pytest.mark.parametrize(
    ("own", "vendor", "covered"),
    [
        ("com.acme", "com.acme", True),
        ("com.acme", "com.acme.shop", True),
        ("com.acme", "com.acmecorp", False),
        ("com.acme.shop", "com.acme", False),
        ("*", "com.acme", True),
        ("", "com.acme", True),
    ],
)
def test_vendors_match_by_their_parts(own, vendor, covered) -> None:
    assert Permission(own, "READ").covers(vendor) is covered


def test_the_super_key_is_a_uuid() -> None:
    with pytest.raises(ValidationError, match="expected a UUID"):
        RegistrySettings(super_api_key="letmein")


def test_who_may_delete(open_registry) -> None:
    registry = open_registry()
    path = f"/api/schemas/{CART}/1-0-0"
    registry.publish()
    acme = keys_for(registry, "com.acme")
    assert registry.delete(path, key=acme["write"]) == (401, {"message": "Not enough permissions"})
    assert registry.delete(path) == (405, {"message": "DELETE is forbidden on production registry"})
    patching = open_registry(patches_allowed=True)
    assert patching.delete(path) == (200, {"message": "Schema deleted"})
    assert patching.delete(path) == (200, {"message": "Schema deleted"})
    assert registry.get(path) == (404, NOT_FOUND)


# ---- validation -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/validation/validate/schema/jsonschema", f"/api/schemas/validate/{CART}/1-0-0"])
def test_linting_a_schema(registry, path) -> None:
    good = {"message": f"The schema provided is a valid self-describing iglu:{CART}/1-0-0 schema"}
    assert registry.post(path, schema()) == (200, good)
    bad = {key: value for key, value in schema().items() if key != "description"}
    assert registry.post(path, bad) == (
        200,
        {
            "message": "The schema does not conform to a JSON Schema v4 specification",
            "report": [
                {"message": 'The schema is missing the "description" property', "level": "INFO", "pointer": "/"}
            ],
        },
    )
    assert registry.post(path, schema(), key=None) == (403, {"message": ""})


def test_linting_knows_one_format(registry) -> None:
    refused = (400, {"message": "Unknown schema format: 'avro'"})
    assert registry.post("/api/validation/validate/schema/avro", schema()) == refused


@pytest.mark.parametrize(
    ("change", "level", "pointer"),
    [
        ({"properties": {"a": {"type": "string", "maxLenght": 3}}}, "WARNING", "/properties/a"),
        ({"type": "array"}, "WARNING", "/"),
        ({"self": {**schema()["self"], "name": "a b"}}, "ERROR", "/self/name"),
        ({"self": {"vendor": "com.acme"}}, "ERROR", "/"),
        ({"properties": {"a": {"type": "object", "properties": {}, "required": ["b"]}}}, "ERROR", "/properties/a"),
        ({"properties": {"a": {"pattern": "("}}}, "ERROR", "/properties/a/pattern"),
    ],
)  # fmt: skip
def test_what_linting_finds(registry, change, level, pointer) -> None:
    _, told = registry.post("/api/validation/validate/schema/jsonschema", {**schema(), **change})
    assert (level, pointer) in {(entry["level"], entry["pointer"]) for entry in told["report"]}


def test_validating_an_instance(registry) -> None:
    registry.publish()
    path = "/api/validation/validate/instance"
    instance = {"schema": f"iglu:{CART}/1-0-0", "data": {"sku": "1"}}
    assert registry.post(path, instance) == (200, {"message": f"Instance is valid iglu:{CART}/1-0-0"})
    assert registry.post(path, {**instance, "data": []}) == (
        200,
        {
            "message": "The data for a field instance is invalid against its schema",
            "report": [
                {
                    "message": "$: array found, object expected",
                    "path": "$",
                    "keyword": "type",
                    "targets": ["array", "object"],
                }
            ],
        },
    )
    assert registry.post(path, instance, key=None) == (404, NOT_FOUND)
    assert registry.post(path, {**instance, "schema": f"iglu:{CART}/2-0-0"}) == (404, NOT_FOUND)
    assert registry.post(path, {"data": {}}) == (
        400,
        {"message": "JSON payload is not self-describing, INVALID_DATA_PAYLOAD"},
    )


# ---- the rest ---------------------------------------------------------------------------------------------------


def test_meta(registry) -> None:
    registry.publish()
    for path in ("/api/meta/health", "/api/meta/health/db", "/api/meta/health/"):
        assert registry.ask("GET", path, key=None).body == b"OK"
    acme = keys_for(registry, "com.acme")
    assert registry.get("/api/meta/server", key=acme["read"]) == (
        200,
        {
            "version": "0.14.0",
            "authInfo": {"vendor": "com.acme", "schema": "READ", "key": []},
            "database": "sqlite",
            "schemaCount": 1,
            "debug": False,
            "patchesAllowed": False,
        },
    )
    anonymous = registry.get("/api/meta/server", key=None)[1]
    assert (anonymous["authInfo"], anonymous["schemaCount"]) == ({"vendor": "", "schema": None, "key": []}, 0)


def test_drafts_are_kept_and_answered_501(registry) -> None:
    path = f"/api/drafts/{CART}/1"
    answer = registry.ask("PUT", path, {"type": "object"})
    assert (answer.status, answer.body) == (501, b"TODO")
    assert registry.get(path) == (200, {"type": "object"})
    assert registry.get("/api/drafts") == (200, [{"type": "object"}])
    assert registry.get(path, key=None) == (404, NOT_FOUND)
    assert registry.get("/api/drafts", key=None) == (200, [])
    assert registry.put(path, {}, key=None)[0] == 403


def test_every_site_may_ask(registry) -> None:
    answer = registry.ask("OPTIONS", "/api/schemas", key=None)
    assert (answer.status, answer["access-control-allow-origin"]) == (200, "*")
    assert answer["access-control-allow-credentials"] is None
    assert answer["access-control-allow-headers"] == "content-type, apikey"
    assert registry.ask("GET", "/api/schemas", key=None)["access-control-allow-origin"] == "*"


def test_each_base_describes_itself(registry) -> None:
    for base in ("meta", "schemas", "auth", "validation", "drafts"):
        status, told = registry.get(f"/api/{base}/swagger.json", key=None)
        assert status == 200
        assert all(path.startswith(f"/iglu/api/{base}") for path in told["paths"])
        assert told["paths"]


def test_the_pipeline_validates_against_what_was_published(registry) -> None:
    settings = IgluSettings(iglu_central=False, folder_check=timedelta(0))
    resolver, validator = build(settings, registry.folder)
    item = SelfDescribing(SchemaKey.parse(f"iglu:{CART}/1-0-0"), {"sku": 1})
    refused = validator.check(item)
    assert isinstance(refused, Invalid)
    assert refused.error["error"] == "ResolutionError"
    registry.publish()
    refused = validator.check(item)
    assert isinstance(refused, Invalid)
    assert refused.error["error"] == "ValidationError"
    registry.publish(f"{CART}/1-0-1", properties={"sku": {"type": "integer"}}, **{"$supersedes": ["1-0-0"]})
    assert validator.check(item) == ValidSchema("1-0-1")
    assert resolver.versions("com.acme", "cart", 1) == [item.schema, SchemaKey.parse(f"iglu:{CART}/1-0-1")]
