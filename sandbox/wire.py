"""The values that travel between the engine and a provider, as plain Python.

Unknown, secret and the other special values are written with signatures that every Pulumi SDK knows; they are
taken from the Python SDK (`pulumi.runtime.rpc`), not repeated here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

UNKNOWN: str = rpc.UNKNOWN
_SIGNATURE: str = rpc._special_sig_key
_SECRET: str = rpc._special_secret_sig


Object = dict[str, Any]


def decode(struct: struct_pb2.Struct) -> Object:
    """A message's properties; whole numbers become int, nulls in objects are dropped (absent means the same)."""
    decoded = {}
    for key, item in struct.fields.items():
        value = _decode(item)
        if value is not None:
            decoded[key] = value
    return decoded


def _decode(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "struct_value":
        return decode(value.struct_value)
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    if kind == "number_value":
        number = float(value.number_value)
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    return None


def encode(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Properties as a message. Raises ValueError for what is not JSON."""
    struct = struct_pb2.Struct()
    struct.update(values)
    return struct


def secret(value: Any) -> Any:
    """The value marked as a secret; one that is marked already stays as it is."""
    return value if is_secret(value) else {_SIGNATURE: _SECRET, "value": value}


def is_secret(value: Any) -> bool:
    """Whether this very value is marked as a secret."""
    return isinstance(value, dict) and value.get(_SIGNATURE) == _SECRET


def has_secret(value: Any) -> bool:
    """Whether the value or anything inside it is marked as a secret."""
    if isinstance(value, dict):
        return is_secret(value) or any(has_secret(item) for item in value.values())
    return isinstance(value, list) and any(has_secret(item) for item in value)


def plain(value: Any) -> Any:
    """The value without marks of secrecy, at any depth."""
    if isinstance(value, dict):
        return plain(value.get("value")) if is_secret(value) else {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def is_unknown(value: Any) -> bool:
    """Whether this very value is not known yet."""
    return isinstance(value, str) and value == UNKNOWN


def has_unknown(value: Any) -> bool:
    """Whether the value or anything inside it is not known yet (only in previews)."""
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return is_unknown(value)
