"""Writes small MaxMind databases, so that tests and benchmarks need no one else's data.

The format is MaxMind DB 2.0: a binary tree over address bits, a data section, metadata. Networks may not overlap.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MARKER = b"\xab\xcd\xefMaxMind.com"


def write_mmdb(path: Path, networks: Mapping[str, Mapping[str, Any]], database_type: str = "Test-City") -> Path:
    """Write a database of ``networks`` (``198.51.100.0/24``) to records, and return its path."""
    nodes: list[list[int | None]] = [[None, None]]  # children: node number, ~record number, or None
    data, offsets = b"", []
    for number, (text, record) in enumerate(networks.items()):
        offsets.append(len(data))
        data += _encoded(dict(record))
        network = ipaddress.ip_network(text)
        bits = f"{int(network.network_address):0{network.max_prefixlen}b}"[: network.prefixlen]
        if network.version == 4:
            bits = "0" * 96 + bits  # IPv4 lies in the first 96 zero bits of an IPv6 tree
        _place(nodes, bits, ~number)
    count = len(nodes)

    def pointer(child: int | None) -> int:
        if child is None:
            return count
        return child if child >= 0 else count + 16 + offsets[~child]

    tree = b"".join(struct.pack(">II", pointer(left), pointer(right)) for left, right in nodes)
    about = {
        "binary_format_major_version": _Uint(2, 16),
        "binary_format_minor_version": _Uint(0, 16),
        "build_epoch": _Uint(1_700_000_000, 64),
        "database_type": database_type,
        "description": {"en": "written by a test"},
        "ip_version": _Uint(6, 16),
        "languages": ["en"],
        "node_count": _Uint(count, 32),
        "record_size": _Uint(32, 16),
    }
    path.write_bytes(tree + bytes(16) + data + _MARKER + _encoded(about))
    return path


def _place(nodes: list[list[int | None]], bits: str, leaf: int) -> None:
    node = 0
    for bit in bits[:-1]:
        child = nodes[node][int(bit)]
        if child is None:
            nodes.append([None, None])
            child = nodes[node][int(bit)] = len(nodes) - 1
        if child < 0:
            raise ValueError("networks overlap")
        node = child
    nodes[node][int(bits[-1])] = leaf


class _Uint:
    def __init__(self, value: int, size: int) -> None:
        self.value = value
        self.kind = {16: 5, 32: 6, 64: 9}[size]


def _encoded(value: Any) -> bytes:
    if isinstance(value, dict):
        return _control(7, len(value)) + b"".join(_encoded(str(key)) + _encoded(item) for key, item in value.items())
    if isinstance(value, list):
        return _control(11, len(value)) + b"".join(_encoded(item) for item in value)
    if isinstance(value, str):
        text = value.encode()
        return _control(2, len(text)) + text
    if isinstance(value, bool):
        return _control(14, int(value))
    if isinstance(value, float):
        return _control(3, 8) + struct.pack(">d", value)
    if isinstance(value, int):
        value = _Uint(value, 32)
    if isinstance(value, _Uint):
        digits = value.value.to_bytes((value.value.bit_length() + 7) // 8, "big")
        return _control(value.kind, len(digits)) + digits
    raise TypeError(f"a MaxMind database holds no {type(value).__name__}")


def _control(kind: int, size: int) -> bytes:
    if size < 29:
        low, rest = size, b""
    elif size < 285:
        low, rest = 29, bytes([size - 29])
    else:
        low, rest = 30, struct.pack(">H", size - 285)
    if kind > 7:
        return bytes([low, kind - 7]) + rest
    return bytes([kind << 5 | low]) + rest
