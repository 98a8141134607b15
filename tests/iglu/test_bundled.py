"""The bundled schemas: well formed, in their places, complete, and refusing what they should."""

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from snowgauge.iglu.bundled import SCHEMAS

META_SCHEMA = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
FILES = sorted(path for path in SCHEMAS.rglob("*") if path.is_file())

CS = "com.snowplowanalytics.snowplow"
ECOMMERCE = f"{CS}.ecommerce"
MEDIA = f"{CS}.media"
MOBILE = "com.snowplowanalytics.mobile"
ENRICHMENTS = f"{CS}.enrichments"
BAD_ROWS = f"{CS}.badrows"
GA_ECOMMERCE = "com.google.analytics.enhanced-ecommerce"

# What must be there, by the part of Snowplow that names it: vendor, then name/version.
NAMED = {
    "the protocol's envelopes": {
        CS: "payload_data/1-0-0 payload_data/1-0-1 payload_data/1-0-2 payload_data/1-0-3 payload_data/1-0-4"
        " contexts/1-0-0 contexts/1-0-1 unstruct_event/1-0-0 uri_redirect/1-0-0",
    },
    "the JavaScript tracker by default and by option": {
        CS: "web_page/1-0-0 client_session/1-0-2 browser_context/2-0-0 application/1-0-0 activity_metrics/1-0-0"
        " geolocation_context/1-1-0 web_vitals/1-0-0",
        "org.w3": "PerformanceNavigationTiming/1-0-0 PerformanceTiming/1-0-0",
        "org.ietf": "http_client_hints/1-0-0",
        "com.google.ga4": "cookies/1-0-0",
        "com.google.analytics": "cookies/1-0-0",
    },
    "the JavaScript tracker's plug-ins and methods": {
        CS: "link_click/1-0-1 button_click/1-0-0 focus_form/1-0-0 change_form/1-0-0 submit_form/1-0-0"
        " application_error/1-0-1 site_search/1-0-0 social_interaction/1-0-0 timing/1-0-0"
        " ad_impression/1-0-0 ad_click/1-0-0 ad_conversion/1-0-0 consent_preferences/1-0-0 cmp_visible/1-0-0"
        " consent_granted/1-0-0 consent_withdrawn/1-0-0 consent_document/1-0-0"
        " add_to_cart/1-0-0 remove_from_cart/1-0-0 screen_view/1-0-0 media_player/2-0-0"
        " create_element/1-0-0 destroy_element/1-0-0 expose_element/1-0-0 obscure_element/1-0-0"
        " element/1-0-0 element_content/1-0-0 element_statistics/1-0-0 component_parents/1-0-0"
        " client_side_bot_detection/1-0-0 event_specification/1-0-0",
        ECOMMERCE: "snowplow_ecommerce_action/1-0-2 product/1-0-0 cart/1-0-0 transaction/1-0-0"
        " transaction_error/1-0-0 refund/1-0-0 checkout_step/1-0-0 promotion/1-0-0 page/1-0-0 user/1-0-0",
        MEDIA: "ready_event/1-0-0 play_event/1-0-0 pause_event/1-0-0 end_event/1-0-0 seek_start_event/1-0-0"
        " seek_end_event/1-0-0 playback_rate_change_event/1-0-0 volume_change_event/1-0-0"
        " fullscreen_change_event/1-0-0 picture_in_picture_change_event/1-0-0 ping_event/1-0-0"
        " percent_progress_event/1-0-0 ad_break_start_event/1-0-0 ad_break_end_event/1-0-0 ad_start_event/1-0-0"
        " ad_quartile_event/1-0-0 ad_complete_event/1-0-0 ad_skip_event/1-0-0 ad_click_event/1-0-0"
        " ad_pause_event/1-0-0 ad_resume_event/1-0-0 buffer_start_event/1-0-0 buffer_end_event/1-0-0"
        " quality_change_event/1-0-0 error_event/1-0-0 session/1-0-0 ad/1-0-0 ad_break/1-0-0",
        GA_ECOMMERCE: "action/1-0-0 actionFieldObject/1-0-0 impressionFieldObject/1-0-0 productFieldObject/1-0-0"
        " promoFieldObject/1-0-0",
        "org.whatwg": "media_element/1-0-0 video_element/1-0-0",
        "com.youtube": "youtube/1-0-0",
        "com.vimeo": "meta/1-0-0 interaction/1-0-0 cue_point_event/1-0-0 chapter_change_event/1-0-0"
        " text_track_change_event/1-0-0 interactive_hotspot_click_event/1-0-0"
        " interactive_overlay_panel_click_event/1-0-0",
        "com.optimizely.optimizelyx": "summary/1-1-0",
        "com.google.privacysandbox": "topics/1-0-0",
        "org.schema": "WebPage/1-0-0",
    },
    "the mobile trackers": {
        CS: "client_session/1-0-1 mobile_context/1-0-1 mobile_context/1-0-3 desktop_context/1-0-0"
        " application_foreground/1-0-0 application_background/1-0-0 application_error/1-0-0"
        " application_error/1-0-2 diagnostic_error/1-0-0 gdpr/1-0-0 media_player_event/1-0-0 media_player/1-0-0",
        MOBILE: "application/1-0-0 application_install/1-0-0 application_lifecycle/1-0-0 screen/1-0-0"
        " screen_view/1-0-0 screen_end/1-0-0 screen_summary/1-0-0 list_item_view/1-0-0 scroll_changed/1-0-0"
        " deep_link/1-0-0 deep_link_received/1-0-0 message_notification/1-0-0",
        "com.android.installreferrer.api": "referrer_details/1-0-0",
        "com.apple": "notification_event/1-0-1",
        "com.apple.swiftui": "window_group/1-0-0 open_window/1-0-0 dismiss_window/1-0-0 immersive_space/1-0-0"
        " open_immersive_space/1-0-0 dismiss_immersive_space/1-0-0",
        "com.roku": "device_info/1-0-0 video/1-0-0",
    },
    "the server-side trackers": {
        "com.amazon.aws.ec2": "instance_identity_document/1-0-0",
        "com.google.cloud.gce": "instance_metadata/1-0-0",
    },
    "enrichment and failed events": {
        CS: "ua_parser_context/1-0-0 asn/1-0-1 cross_navigation/1-0-0 bot_detection/1-0-1"
        " pii_transformation/1-0-0 parent_event/1-0-0 identity/2-0-0 event_specification/1-0-4 failure/1-0-0",
        "nl.basjes": "yauaa_context/1-0-5",
        "com.iab.snowplow": "spiders_and_robots/1-0-0",
        "org.ietf": "http_header/1-0-0 http_cookie/1-0-0",
        "org.openweathermap": "weather/1-0-0",
        "com.snowplowanalytics.iglu": "validation_info/1-0-0",
        BAD_ROWS: "size_violation/1-0-0 collector_payload_format_violation/1-0-0 adapter_failures/1-0-0"
        " tracker_protocol_violations/1-0-1 schema_violations/2-0-1 enrichment_failures/2-0-1"
        " loader_parsing_error/2-0-0 loader_iglu_error/2-0-1 loader_runtime_error/1-0-1 recovery_error/1-0-1"
        " generic_error/1-0-0 event_forwarding_error/1-0-0",
    },
    "configuration": {
        CS: "atomic/1-0-0 enrichments/1-0-0 anon_ip/1-0-0 anon_ip/1-0-1 campaign_attribution/1-0-0"
        " campaign_attribution/1-0-1 cookie_extractor_config/1-0-0 currency_conversion_config/1-0-0"
        " event_fingerprint_config/1-0-0 event_fingerprint_config/1-0-1 ip_lookups/2-0-0 ip_lookups/2-0-1"
        " javascript_script_config/1-0-0 javascript_script_config/1-0-1 referer_parser/2-0-0 referer_parser/2-0-1"
        " ua_parser_config/1-0-0 ua_parser_config/1-0-1 user_agent_utils_config/1-0-0",
        ENRICHMENTS: "api_request_enrichment_config/1-0-0 api_request_enrichment_config/1-0-1"
        " api_request_enrichment_config/1-0-2 asn_lookups/1-0-0 bot_detection_enrichment_config/1-0-0"
        " bot_detection_enrichment_config/1-0-1 cross_navigation_config/1-0-0 event_spec_enrichment_config/1-0-0"
        " http_header_extractor_config/1-0-0 iab_spiders_and_robots_enrichment/1-0-0"
        " iab_spiders_and_robots_enrichment/1-0-1 pii_enrichment_config/2-0-0 pii_enrichment_config/2-0-1"
        " sql_query_enrichment_config/1-0-0 sql_query_enrichment_config/1-0-1 weather_enrichment_config/1-0-0"
        " yauaa_enrichment_config/1-0-0",
        "com.snowplowanalytics.iglu": "resolver-config/1-0-0 resolver-config/1-0-1 resolver-config/1-0-2"
        " resolver-config/1-0-3",
    },
    "webhook adapters": {
        "com.amazon.aws.cloudfront": "wd_access_log/1-0-0 wd_access_log/1-0-1 wd_access_log/1-0-2 wd_access_log/1-0-3"
        " wd_access_log/1-0-4 wd_access_log/1-0-5 wd_access_log/1-0-6",
        "com.callrail": "call_complete/1-0-2",
        "com.getvero": "bounced/1-0-0 clicked/1-0-0 created/1-0-0 delivered/1-0-0 opened/1-0-0 sent/1-0-0"
        " unsubscribed/1-0-0 updated/1-0-0",
        "com.hubspot": "contact_creation/1-0-0 contact_deletion/1-0-0 contact_change/1-0-0 company_creation/1-0-0"
        " company_deletion/1-0-0 company_change/1-0-0 deal_creation/1-0-0 deal_deletion/1-0-0 deal_change/1-0-0",
        "com.mailchimp": "subscribe/1-0-0 unsubscribe/1-0-0 campaign_sending_status/1-0-0 cleaned_email/1-0-0"
        " email_address_change/1-0-0 profile_update/1-0-0",
        "com.mailgun": "message_bounced/1-0-0 message_clicked/1-0-0 message_complained/1-0-0 message_delivered/1-0-0"
        " message_dropped/1-0-0 message_opened/1-0-0 recipient_unsubscribed/1-0-0",
        "com.mandrill": "message_bounced/1-0-2 message_clicked/1-0-2 message_delayed/1-0-2 message_delivered/1-0-0"
        " message_marked_as_spam/1-0-2 message_opened/1-0-3 message_rejected/1-0-1 message_sent/1-0-1"
        " message_soft_bounced/1-0-2 recipient_unsubscribed/1-0-2",
        "com.marketo": "event/2-0-0",
        "com.olark": "transcript/1-0-0 offline_message/1-0-0",
        "com.pagerduty": "incident/1-0-0",
        "com.pingdom": "incident_assign/1-0-0 incident_notify_user/1-0-0 incident_notify_of_close/1-0-0",
        "com.sendgrid": "processed/3-0-0 dropped/3-0-0 delivered/3-0-0 deferred/3-0-0 bounce/3-0-0 open/3-0-0"
        " click/3-0-0 spamreport/3-0-0 unsubscribe/3-0-0 group_unsubscribe/3-0-0 group_resubscribe/3-0-0",
        "com.statusgator": "status_change/1-0-0",
        "com.unbounce": "form_post/1-0-0",
        "com.urbanairship.connect": "CLOSE/1-0-0 CUSTOM/1-0-0 FIRST_OPEN/1-0-0 IN_APP_MESSAGE_DISPLAY/1-0-0"
        " IN_APP_MESSAGE_EXPIRATION/1-0-0 IN_APP_MESSAGE_RESOLUTION/1-0-0 LOCATION/1-0-0 OPEN/1-0-0 PUSH_BODY/1-0-0"
        " REGION/1-0-0 RICH_DELETE/1-0-0 RICH_DELIVERY/1-0-0 RICH_READ/1-0-0 SEND/1-0-0 TAG_CHANGE/1-0-0"
        " UNINSTALL/1-0-0",
        "com.snowgauge": "cloudfront_access_log/1-0-0 hubspot_event/1-0-0 mailgun_event/1-0-0 pagerduty_event/1-0-0",
    },
}


