def test_cases(case, check):
    check(case)


def test_every_type_has_its_schema(receive, types):
    assert types(receive("com.getvero/v1", body='{"type": "x"}')) == {
        **{
            name: f"com.getvero/{name}/1-0-0"
            for name in ("bounced", "clicked", "delivered", "opened", "sent", "unsubscribed")
        },
        "user_created": "com.getvero/created/1-0-0",
        "user_updated": "com.getvero/updated/1-0-0",
    }
