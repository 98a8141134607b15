PATH = "com.callrail/v1"


def test_cases(case, check):
    check(case)


def test_only_the_same_content_about_a_call_is_a_redelivery(receive):
    queries = ["id=C1&duration=30", "id=C1&duration=31", "id=C2&duration=30", "duration=30&id=C1"]
    first, *others = [receive(PATH, query=query).events[0].identity for query in queries]
    assert receive(PATH, query=queries[0]).events[0].identity == first
    assert first not in others[:2]
