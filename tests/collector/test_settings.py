"""Settings under the reference's names."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from snowgauge.collector.settings import CollectorSettings


def test_a_configuration_of_snowplows_collector_can_be_pasted():
    settings = CollectorSettings.model_validate(
        {
            "license": {"accept": True},
            "interface": "0.0.0.0",
            "port": 8080,
            "ssl": {"enable": False, "redirect": False, "port": 443},
            "hsts": {"enable": True, "maxAge": "30 days"},
            "paths": {"/com.acme/track": "/com.snowplowanalytics.snowplow/tp2"},
            "p3p": {"policyRef": "/p.xml", "CP": "NOI"},
            "crossDomain": {"enabled": True, "domains": ["*"], "secure": True},
            "cookie": {"expiration": "365 days", "sameSite": "Lax", "httpOnly": False, "fallbackDomain": "acme.com"},
            "doNotTrackCookie": {"enabled": True, "name": "dnt", "value": "1|yes"},
            "cookieBounce": {"enabled": True, "fallbackNetworkUserId": "x", "forwardedProtocolHeader": "X-Proto"},
            "enableDefaultRedirect": True,
            "redirectDomains": ["acme.com"],
            "redirectMacro": {"enabled": True, "placeholder": "[TOKEN]"},
            "rootResponse": {"enabled": True, "statusCode": 200, "headers": {"X-A": "b"}, "body": "hi"},
            "cors": {"accessControlMaxAge": "60 minutes"},
            "streams": {
                "good": {"name": "good", "region": "eu-central-1", "maxBytes": 192000, "buffer": {"byteLimit": 1}},
                "bad": {"name": "bad"},
                "useIpAddressAsPartitionKey": False,
            },
            "networking": {"maxConnections": 10, "idleTimeout": "610 seconds", "dropPayloadSize": 3000000},
            "monitoring": {"metrics": {"statsd": {"enabled": True}}},
            "telemetry": {"disable": True},
            "preTerminationPeriod": "1 second",
            "terminationDeadline": "10 seconds",
        }
    )
    assert settings.hsts.max_age == timedelta(days=30)
    assert settings.p3p.cp == "NOI"
    assert settings.cookie.http_only is False
    assert settings.streams.good.max_bytes == 192_000
    assert settings.networking.max_connections == 10
    assert settings.pre_termination_period == timedelta(seconds=1)


def test_the_older_form_of_streams_and_newer_keys():
    streams = {"good": "good", "bad": "bad", "sink": {"enabled": "kinesis", "maxBytes": 192_000}, "buffer": {}}
    newer = {"compression": {"enabled": True}, "networking": {"bodyReadTimeout": "25 seconds"}}
    settings = CollectorSettings.model_validate({"streams": streams, **newer})
    assert settings.streams.good.max_bytes == 192_000
    assert CollectorSettings.model_validate({"streams": {"good": "good"}}).streams.good.max_bytes == 1_000_000


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"cokie": {}}, "cokie"),
        ({"cookie": {"samesite": "None"}}, "samesite"),
        ({"cookie": {"same_site": "sometimes"}}, "same_site"),
        ({"cookie": {"name": "a b"}}, "cookie name"),
        ({"cookie": {"domains": [".acme.com"]}}, "leading dot"),
        ({"paths": {"no-slash": "/a/b"}}, "leading slash"),
        ({"do_not_track_cookie": {"enabled": True, "name": "x", "value": "("}}, "regular expression"),
        ({"do_not_track_cookie": {"enabled": True}}, "cookie name"),
        ({"root_response": {"status_code": 1000}}, "status_code"),
        ({"root_response": {"headers": {"X-A": "a\r\nb"}}}, "X-A"),
        ({"ssl": {"enable": True}}, "ssl.certificate"),
        ({"cookie": {"expiration": "soon"}}, "duration"),
    ],
)
def test_wrong_settings_name_what_is_wrong(wrong, named):
    with pytest.raises(ValidationError) as error:
        CollectorSettings.model_validate(wrong)
    assert named in str(error.value)
