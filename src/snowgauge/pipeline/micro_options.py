"""What Snowplow Micro is started with, in this package's settings: its configuration file, variables and folder.

The file is HOCON with Snowplow's names, its settings optionally inside ``collector {}`` and ``enrich {}``; keys of
``enrich`` that have no meaning here are dropped with a line in the log. The folder is laid out as ``/config`` of
Micro's image.
"""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from snowgauge.errors import SettingsError
from snowgauge.pipeline.micro import Certificate
from snowgauge.settings.load import Loaded, load
from snowgauge.telemetry.logs import logger

log = logger("micro")

REGISTRY_URL = "MICRO_IGLU_REGISTRY_URL"
REGISTRY_KEY = "MICRO_IGLU_API_KEY"
CERTIFICATE_PASSWORD = "MICRO_SSL_CERT_PASSWORD"  # noqa: S105 - the name of a variable
HTTP_PORT, HTTPS_PORT = 9090, 9543

_ENRICH = {
    "validation.acceptInvalid": "enrich.accept_invalid",
    "validation.maxJsonDepth": "enrich.max_json_depth",
    "validation.atomicFieldsLimits": "enrich.atomic_fields_limits",
    "validation.exitOnJsCompileError": "enrichments.exit_on_js_compile_error",
    "maxJsonDepth": "enrich.max_json_depth",
    "assetsUpdatePeriod": "enrichments.assets_update_period",
}
_YAUAA = {
    "schema": "iglu:com.snowplowanalytics.snowplow.enrichments/yauaa_enrichment_config/jsonschema/1-0-0",
    "data": {"vendor": "com.snowplowanalytics.snowplow.enrichments", "name": "yauaa_enrichment_config",
             "enabled": True, "parameters": {}},
}  # fmt: skip


class MicroOptions(msgspec.Struct, frozen=True):
    """Options of the command line that choose settings."""

    config: Path | None = None
    iglu: Path | None = None
    files: Path | None = None
    yauaa: bool = False
    https_port: int = HTTPS_PORT
    properties: Sequence[str] = ()


def settings_of(
    options: MicroOptions,
    environment: Mapping[str, str],
    scratch: Path,
    *,
    file: Path | None = None,
    flags: Sequence[str] = (),
) -> Loaded:
    """The settings of Micro mode: the deployment's own file and variables, Micro's over them, ``flags`` over all.

    ``scratch`` is an empty folder that lives as long as the process. Raises ``SettingsError``.
    """
    if options.files is not None and not options.files.is_dir():
        raise SettingsError(f"--files: {options.files} is not a folder")
    given = load(file=file, environment=environment, flags=flags).sources
    defaults = {
        "collector.port": str(HTTP_PORT),
        "enrichments.folder": "none",
        "enrich.processor_artifact": "snowplow-micro",
        "enrichments.assets_update_period": "5 minutes",
        "enrichments.exit_on_js_compile_error": "false",
        "iglu.cache_ttl": "60 seconds",
    }
    micro = [f"{key}={value}" for key, value in defaults.items() if key not in given]
    micro.append(f"common.data_dir={scratch / 'data'}")
    if options.config is not None:
        micro += _configuration(options.config)
    micro += [_property(text) for text in options.properties]
    if options.iglu is not None:
        micro.append(f"iglu.resolver={options.iglu}")
    registries, keys = _registries(options.files, environment)
    if registries:
        micro.append(f"iglu.registries={json.dumps(registries)}")
    if keys:
        micro.append(f"iglu.api_keys={json.dumps(keys)}")
    folder = _enrichments(options, scratch)
    if folder is not None:
        micro.append(f"enrichments.folder={folder}")
    return load(file=file, environment=environment, flags=[*micro, *flags])


