"""Folders of schemas: what is read, what is not, and how soon a change is seen."""

import json
import os

import pytest

from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.registries.base import NOT_FOUND, Refusal
from snowgauge.iglu.registries.folder import FolderRegistry

KEY = SchemaKey.parse("iglu:com.acme/cart/jsonschema/1-0-0")


def write(folder, key, text):
    file = folder / key.path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return file


@pytest.mark.parametrize("inner", [".", "schemas"])
def test_both_layouts_are_read(tmp_path, inner):
    write(tmp_path / inner, KEY, {"type": "object"})
    registry = FolderRegistry(tmp_path)
    assert registry.lookup(KEY) == {"type": "object"}
    assert registry.keys() == [KEY]
    assert registry.versions("com.acme", "cart", 1) == [KEY]
    assert registry.versions("com.acme", "cart", 2) == []


def test_what_is_not_there_is_not_found(tmp_path):
    (tmp_path / "com.acme" / "cart").mkdir(parents=True)
    (tmp_path / "com.acme" / "cart" / "jsonschema").write_text("a file where a folder should be")
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert FolderRegistry(folder).lookup(KEY) == NOT_FOUND
        assert FolderRegistry(folder).keys() == []


def test_a_vendor_of_dots_leads_nowhere(tmp_path):
    """The grammar allows the vendor ``..``; it must not leave the folder."""
    outside = SchemaKey.parse("iglu:../x/jsonschema/1-0-0")
    (tmp_path / "inside").mkdir()
    write(tmp_path, SchemaKey.parse("iglu:x/x/jsonschema/1-0-0"), {})
    (tmp_path / "x" / "jsonschema").mkdir()
    (tmp_path / "x" / "jsonschema" / "1-0-0").write_text("{}")
    assert FolderRegistry(tmp_path / "inside").lookup(outside) == NOT_FOUND
    assert FolderRegistry(tmp_path / "inside").versions("..", "x", 1) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "\ufeff", "nope"])
def test_a_file_that_is_no_schema_is_the_registrys_failure(tmp_path, text):
    file = write(tmp_path, KEY, text)
    refusal = FolderRegistry(tmp_path).lookup(KEY)
    assert isinstance(refusal, Refusal)
    assert (refusal.error, refusal.away) == ("RepoFailure", False)
    assert str(file) in refusal.message


def test_a_folder_in_place_of_the_file_is_the_registrys_failure(tmp_path):
    (tmp_path / KEY.path).mkdir(parents=True)
    assert FolderRegistry(tmp_path).lookup(KEY).error == "RepoFailure"


def test_a_change_is_seen_and_the_unchanged_is_read_once(tmp_path):
    file = write(tmp_path, KEY, {"a": 1})
    registry = FolderRegistry(tmp_path)
    first = registry.lookup(KEY)
    assert registry.lookup(KEY) is first
    file.write_text('{"a": 2}')
    os.utime(file, ns=(1, 1))
    assert registry.lookup(KEY) == {"a": 2}
    file.unlink()
    assert registry.lookup(KEY) == NOT_FOUND


def test_listing_takes_only_what_has_a_keys_shape(tmp_path):
    write(tmp_path, KEY, "not even JSON")
    for stray in ("com.acme/README-1-0", "com.acme/cart/jsonschema/1-0-0.json", "com.acme/cart/jsonschema/0-0-0"):
        (tmp_path / stray).write_text("{}")
    assert FolderRegistry(tmp_path).keys() == [KEY]