UUID_TEXT = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def validator(schema):
    """A draft-04 validator that also knows Snowplow's uuid format.

    Iglu's `$schema` must be off, or jsonschema-rs goes to the network for that document."""
    constraints = {keyword: value for keyword, value in schema.items() if keyword not in ("$schema", "self")}
    formats = {"uuid": lambda text: UUID_TEXT.fullmatch(text) is not None}
    return jsonschema_rs.Draft4Validator(constraints, validate_formats=True, formats=formats)


def read(uri):
    """The bundled schema an Iglu URI names."""
    return json.loads(Path(SCHEMAS, uri.removeprefix("iglu:")).read_text(encoding="utf-8"))


def expand(named):
    """Iglu URIs from the short form of the tables here."""
    return [
        f"iglu:{vendor}/{name}/jsonschema/{version}"
        for vendor, names in named.items()
        for name, version in (word.split("/") for word in names.split())
    ]


def subschemas(schema):
    """The schema and every schema inside it; names of properties are not keywords."""
    yield schema
    for keyword, value in schema.items():
        if keyword in ("properties", "patternProperties", "definitions"):
            inner = list(value.values())
        elif keyword == "dependencies":
            inner = [each for each in value.values() if isinstance(each, dict)]
        elif keyword in ("allOf", "anyOf", "oneOf"):
            inner = value
        elif keyword in ("items", "additionalItems", "additionalProperties", "not"):
            inner = value if isinstance(value, list) else [value]
        else:
            inner = []
        for each in inner:
            if isinstance(each, dict):
                yield from subschemas(each)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SCHEMAS).as_posix())
