"""CollectorPayload as Thrift: the same bytes as a Thrift library writes, and hostile bytes."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.errors import PayloadRecordError
from snowgauge.events.payload import PAYLOAD_SCHEMA, CollectorPayload
from snowgauge.events.payload_record import decode, encode

THRIFT = """
struct CollectorPayload {
  100: optional string ip_address
  200: i64 timestamp
  210: optional string encoding
  220: optional string collector
  300: optional string user_agent
  310: optional string referer_uri
  320: optional string path
  330: optional string querystring
  340: optional string body
  350: optional list<string> headers
  360: optional string content_type
  400: optional string hostname
  410: optional string network_user_id
  31337: optional string schema
}
"""


@pytest.fixture(scope="module")
def thrift():
    """A second implementation: thriftpy2's struct and protocol."""
    import thriftpy2
    from thriftpy2.protocol.binary import TBinaryProtocol
    from thriftpy2.transport import TMemoryBuffer

    module = thriftpy2.load_fp(io.StringIO(THRIFT), "collectorpayload_thrift")

    class Thrift:
        def write(self, payload):
            fields = {name: getattr(payload, name) for name in payload.__struct_fields__}
            buffer = TMemoryBuffer()
            module.CollectorPayload(**fields).write(TBinaryProtocol(buffer))
            return buffer.getvalue()

        def read(self, record):
            struct_ = module.CollectorPayload()
            struct_.read(TBinaryProtocol(TMemoryBuffer(record)))
            return CollectorPayload(**vars(struct_))

    return Thrift()


TEXT = st.none() | st.text(max_size=20)
PAYLOADS = st.builds(
    CollectorPayload,
    schema=st.just(PAYLOAD_SCHEMA) | st.none(),
    ip_address=TEXT,
    timestamp=st.integers(-(2**63), 2**63 - 1),
    encoding=TEXT,
    collector=TEXT,
    user_agent=TEXT,
    referer_uri=TEXT,
    path=TEXT,
    querystring=TEXT,
    body=TEXT,
    headers=st.none() | st.lists(st.text(max_size=10), max_size=4),
    content_type=TEXT,
    hostname=TEXT,
    network_user_id=TEXT,
)
FULL = CollectorPayload(
    ip_address="10.0.0.1",
    timestamp=1_714_557_600_000,
    collector="ssc-3.4.0-kinesis",
    user_agent="Mozilla/5.0 é😀",
    referer_uri="",
    path="/com.snowplowanalytics.snowplow/tp2",
    querystring="a=b",
    body='{"schema":"x"}',
    headers=["Host: a", "", "application/json"],
    content_type="application/json",
    hostname="a",
    network_user_id="3d7a1c52-6c2c-4d5e-9c0c-6f3f8a1c2b4d",
)


@given(PAYLOADS)
def test_what_is_written_is_read_back(payload):
    assert decode(encode(payload)) == payload


@given(payload=PAYLOADS)
def test_the_bytes_are_those_of_a_thrift_library(thrift, payload):
    record = encode(payload)
    assert record == thrift.write(payload)
    assert thrift.read(record) == payload


def test_unset_and_empty_differ():
    assert decode(encode(CollectorPayload(body="", headers=[]))) == CollectorPayload(body="", headers=[])
    assert decode(encode(CollectorPayload())) == CollectorPayload()


def test_lone_surrogates_become_question_marks():
    assert decode(encode(CollectorPayload(body="a\ud800b"))).body == "a?b"


def test_bytes_that_are_not_utf_8_are_replaced():
    record = encode(CollectorPayload(body="XX")).replace(b"XX", b"\xff\xfe")
    assert decode(record).body == "\ufffd\ufffd"


END = "error deserializing raw event: Reached end of bytes when parsing as thrift format"


def test_a_record_cut_anywhere_is_refused():
    record = encode(FULL)
    for length in range(len(record)):
        with pytest.raises(PayloadRecordError) as refused:
            decode(record[:length])
        assert str(refused.value) == END


def field(kind, number, value):
    return struct.pack(">bh", kind, number) + value


def text(value):
    return struct.pack(">i", len(value)) + value


