import pytest

PATH = "com.mailchimp/v1"
FORM = "application/x-www-form-urlencoded"


def test_cases(case, check):
    check(case)


def test_every_type_has_its_schema(receive, types):
    assert types(receive(PATH, body="type=x", content_type=FORM)) == {
        "subscribe": "com.mailchimp/subscribe/1-0-0",
        "unsubscribe": "com.mailchimp/unsubscribe/1-0-0",
        "campaign": "com.mailchimp/campaign_sending_status/1-0-0",
        "cleaned": "com.mailchimp/cleaned_email/1-0-0",
        "upemail": "com.mailchimp/email_address_change/1-0-0",
        "profile": "com.mailchimp/profile_update/1-0-0",
    }


@pytest.mark.parametrize(
    ("query", "good"), [("secret=s3", True), ("secret=other", False), ("", False), ("secret", False)]
)
def test_a_secret_in_the_url_is_checked_and_is_no_data(receive, query, good):
    result = receive(PATH, query=query, body="type=subscribe", content_type=FORM, secrets={"url_secret": "s3"})
    assert bool(result.events) is good
    if good:
        assert "s3" not in result.events[0].parameters["ue_pr"]
    else:
        assert "url_secret" in result.failures[0][0]["expectation"]


def test_a_name_may_not_nest_without_end(receive):
    result = receive(PATH, body=f"type=subscribe&a{'[b]' * 5000}=1", content_type=FORM)
    assert "more than 50 levels" in result.failures[0][0]["expectation"]
    assert len(result.failures[0][0]["value"]) < 200


def test_what_is_no_object_becomes_one_when_a_later_name_says_so(receive):
    result = receive(PATH, body="type=subscribe&data=1&data%5Bid%5D=2&data%5Bid%5D%5Bx%5D=3", content_type=FORM)
    assert '"data":{"type":"subscribe","data":{"id":{"x":"3"}}}' in result.events[0].parameters["ue_pr"]
