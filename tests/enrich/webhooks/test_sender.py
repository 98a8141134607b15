from snowgauge.enrich.webhooks.sender import digest, identity_of


def test_an_identity_needs_an_id():
    assert [identity_of(part, "x") for part in (None, "", True, 1.5, [], {})] == [None] * 6
    assert identity_of("a") == "a"
    assert identity_of(0, None, "b") == "0::b"


def test_a_digest_tells_contents_apart():
    assert digest({"a": 1}) == digest({"a": 1})
    assert digest({"a": 1}) != digest({"a": "1"})
    assert len(digest({})) == 16
