"""The ad-blocker kit: the same names for the same seed, and a collector that answers on them."""

import re

import msgspec
import pytest

from snowgauge.actions.scripts.door import script_names, with_neutral_names
from snowgauge.actions.scripts.neutral import neutral_names, proxy_rules, snippet
from snowgauge.actions.scripts.settings import ScriptsSettings
from snowgauge.collector.app import create_app
from snowgauge.collector.settings import CollectorSettings
from snowgauge.collector.static import StaticFiles
from snowgauge.delivery.memory import MemoryLog
from snowgauge.errors import SettingsError
from snowgauge.events.payload_record import decode
from snowgauge.testing.asgi import Client

SEED = "words of my own"
ON = ScriptsSettings.model_validate({"neutral": {"enabled": True, "seed": SEED}})


def test_names_stay_the_same_and_are_nobody_elses():
    assert neutral_names(SEED) == neutral_names(SEED)
    mine, yours = (set(msgspec.to_builtins(neutral_names(seed)).values()) for seed in (SEED, "other words"))
    assert len(mine) == 6
    assert not mine & yours


@pytest.mark.parametrize("number", range(50))
def test_names_fit_where_they_are_used(number):
    names = neutral_names(f"seed number {number}")
    assert re.fullmatch(r"/[a-z][a-z2-9]+/[a-z][a-z2-9]+\.js", names.script)
    assert re.fullmatch(r"/[a-z][a-z2-9]+/[a-z][a-z2-9]+", names.post)
    assert re.fullmatch(r"/[a-z][a-z2-9]+", names.pixel)
    assert re.fullmatch(r"[a-z][a-z2-9]+", names.cookie)
    assert re.fullmatch(r"[a-z][a-z2-9]+", names.function)


@pytest.mark.parametrize("seed", ["", "   ", "short"])
def test_a_seed_is_needed(seed):
    with pytest.raises(SettingsError, match=r"scripts\.neutral\.seed"):
        neutral_names(seed)


def test_the_collector_answers_on_them(tmp_path):
    names = neutral_names(SEED)
    (tmp_path / "sp.js").write_text("script")
    log = MemoryLog()
    files = StaticFiles(tmp_path, names=script_names(ON))
    app = create_app(
        with_neutral_names(CollectorSettings(), ON), log.writer(), more=dict.fromkeys(script_names(ON), files)
    )
    with Client(app) as client:
        assert client.request("GET", names.script).body == b"script"
        post = client.request("POST", names.post, [("Content-Type", "application/json")], b"{}")
        pixel = client.request("GET", names.pixel + "?e=pv")
        usual = client.request("GET", "/i?e=pv")
    assert (post.status, pixel.status, usual.status) == (200, 200, 200)
    assert pixel["content-type"] == "image/gif"
    assert pixel["set-cookie"].startswith(f"{names.cookie}=")
    paths = [decode(entry.body).path for entry in log.peek()]
    assert paths == ["/com.snowplowanalytics.snowplow/tp2", "/i", "/i"]


def test_a_cookie_with_a_name_of_its_own_keeps_it():
    own = CollectorSettings.model_validate({"cookie": {"name": "visitor"}})
    assert with_neutral_names(own, ON).cookie.name == "visitor"


def test_off_means_unchanged():
    settings = CollectorSettings()
    assert with_neutral_names(settings, ScriptsSettings()) is settings
    assert script_names(ScriptsSettings()) == {}


def test_the_snippet_names_nothing_that_a_list_of_blockers_has():
    text = snippet("https://data.example.com", names=neutral_names(SEED), app_id="shop").replace(
        "GlobalSnowplowNamespace", ""
    )
    for word in ("snowplow", "sp.js", "tp2", "track.js", "analytics", "collector"):
        assert word not in text.lower()


def test_nothing_in_a_snippet_ends_it_early():
    assert snippet("https://a.example", app_id="</script><script>alert(1)").count("</script>") == 1


@pytest.mark.parametrize("kind", ["nginx", "caddy", "traefik"])
def test_rules_for_a_web_server(kind):
    names = neutral_names(SEED)
    rules = proxy_rules(kind, names, "http://10.0.0.5:8000/")
    assert all(path in rules for path in (names.script, names.post, names.pixel))
    assert "http://10.0.0.5:8000" in rules
    assert "8000/" not in rules
    assert rules.count("{") == rules.count("}")
