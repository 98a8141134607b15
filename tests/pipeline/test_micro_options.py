"""What Snowplow Micro is started with means the same here."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from snowgauge.errors import SettingsError
from snowgauge.pipeline.micro_options import MicroOptions, certificate, settings_of


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Settings of Micro mode for some options, environment and flags."""
    monkeypatch.chdir(tmp_path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def read(environment=None, flags=(), file=None, **options):
        return settings_of(MicroOptions(**options), environment or {}, scratch, flags=flags, file=file).settings

    read.scratch = scratch
    return read


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_defaults_are_micros(read) -> None:
    settings = read()
    assert settings.collector.port == 9090
    assert settings.enrichments.folder == "none"
    assert settings.enrich.processor_artifact == "snowplow-micro"
    assert settings.common.data_dir == read.scratch / "data"
    assert (settings.iglu.cache_size, settings.iglu.cache_ttl) == (500, timedelta(seconds=60))
    assert settings.enrichments.assets_update_period == timedelta(minutes=5)
    assert not settings.enrichments.exit_on_js_compile_error
    assert read(properties=["enrich.validation.exitOnJsCompileError=true"]).enrichments.exit_on_js_compile_error


def test_a_deployments_own_settings_hold_too(read, tmp_path) -> None:
    file = write(tmp_path / "own.toml", "[collector]\nport = 1234\n[enrich]\naccept_invalid = true\n")
    settings = read({"SNOWPLOW_COLLECTOR__COOKIE__NAME": "own"}, file=file)
    assert (settings.collector.port, settings.collector.cookie.name) == (1234, "own")
    assert settings.enrich.accept_invalid
    assert read({"SNOWPLOW_COLLECTOR__PORT": "4321"}, flags=["collector.port=5678"]).collector.port == 5678


@pytest.mark.parametrize("nested", [True, False])
def test_micros_configuration_file(read, tmp_path, nested) -> None:
    collector = 'interface = "127.0.0.1", port = 9191, cookie { name = "sp2", sameSite = "Lax", expiration = 10 days }'
    text = f"collector {{ {collector} }}" if nested else collector
    enrich = (
        "enrich { validation { acceptInvalid = true, maxJsonDepth = 7, atomicFieldsLimits { app_id = 5 } }\n"
        ' assetsUpdatePeriod = "5 minutes", experimental { metadata = null } }'
    )
    settings = read(config=write(tmp_path / "micro.conf", f"{text}\n{enrich}"))
    cookie = settings.collector.cookie
    assert (settings.collector.interface, settings.collector.port) == ("127.0.0.1", 9191)
    assert (cookie.name, cookie.same_site, cookie.expiration) == ("sp2", "Lax", timedelta(days=10))
    assert (settings.enrich.accept_invalid, settings.enrich.max_json_depth) == (True, 7)
    assert settings.enrich.atomic_fields_limits == {"app_id": 5}
    assert settings.enrichments.assets_update_period == timedelta(minutes=5)


def test_properties_stand_over_the_file_and_flags_over_both(read, tmp_path) -> None:
    config = write(tmp_path / "micro.conf", 'collector { cookie { name = "file" }, port = 1 }')
    properties = ["collector.cookie.name=property", "collector.port=2", "enrich.validation.acceptInvalid=true"]
    settings = read(config=config, properties=properties, flags=["collector.port=3"])
    assert (settings.collector.cookie.name, settings.collector.port) == ("property", 3)
    assert settings.enrich.accept_invalid


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"config": "none.conf"}, "none.conf is not a file"),
        ({"files": "none"}, "--files: .*none is not a folder"),
        ({"properties": ["collector.port"]}, "-Dcollector.port: expected"),
        ({"properties": ["enrich.nothing=1"]}, "there is no such setting"),
        ({"properties": ["collector.no_such=1"]}, "collector.no_such: there is no such setting"),
    ],
)
def test_what_is_wrong_is_named(read, tmp_path, options, text) -> None:
    options = {key: tmp_path / value if key != "properties" else value for key, value in options.items()}
    with pytest.raises(SettingsError, match=text):
        read(**options)


def test_a_file_that_is_no_hocon_is_named(read, tmp_path) -> None:
    with pytest.raises(SettingsError, match="is not HOCON"):
        read(config=write(tmp_path / "micro.conf", "collector { port = "))


def test_registries(read, tmp_path) -> None:
    embedded = tmp_path / "config" / "iglu-client-embedded"
    write(embedded / "schemas/com.acme/a/jsonschema/1-0-0", "{}")
    environment = {"MICRO_IGLU_REGISTRY_URL": "http://127.0.0.1:1/api", "MICRO_IGLU_API_KEY": "secret"}
    settings = read(environment, files=tmp_path / "config")
    assert settings.iglu.registries == ["http://127.0.0.1:1/api", str(embedded)]
    assert settings.iglu.api_keys["http://127.0.0.1:1/api"].get_secret_value() == "secret"
    assert read(iglu=tmp_path / "iglu.json").iglu.resolver == tmp_path / "iglu.json"


def test_enrichments_of_the_folder(read, tmp_path) -> None:
    write(tmp_path / "config/enrichments/ip.json", "{}")
    assert read(files=tmp_path / "config").enrichments.folder == str(tmp_path / "config/enrichments")
    with_yauaa = read(files=tmp_path / "config", yauaa=True).enrichments.folder
    assert with_yauaa == str(read.scratch / "enrichments")
    made = json.loads((read.scratch / "enrichments/yauaa_enrichment_config.json").read_text())
    assert made["data"]["enabled"] is True
    assert (read.scratch / "enrichments/ip.json").exists()


def test_a_configured_yauaa_stays_as_it_is(read, tmp_path) -> None:
    write(tmp_path / "config/enrichments/own.json", '{"name": "yauaa_enrichment_config"}')
    read(files=tmp_path / "config", yauaa=True)
    assert [file.name for file in (read.scratch / "enrichments").iterdir()] == ["own.json"]


def pkcs12_file(path, password):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(b"micro", key, made, None, BestAvailableEncryption(password))
    )


def test_https_comes_with_the_password_of_the_certificate(tmp_path) -> None:
    options = MicroOptions(files=tmp_path / "config")
    password = {"MICRO_SSL_CERT_PASSWORD": "changeit"}
    assert certificate(options, {}, tmp_path) is None
    with pytest.raises(SettingsError, match=r"ssl-certificate\.p12 cannot be read"):
        certificate(options, password, tmp_path)
    pkcs12_file(tmp_path / "config/ssl-certificate.p12", b"changeit")
    found = certificate(options, password, tmp_path)
    assert found is not None
    assert found.port == 9543
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(SettingsError, match="is not its password"):
        certificate(options, {"MICRO_SSL_CERT_PASSWORD": "other"}, tmp_path)