def test_a_file_is_what_its_place_says(path):
    """A file parses, describes itself as its path does, and is a valid draft-04 schema of constraints only."""
    schema = json.loads(path.read_text(encoding="utf-8"))
    vendor, name, form, version = path.relative_to(SCHEMAS).parts
    assert schema["$schema"] == META_SCHEMA
    assert schema["self"] == {"vendor": vendor, "name": name, "format": form, "version": version}
    assert form == "jsonschema"
    for each in subschemas(schema):
        assert not {"description", "title", "$comment"} & each.keys()
    jsonschema_rs.meta.validate({**schema, "$schema": "http://json-schema.org/draft-04/schema#"})
    validator(schema)


@pytest.mark.parametrize("named", NAMED.values(), ids=NAMED)
def test_what_snowplow_names_is_bundled(named):
    """No schema that a tracker or the pipeline itself puts on an event is missing."""
    bundled = {f"iglu:{path.relative_to(SCHEMAS).as_posix()}" for path in FILES}
    assert [uri for uri in expand(named) if uri not in bundled] == []


UUID = "3d7a1c52-6c2c-4d5e-9c0c-6f3f8a1c2b4d"
LINK = {"targetUrl": "https://example.com/"}
SDJ = {"schema": "iglu:com.acme/thing/jsonschema/1-0-0", "data": {}}
EVENT = {"e": "pv", "p": "web", "tv": "js-4.10.1"}
SESSION = {
    "userId": UUID,
    "sessionId": UUID,
    "sessionIndex": 1,
    "eventIndex": 1,
    "previousSessionId": None,
    "storageMechanism": "COOKIE_1",
    "firstEventId": UUID,
    "firstEventTimestamp": "2024-05-01T10:00:00.000Z",
}
FORM_FIELD = {"formId": "f", "elementId": "e", "nodeName": "INPUT", "elementClasses": [], "value": "x"}
SUBMITTED = {"name": "e", "value": None, "nodeName": "SELECT"}
PRODUCT = {"id": "1", "category": "shoes", "price": 19.99, "currency": "EUR"}
TRANSACTION = {
    "transaction_id": "t1",
    "revenue": 10.5,
    "currency": "EUR",
    "payment_method": "card",
    "total_quantity": 2,
}
PHONE = {"osType": "ios", "osVersion": "17.4", "deviceManufacturer": "Apple", "deviceModel": "iPhone15,2"}
SCREEN = {"name": "home", "id": UUID}
PLACE = {"latitude": 52.5, "longitude": 13.4}
PLAYER = {"currentTime": 0, "paused": True, "ended": False}
CONSENT = {
    "eventType": "allow_all",
    "basisForProcessing": "consent",
    "consentUrl": "https://example.com/consent",
    "consentVersion": "1.0",
    "consentScopes": ["analytics"],
    "domainsApplied": ["https://example.com"],
}
FAILURE = {
    "failureType": "ValidationError",
    "errors": [{}],
    "schema": None,
    "data": None,
    "timestamp": "2024-05-01T10:00:00Z",
    "componentName": "snowgauge",
    "componentVersion": "1.0.0",
}