def certificate(options: MicroOptions, environment: Mapping[str, str], scratch: Path) -> Certificate | None:
    """HTTPS, when ``MICRO_SSL_CERT_PASSWORD`` is set: the PKCS 12 file of the folder, as PEM files for the server."""
    password = environment.get(CERTIFICATE_PASSWORD)
    if password is None:
        return None
    file = (options.files or Path()) / "ssl-certificate.p12"
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs12

    try:
        content = file.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"{CERTIFICATE_PASSWORD} is set, but {file} cannot be read ({error.strerror}); put the certificate there, "
            "or name its folder with --files"
        ) from None
    try:
        key, own, others = pkcs12.load_key_and_certificates(content, password.encode())
    except ValueError:
        raise SettingsError(f"{file}: not a PKCS 12 file, or {CERTIFICATE_PASSWORD} is not its password") from None
    if key is None or own is None:
        raise SettingsError(f"{file} must hold a certificate and its private key")
    pem = serialization.Encoding.PEM
    chain = b"".join(each.public_bytes(pem) for each in (own, *others))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    paths = []
    for name, text in (("chain.pem", chain), ("key.pem", private)):
        path = scratch / name
        path.touch(mode=0o600)
        path.write_bytes(text)
        paths.append(path)
    return Certificate(paths[0], paths[1], options.https_port)


def _configuration(file: Path) -> Iterator[str]:
    from pyhocon import ConfigFactory
    from pyhocon.exceptions import ConfigException
    from pyparsing import ParseBaseException

    if not file.is_file():
        raise SettingsError(f"--config: {file} is not a file")
    try:
        tree = _plain(ConfigFactory.parse_file(str(file)).as_plain_ordered_dict())
    except ParseBaseException as error:  # its text is the whole grammar
        raise SettingsError(f"--config: {file} is not HOCON: line {error.lineno} column {error.column}") from None
    except (ConfigException, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise SettingsError(f"--config: {file} is not HOCON: {error}") from None
    enrich = tree.pop("enrich", {})
    collector = tree.pop("collector", tree)
    yield f"collector={json.dumps(collector)}"
    for key, value in _leaves(enrich):
        ours = _ENRICH.get(key)
        if ours is None:
            log.info("micro_setting_ignored", key=f"enrich.{key}")
        else:
            yield f"{ours}={value if isinstance(value, str) else json.dumps(value)}"


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        key = f"{above}{name}"
        if isinstance(value, Mapping) and key not in _ENRICH:
            yield from _leaves(value, f"{key}.")
        else:
            yield key, value


def _plain(value: Any) -> Any:
    """HOCON's durations come as objects; settings read them as text."""
    if isinstance(value, Mapping):
        return {str(key).strip('"'): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime.timedelta):
        return f"{value.total_seconds()} s"
    if type(value).__name__ == "relativedelta":  # what pyhocon makes of days and longer
        days = value.years * 365 + value.months * 30 + value.days
        return f"{days * 86400 + value.hours * 3600 + value.minutes * 60 + value.seconds} s"
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    raise ValueError(f"{value!r} is not a value that settings have")


def _property(text: str) -> str:
    """``collector.cookie.name=sp``, as Java's system properties over the configuration file."""
    key, equals, value = text.partition("=")
    if not equals or "." not in key:
        raise SettingsError(f"-D{text}: expected collector.name=value or enrich.name=value")
    section, _, rest = key.partition(".")
    ours = key if section == "collector" else _ENRICH.get(rest) if section == "enrich" else None
    if ours is None:
        raise SettingsError(f"-D{text}: there is no such setting; use --set for those of `snowgauge settings`")
    return f"{ours}={value}"


def _registries(files: Path | None, environment: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    registries, keys = [], {}
    url = environment.get(REGISTRY_URL)
    if url:
        registries.append(url)
        if environment.get(REGISTRY_KEY):
            keys[url] = environment[REGISTRY_KEY]
    embedded = None if files is None else files / "iglu-client-embedded"
    if embedded is not None and embedded.is_dir():
        registries.append(str(embedded))
    return registries, keys


def _enrichments(options: MicroOptions, scratch: Path) -> Path | None:
    """The folder of configurations; a copy with YAUAA added where that was asked for and is not configured."""
    folder = None if options.files is None else options.files / "enrichments"
    if folder is not None and not folder.is_dir():
        folder = None
    if not options.yauaa:
        return folder
    copy = scratch / "enrichments"
    if folder is None:
        copy.mkdir()
    else:
        shutil.copytree(folder, copy)
    if not any("yauaa_enrichment_config" in file.read_text("utf-8", "replace") for file in copy.glob("*.*")):
        (copy / "yauaa_enrichment_config.json").write_text(json.dumps(_YAUAA), "utf-8")
    return copy
