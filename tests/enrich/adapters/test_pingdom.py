def test_cases(case, check):
    check(case)


def test_every_action_has_its_schema(receive, types):
    assert types(receive("com.pingdom/v1", query="message=5")) == {
        "assign": "com.pingdom/incident_assign/1-0-0",
        "notify_user": "com.pingdom/incident_notify_user/1-0-0",
        "notify_of_close": "com.pingdom/incident_notify_of_close/1-0-0",
    }