CONFIGURATION = {"vendor": CS, "name": "x", "enabled": True}
MASKING = {"anonOctets": 1, "anonSegments": 3}
GEO = {"database": "GeoLite2-City.mmdb", "uri": "https://example.com"}
DETECTORS = {"useYauaa": True, "useIab": False, "useAsnLookups": False}
HASHING = {"pseudonymize": {"hashFunction": "SHA-256", "salt": "s"}}
REGISTRY = {"name": "a", "priority": 0, "vendorPrefixes": []}
HTTP = {"connection": {"http": {"uri": "https://example.com", "apikey": None}}}
BOTH = {"connection": {"http": {"uri": "https://example.com"}, "embedded": {"path": "/"}}}
PROCESSOR = {"artifact": "snowgauge", "version": "1.0.0"}
TOO_BIG = {"timestamp": "2024-05-01T10:00:00Z", "maximumAllowedSizeBytes": 10, "actualSizeBytes": 11, "expectation": ""}
HIT = {"dateTime": "2024-05-01T10:00:00Z", "csMethod": "GET", "csUriQuery": None}

# vendor, name/version, instance, and the keyword that refuses it (None when it is valid)
INSTANCES = [
    (CS, "payload_data/1-0-4", [EVENT], None),
    (CS, "payload_data/1-0-4", [EVENT | {"ttm": "1", "stm": "1", "sid": UUID, "tnuid": UUID, "ua": "x"}], None),
    (CS, "payload_data/1-0-4", [], "minItems"),
    (CS, "payload_data/1-0-4", {}, "type"),
    (CS, "payload_data/1-0-4", [{"e": "pv", "p": "web"}], "required"),
    (CS, "payload_data/1-0-4", [EVENT | {"dtm": 1714557600000}], "type"),
    (CS, "payload_data/1-0-4", [EVENT | {"made_up": "x"}], "additionalProperties"),
    (CS, "payload_data/1-0-3", [EVENT | {"stm": "1"}], None),
    (CS, "payload_data/1-0-3", [EVENT | {"ttm": "1"}], "additionalProperties"),
    (CS, "payload_data/1-0-0", [EVENT | {"ua": "x"}], "additionalProperties"),
    (CS, "contexts/1-0-0", [SDJ], None),
    (CS, "contexts/1-0-0", [], "minItems"),
    (CS, "contexts/1-0-1", [], None),
    (CS, "contexts/1-0-1", [SDJ | {"data": 5}], None),
    (CS, "contexts/1-0-1", [SDJ | {"schema": "iglu:com.acme/thing"}], "pattern"),
    (CS, "contexts/1-0-1", [{"schema": SDJ["schema"]}], "required"),
    (CS, "unstruct_event/1-0-0", SDJ, None),
    (CS, "unstruct_event/1-0-0", SDJ | {"extra": 1}, "additionalProperties"),
    (CS, "web_page/1-0-0", {"id": UUID}, None),
    (CS, "web_page/1-0-0", {"id": UUID.upper()}, None),
    (CS, "web_page/1-0-0", {"id": UUID[1:]}, "pattern"),
    (CS, "web_page/1-0-0", {}, "required"),
    (CS, "client_session/1-0-2", SESSION, None),
    (CS, "client_session/1-0-2", SESSION | {"userId": "0123456789abcdef"}, None),
    (CS, "client_session/1-0-2", SESSION | {"userId": UUID.upper()}, "pattern"),
    (CS, "client_session/1-0-2", SESSION | {"sessionId": "s"}, "format"),
    (CS, "client_session/1-0-2", SESSION | {"firstEventTimestamp": "yesterday"}, "format"),
    (CS, "client_session/1-0-2", SESSION | {"sessionIndex": -1}, "minimum"),
    (CS, "client_session/1-0-2", SESSION | {"storageMechanism": "PAPER"}, "enum"),
    (CS, "client_session/1-0-1", SESSION, "additionalProperties"),
    (CS, "geolocation_context/1-1-0", PLACE | {"bearing": None, "timestamp": 1714557600000}, None),
    (CS, "geolocation_context/1-1-0", PLACE | {"latitude": 90.5}, "maximum"),
    (CS, "geolocation_context/1-1-0", PLACE | {"longitude": "13.4"}, "type"),
    (CS, "geolocation_context/1-1-0", {"latitude": 1}, "required"),
    (CS, "link_click/1-0-1", LINK | {"elementContent": "here"}, None),
    (CS, "link_click/1-0-1", {"targetUrl": ""}, "minLength"),
    (CS, "link_click/1-0-1", LINK | {"elementClasses": "a b"}, "type"),
    (CS, "button_click/1-0-0", {"label": "Buy"}, None),
    (CS, "button_click/1-0-0", {"label": ""}, "minLength"),
    (CS, "focus_form/1-0-0", FORM_FIELD | {"elementType": "email"}, None),
    (CS, "focus_form/1-0-0", FORM_FIELD | {"elementType": None}, "enum"),
    (CS, "focus_form/1-0-0", FORM_FIELD | {"type": "email"}, "additionalProperties"),
    (CS, "change_form/1-0-0", FORM_FIELD | {"type": "email"}, None),
    (CS, "change_form/1-0-0", FORM_FIELD | {"nodeName": "DIV"}, "enum"),
    (CS, "change_form/1-0-0", FORM_FIELD | {"formId": "f" * 4097}, "maxLength"),
    (CS, "submit_form/1-0-0", {"formId": "f", "formClasses": [], "elements": [SUBMITTED]}, None),
    (CS, "submit_form/1-0-0", {"formId": "f", "elements": [SUBMITTED | {"id": "x"}]}, "additionalProperties"),
    (CS, "site_search/1-0-0", {"terms": ["a"], "filters": {"colour": "red", "sale": True}}, None),
    (CS, "site_search/1-0-0", {"terms": ["a"], "filters": {"size": 4}}, "type"),
    (CS, "site_search/1-0-0", {"terms": []}, "minItems"),
    (CS, "ad_impression/1-0-0", {"cost": 0.5, "costModel": "cpm"}, None),
    (CS, "ad_impression/1-0-0", {"cost": 0.5}, "dependencies"),
    (CS, "ad_impression/1-0-0", {}, "minProperties"),
    (CS, "consent_preferences/1-0-0", CONSENT | {"gdprApplies": None}, None),
    (CS, "consent_preferences/1-0-0", CONSENT | {"consentUrl": "/consent"}, "format"),
    (CS, "application_error/1-0-1", {"programmingLanguage": "JAVASCRIPT", "message": "no"}, None),
    (CS, "application_error/1-0-1", {"programmingLanguage": "COBOL", "message": "no"}, "enum"),
    (CS, "application_error/1-0-1", {"programmingLanguage": "C", "message": "n" * 2049}, "maxLength"),
    (CS, "web_vitals/1-0-0", {"cls": 0.1, "navigationType": "navigate"}, None),
    (CS, "web_vitals/1-0-0", {"cls": -0.1}, "minimum"),
    (CS, "media_player/2-0-0", PLAYER | {"volume": 100, "mediaType": None}, None),
    (CS, "media_player/2-0-0", PLAYER | {"volume": 50.5}, "type"),
    (CS, "media_player/2-0-0", PLAYER | {"playbackRate": 17}, "maximum"),
    (MEDIA, "play_event/1-0-0", {}, None),
    (MEDIA, "play_event/1-0-0", {"at": 1}, "additionalProperties"),
    (ECOMMERCE, "snowplow_ecommerce_action/1-0-2", {"type": "add_to_cart", "name": None}, None),
    (ECOMMERCE, "snowplow_ecommerce_action/1-0-2", {"type": "browse"}, "enum"),
    (ECOMMERCE, "product/1-0-0", PRODUCT | {"quantity": 2}, None),
    (ECOMMERCE, "product/1-0-0", PRODUCT | {"price": 19.999}, "multipleOf"),
    (ECOMMERCE, "product/1-0-0", PRODUCT | {"currency": "EURO"}, "maxLength"),
    (ECOMMERCE, "product/1-0-0", PRODUCT | {"quantity": 1.5}, "type"),
    (ECOMMERCE, "cart/1-0-0", {"total_value": 0, "currency": "EUR"}, None),
    (ECOMMERCE, "cart/1-0-0", {"currency": "EUR"}, "required"),
    (ECOMMERCE, "transaction/1-0-0", TRANSACTION | {"credit_order": None}, None),
    (ECOMMERCE, "transaction/1-0-0", TRANSACTION | {"revenue": -1}, "minimum"),
    (ECOMMERCE, "transaction_error/1-0-0", {"error_type": None}, None),
    (ECOMMERCE, "transaction_error/1-0-0", {"error_type": "odd"}, "enum"),
    (ECOMMERCE, "checkout_step/1-0-0", {"step": 1}, None),
    (ECOMMERCE, "checkout_step/1-0-0", {"step": 0}, "minimum"),
    (CS, "mobile_context/1-0-3", PHONE | {"networkType": None, "batteryLevel": 50, "appSetId": UUID}, None),
    (CS, "mobile_context/1-0-3", PHONE | {"batteryLevel": 101}, "maximum"),
    (CS, "mobile_context/1-0-3", PHONE | {"language": "too-long-a-tag"}, "maxLength"),
    (CS, "mobile_context/1-0-3", {"osType": "ios"}, "required"),
    (CS, "mobile_context/1-0-1", PHONE | {"osType": "ubuntu", "networkType": "wifi"}, None),
    (CS, "mobile_context/1-0-1", PHONE | {"networkTechnology": None}, "type"),
    (CS, "screen_view/1-0-0", {"name": "home"}, None),
    (CS, "screen_view/1-0-0", {}, "minProperties"),
    (MOBILE, "screen_view/1-0-0", SCREEN, None),
    (MOBILE, "screen_view/1-0-0", {"name": "home", "type": "tab"}, "required"),
    (MOBILE, "application/1-0-0", {"version": "1.0", "build": "7"}, None),
    (CS, "application/1-0-0", {"version": "1.0", "build": "7"}, "additionalProperties"),
    (CS, "identity/2-0-0", {"created_at": "2024-05-01T10:00:00Z", "snowplow_id": "sp_" + "a2" * 13}, None),
    (CS, "identity/2-0-0", {"created_at": "2024-05-01T10:00:00Z", "snowplow_id": "sp_" + "a1" * 13}, "pattern"),
    (CS, "bot_detection/1-0-1", {"bot": True, "indicators": ["yauaa", "asnLookups"]}, None),
    (CS, "bot_detection/1-0-1", {"bot": True, "indicators": ["guess"]}, "enum"),
    (CS, "failure/1-0-0", FAILURE | {"anything": 1}, None),
    (CS, "failure/1-0-0", FAILURE | {"errors": ["text"]}, "type"),
    (CS, "uri_redirect/1-0-0", {"uri": "https://example.com/"}, None),
    (CS, "uri_redirect/1-0-0", {"uri": "example.com"}, "format"),
    (CS, "pii_transformation/1-0-0", {"pii": {}, "strategy": {"pseudonymize": {"hashFunction": "MD5"}}}, "anyOf"),
    (CS, "anon_ip/1-0-1", CONFIGURATION | {"parameters": MASKING}, None),
    (CS, "anon_ip/1-0-0", CONFIGURATION | {"parameters": MASKING}, "additionalProperties"),
    (CS, "anon_ip/1-0-1", CONFIGURATION | {"parameters": {"anonOctets": 5}}, "maximum"),
    (CS, "ip_lookups/2-0-1", CONFIGURATION | {"parameters": {"geo": GEO}}, None),
    (CS, "ip_lookups/2-0-1", CONFIGURATION | {"parameters": {"asn": GEO}}, "enum"),
    (ENRICHMENTS, "bot_detection_enrichment_config/1-0-0", CONFIGURATION | {"parameters": DETECTORS}, None),
    (ENRICHMENTS, "bot_detection_enrichment_config/1-0-1", CONFIGURATION | {"parameters": DETECTORS}, "required"),
    (
        ENRICHMENTS,
        "pii_enrichment_config/2-0-1",
        CONFIGURATION
        | {"emitEvent": True, "parameters": {"pii": [{"pojo": {"field": "user_id"}}], "strategy": HASHING}},
        None,
    ),
    (
        ENRICHMENTS,
        "pii_enrichment_config/2-0-1",
        CONFIGURATION | {"emitEvent": True, "parameters": {"pii": [{}], "strategy": HASHING}},
        "oneOf",
    ),
    (
        "com.snowplowanalytics.iglu",
        "resolver-config/1-0-1",
        {"cacheSize": 500, "repositories": [REGISTRY | HTTP]},
        None,
    ),
    (
        "com.snowplowanalytics.iglu",
        "resolver-config/1-0-3",
        {"cacheSize": 500, "cacheTtl": 0, "repositories": [REGISTRY | HTTP]},
        None,
    ),
    (
        "com.snowplowanalytics.iglu",
        "resolver-config/1-0-2",
        {"cacheSize": 500, "cacheTtl": 0, "repositories": [REGISTRY | HTTP]},
        "minimum",
    ),
    (
        "com.snowplowanalytics.iglu",
        "resolver-config/1-0-3",
        {"cacheSize": 1, "repositories": [REGISTRY | BOTH]},
        "oneOf",
    ),
    (BAD_ROWS, "size_violation/1-0-0", {"processor": PROCESSOR, "failure": TOO_BIG, "payload": "x"}, None),
    (BAD_ROWS, "size_violation/1-0-0", {"processor": {}, "failure": TOO_BIG, "payload": "x"}, "required"),
    ("com.amazon.aws.cloudfront", "wd_access_log/1-0-0", HIT, None),
    ("com.amazon.aws.cloudfront", "wd_access_log/1-0-0", HIT | {"csMethod": "POST"}, "maxLength"),
    ("com.amazon.aws.cloudfront", "wd_access_log/1-0-6", HIT | {"csProtocol": "ws"}, "enum"),
    ("com.sendgrid", "open/3-0-0", {"timestamp": "2024-05-01T10:00:00.000Z", "category": ["a"], "anything": 1}, None),
    ("com.sendgrid", "open/3-0-0", {"timestamp": 1714557600}, "type"),
    ("com.hubspot", "deal_change/1-0-0", {"objectId": 2147483648}, "maximum"),
    ("com.mailgun", "message_bounced/1-0-0", {"token": "a" * 50, "recipient": "a@b.example", "anything": 1}, None),
    ("com.mailgun", "message_bounced/1-0-0", {"token": "a" * 49}, "minLength"),
    ("com.mandrill", "message_opened/1-0-3", {"ts": None, "msg": {"opens": [{"ts": "2024-05-01T10:00:00Z"}]}}, None),
    ("com.mandrill", "message_sent/1-0-1", {"ts": 1714557600}, "type"),
    ("com.marketo", "event/2-0-0", {"name": "webhook", "lead": {"created_at": "2024-05-01T10:00:00.000Z"}}, None),
    ("com.marketo", "event/2-0-0", {"lead": None}, "required"),
    ("com.olark", "transcript/1-0-0", {"operators": {"1": {"username": "bo"}}, "visitor": {"anything": 1}}, None),
    ("com.olark", "transcript/1-0-0", {"operators": {"1": {"userName": "bo"}}}, "additionalProperties"),
    ("com.pagerduty", "incident/1-0-0", {"type": "resolve", "data": {"incident": {"incident_key": None}}}, None),
    ("com.pagerduty", "incident/1-0-0", {"messages": []}, "additionalProperties"),
    ("com.urbanairship.connect", "RICH_READ/1-0-0", {"id": UUID, "body": {"push_id": UUID}, "anything": 1}, None),
    ("com.urbanairship.connect", "OPEN/1-0-0", {"id": "1"}, "format"),
    ("com.snowgauge", "hubspot_event/1-0-0", {"subscriptionType": "deal.creation", "objectId": 2147483648}, None),
    ("com.snowgauge", "mailgun_event/1-0-0", {"event": "failed", "anything": 1}, None),
    ("com.snowgauge", "pagerduty_event/1-0-0", {"id": "1"}, "required"),
    ("com.snowgauge", "cloudfront_access_log/1-0-0", {"cPort": 65536}, "maximum"),
]


@pytest.mark.parametrize(("vendor", "key", "instance", "keyword"), INSTANCES)
def test_instances_are_judged_as_snowplow_judges_them(vendor, key, instance, keyword):
    """Valid instances pass; every invalid one is refused for exactly one reason."""
    (uri,) = expand({vendor: key})
    reasons = {error.schema_path[-1] for error in validator(read(uri)).iter_errors(instance)}
    assert reasons == ({keyword} if keyword else set())