STRANGE = {
    "bool": field(2, 1, b"\x01"),
    "byte": field(3, 1, b"\x01"),
    "double": field(4, 1, b"\x00" * 8),
    "i16": field(6, 1, b"\x00" * 2),
    "i32": field(8, 1, b"\x00" * 4),
    "i64": field(10, 1, b"\x00" * 8),
    "string": field(11, 1, text(b"abc")),
    "struct": field(12, 1, field(8, 1, b"\x00" * 4) + field(12, 2, b"\x00") + b"\x00"),
    "map": field(13, 1, b"\x0b\x08" + struct.pack(">i", 1) + text(b"k") + b"\x00" * 4),
    "empty map": field(13, 1, b"\x00\x00" + struct.pack(">i", 0)),
    "set": field(14, 1, b"\x08" + struct.pack(">i", 2) + b"\x00" * 8),
    "list": field(15, 1, b"\x0b" + struct.pack(">i", 2) + text(b"a") + text(b"")),
    "known number of another type": field(8, 340, b"\x00" * 4),
    "headers that are no texts": field(15, 350, b"\x08" + struct.pack(">i", 1) + b"\x00" * 4),
}


@pytest.mark.parametrize("extra", STRANGE.values(), ids=STRANGE)
def test_unknown_fields_are_skipped_wherever_they_stand(extra):
    """A later version of the struct can be read; cut inside such a field it is refused as well."""
    assert decode(extra + encode(FULL)) == FULL
    assert decode(encode(FULL)[:-1] + extra + b"\x00") == FULL
    for length in range(1, len(extra)):
        with pytest.raises(PayloadRecordError):
            decode(extra[:length])


def test_fields_in_another_order():
    record = (
        field(11, 340, text(b"body")) + field(10, 200, struct.pack(">q", 5)) + field(11, 100, text(b"ip")) + b"\x00"
    )
    assert decode(record) == CollectorPayload(schema=None, encoding=None, body="body", timestamp=5, ip_address="ip")


def test_bytes_after_the_end_are_ignored():
    assert decode(encode(FULL) + b"rubbish") == FULL


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b"", END),
        (b"\x0b", END),
        (b"\x54\x00\x01", "error deserializing raw event: Unrecognized type 84"),
        (b"\x01\x00\x01", "error deserializing raw event: Unrecognized type 1"),
        (b"\x84\x00\x01", "error deserializing raw event: Unrecognized type -124"),
        (field(15, 1, b"\x54" + struct.pack(">i", 1)), "error deserializing raw event: Unrecognized type 84"),
        (field(11, 340, struct.pack(">i", -5)), "error deserializing raw event: Negative size: -5"),
        (field(11, 1, struct.pack(">i", -1)), "error deserializing raw event: Negative size: -1"),
        (field(15, 350, b"\x0b" + struct.pack(">i", -2)), "error deserializing raw event: Negative size: -2"),
        (field(15, 350, b"\x0b" + struct.pack(">ii", 1, -3)), "error deserializing raw event: Negative size: -3"),
        (field(14, 1, b"\x0b" + struct.pack(">i", -2)), "error deserializing raw event: Negative size: -2"),
        (field(13, 1, b"\x0b\x0b" + struct.pack(">i", -2)), "error deserializing raw event: Negative size: -2"),
        (field(11, 340, struct.pack(">i", 2**31 - 1)), END),
        (field(15, 350, b"\x0b" + struct.pack(">i", 2**31 - 1)), END),
        (field(15, 1, b"\x02" + struct.pack(">i", 2**31 - 1)), END),
        (b"\x0c\x00\x01" * 200, "error deserializing raw event: Maximum skip depth exceeded"),
        (b"VGhyaWZ0", "error deserializing raw event: Unrecognized type 86"),
    ],
)
def test_error_texts(record, message):
    with pytest.raises(PayloadRecordError) as refused:
        decode(record)
    assert str(refused.value) == message


def test_another_schema_is_refused():
    other = "iglu:com.snowplowanalytics.snowplow/CollectorPayload/thrift/2-0-0"
    with pytest.raises(PayloadRecordError) as refused:
        decode(encode(CollectorPayload(schema=other)))
    assert str(refused.value) == (
        "verifying record as iglu:com.snowplowanalytics.snowplow/CollectorPayload/thrift/1-0-* failed: found " + other
    )
    later = PAYLOAD_SCHEMA[:-1] + "7"
    assert decode(encode(CollectorPayload(schema=later))).schema == later


@given(st.binary(max_size=200))
def test_random_bytes_are_a_payload_or_refused(record):
    try:
        decode(record)
    except PayloadRecordError as error:
        assert str(error).startswith(("error deserializing raw event: ", "verifying record as "))  # noqa: PT017


@given(st.data())
def test_damaged_records_are_a_payload_or_refused(data):
    record = bytearray(encode(FULL))
    for _ in range(data.draw(st.integers(1, 4))):
        record[data.draw(st.integers(0, len(record) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(record))
    except PayloadRecordError as error:
        assert str(error).startswith(("error deserializing raw event: ", "verifying record as "))  # noqa: PT017
