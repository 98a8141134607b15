"""Reads the files of an enrichments folder: strict JSON, HOCON, bare scripts. What they mean is ``configs``' subject.

A file that is strict JSON is read as such; anything else as HOCON (comments, trailing commas, ``${?NAME}``), as
enrich 6.10 does. Substitutions see the file's own values, then the environment that was handed over, nothing else.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import orjson

SUFFIXES = (".json", ".hocon", ".js", ".py")
_TOKEN = re.compile(r'"""(?:.*?)"{3,}|(?P<quoted>"(?:[^"\\\n]|\\.)*")|(?://|#)[^\n]*', re.DOTALL)
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})
JAVASCRIPT = "iglu:com.snowplowanalytics.snowplow/javascript_script_config/jsonschema/1-0-1"


class ConfigurationFile(msgspec.Struct):
    """One configuration: self-describing JSON and the file it came from. ``bare`` is true for a ``.js`` script."""

    path: Path
    json: Any
    bare: bool = False


class FileError(Exception):
    """A file that cannot be read, with its place where known; the text does not repeat the file's name."""


def listed(folder: Path) -> list[Path]:
    """The files of a folder that configure enrichments, by name; no subfolders, nothing hidden."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and path.suffix in SUFFIXES and not path.name.startswith((".", "_"))
    )


def read(path: Path, environment: Mapping[str, str]) -> ConfigurationFile:
    """Read a ``.json``, ``.hocon`` or ``.js`` file. Raises :class:`FileError`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"the file cannot be read: {error}") from error
    if path.suffix == ".js":
        script = base64.urlsafe_b64encode(text.encode()).decode()
        data = {
            "vendor": "com.snowplowanalytics.snowplow",
            "name": "javascript_script_config",
            "enabled": True,
            "parameters": {"script": script},
        }
        return ConfigurationFile(path, {"schema": JAVASCRIPT, "data": data}, bare=True)
    try:
        return ConfigurationFile(path, orjson.loads(text))
    except orjson.JSONDecodeError as error:
        return ConfigurationFile(path, _hocon(text, environment, error))


def _hocon(text: str, environment: Mapping[str, str], not_json: orjson.JSONDecodeError) -> Any:
    from pyhocon import ConfigFactory, ConfigParser
    from pyhocon.exceptions import ConfigException, ConfigMissingException, ConfigSubstitutionException
    from pyparsing import ParseBaseException

    class Parser(ConfigParser):  # type: ignore[misc] # pyhocon is untyped
        """Takes variables from the given environment where pyhocon would ask the process'."""

        @classmethod
        def _resolve_variable(cls, config: Any, substitution: Any) -> tuple[bool, Any]:
            try:
                return True, config.get(substitution.variable)
            except ConfigMissingException:
                value = environment.get(substitution.variable)
            if value is None and not substitution.optional:
                raise ConfigSubstitutionException(
                    f"${{{substitution.variable}}} is set neither in the file nor in the environment"
                )
            return value is not None, value

    try:
        config = ConfigFactory.parse_string(_TOKEN.sub(_without_rare_escapes, text), resolve=False)
        Parser.resolve_substitutions(config)
        return _plain(config)
    except ConfigSubstitutionException as error:
        raise FileError(str(error)) from error
    except ParseBaseException as error:  # its text is the whole grammar
        raise _neither(not_json, f"line {error.lineno} column {error.column}") from error
    except (ConfigException, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _neither(not_json, str(error) or type(error).__name__) from error


def _without_rare_escapes(token: re.Match[str]) -> str:
    r"""A quoted text without ``\u00e9`` and ``\/``, which pyhocon leaves as they are."""
    quoted = token["quoted"]
    if not quoted or "\\" not in quoted:
        return token[0]
    try:
        return f'"{json.loads(quoted, strict=False).translate(_ESCAPED)}"'
    except ValueError:
        return quoted  # an escape that JSON does not know, such as \# of a properties file


def _neither(not_json: orjson.JSONDecodeError, not_hocon: str) -> FileError:
    return FileError(
        f"neither JSON ({not_json.msg}, line {not_json.lineno} column {not_json.colno}) nor HOCON ({not_hocon})"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key).strip('"'): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
