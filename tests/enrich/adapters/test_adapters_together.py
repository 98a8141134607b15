"""What holds for every webhook adapter: no request breaks one, and a secret in the URL keeps strangers out."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
SENDERS = {
    "com.amazon.aws.cloudfront/wd_access_log": None,
    "com.callrail/v1": None,
    "com.getvero/v1": None,
    "com.google.analytics/v1": None,
    "com.hubspot/v1": JSON,
    "com.mailchimp/v1": FORM,
    "com.mailgun/v1": JSON,
    "com.mandrill/v1": FORM,
    "com.marketo/v1": None,
    "com.olark/v1": FORM,
    "com.pagerduty/v1": JSON,
    "com.pingdom/v1": None,
    "com.sendgrid/v3": JSON,
    "com.statusgator/v1": FORM,
    "com.unbounce/v1": FORM,
    "com.urbanairship.connect/v1": None,
}
WORDS = """event type messages event-data signature timestamp token id data items operators mandrill_events action
    message occurred processed subscriptionType occurredAt sg_event_id _id ts created_on _tags page_id page_name variant
    page_url data.json fired_at datetime duration attachment-count body-plain event_type t cd1 pr1pr il1pi2cd3
    cu""".split()  # noqa: SIM905
VALUES = """open click opened failed incident.trigger contact.creation sent assign subscribe OPEN event pageview null
    1700000000 1700000000.5 2024-05-01T10:00:00Z 99999999999999999999 -1 1e999 %zz a=b&c""".split()  # noqa: SIM905
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(WORDS + VALUES)
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from([*WORDS, "", "_", "-x"]), inner, max_size=6)
    ),
    max_leaves=20,
)
NAMES = st.one_of(st.sampled_from(WORDS), st.text(max_size=6))
FIELDS = st.lists(st.tuples(NAMES, st.one_of(st.sampled_from(VALUES), st.text(max_size=10), TREES.map(json.dumps))))


def encoded(fields):
    from urllib.parse import quote_plus

    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields)


def test_this_list_is_complete(receive):
    from snowgauge.enrich.adapters.registry import AdapterRegistry

    own = {"com.snowplowanalytics.snowplow", "com.snowplowanalytics.iglu", "r"}
    found = {f"{vendor}/{version}" for vendor, version in AdapterRegistry().paths() if vendor not in own}
    assert found == {*SENDERS, "com.google.analytics.measurement-protocol/v1"}


@pytest.mark.parametrize("path", SENDERS)
@settings(max_examples=60, deadline=None)
@given(
    body=st.one_of(
        st.none(),
        st.text(),
        TREES.map(json.dumps),
        FIELDS.map(encoded),
        st.lists(st.sampled_from(["\t", "\n", "-", "2024-05-01", "10:00:00", "%25", "#Fields: date time", "1"])).map(
            "".join
        ),
    ),
    query=FIELDS.map(encoded),
    right_type=st.booleans(),
)
def test_any_request_gives_events_or_failures(receive, path, body, query, right_type):
    """`receive` lets nothing but the two kinds of failure pass."""
    result = receive(path, query=query, body=body, content_type=SENDERS[path] if right_type else "text/plain")
    for event in result.events:
        outer = json.loads(event.parameters["ue_pr"])
        assert outer["data"]["schema"].startswith("iglu:")
        assert event.identity is None or isinstance(event.identity, str)
    json.dumps(result.failures)


@pytest.mark.parametrize("path", SENDERS)
@pytest.mark.parametrize(
    "query", ["", "secret", "secret=", "secret=wrong", "secret=right&secret=wrong", "Secret=right"]
)
def test_with_a_secret_in_the_url_configured_others_make_no_events(receive, path, query):
    result = receive(path, query=query, body="{}", content_type=SENDERS[path], secrets={"url_secret": "right"})
    ((message,),) = result.failures
    assert message["field"] == "querystring"
    assert "url_secret" in message["expectation"]
    assert "right" not in json.dumps(result.failures)


@pytest.mark.parametrize("path", SENDERS)
def test_a_secret_of_an_unknown_name_lets_nothing_pass(receive, path):
    """The operator believes that requests are checked, so they must not come in unchecked."""
    result = receive(path, query="a=b", body="{}", content_type=SENDERS[path], secrets={"signing-key": "s3cr3t"})
    ((message,),) = result.failures
    assert message["value"] == "signing-key"
    assert "url_secret" in message["expectation"]
    assert "s3cr3t" not in json.dumps(result.failures)


GUIDE = (Path(__file__).parents[3] / "docs" / "guide" / "webhooks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SENDERS)
def test_the_guide_names_every_sender_and_its_secrets(receive, path):
    (line,) = [line for line in GUIDE.splitlines() if line.startswith("|") and f"`/{path}`" in line]
    result = receive(path, query="a=b", body="{}", content_type=SENDERS[path], secrets={"?": ""})
    known = result.failures[0][0]["expectation"].rpartition("(")[2].rstrip(")").split(", ")
    own = [name for name in known if name != "url_secret"]
    assert sorted(re.findall(r"`([a-z_]+)`", line.rpartition("|")[0].rpartition("|")[2])) == sorted(own)


@pytest.mark.parametrize("sample", re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL))
def test_settings_in_the_guide_are_settings(tmp_path, sample):
    from snowgauge.settings.load import load

    (tmp_path / "snowgauge.toml").write_text(sample)
    assert load(folder=tmp_path).sources
