"""Templates of the behaviour data: `"arn:{partition}:ec2:{region}:{account}:vpc/{id}"`.

A placeholder is a list of alternatives, `{in.version|1.35}`: the first that has a value counts; what is no known word
is literal text. A template that is one placeholder keeps the value's type. `{{` and `}}` are braces.
`sandbox/data/README.md` lists the words.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import ipaddress
import re
import uuid
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sandbox.clouds import paths, places
from sandbox.clouds.account import Account
from sandbox.clouds.paths import MISSING
from sandbox.cluster_host import ClusterEndpoint
from sandbox.wire import UNKNOWN, is_secret, is_unknown, secret

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")


@dataclass(kw_only=True)
class Context:
    """What a template may speak of."""

    account: Account
    logical: str = ""
    id: str = ""
    name: str | None = None
    seed: str = ""
    """What random-looking values follow from: the same seed gives the same values."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    endpoint: ClusterEndpoint | None = None
    referred: Callable[[str], Any] = lambda path: MISSING
    """Value at `<reference path>.<output path>` of the resource that is referred to."""

    @property
    def region(self) -> str:
        """The resource's own region argument, or the provider's."""
        own = self.inputs.get("region")
        return own if isinstance(own, str) and own else self.account.region


@cache
def _parse(template: str) -> tuple[str | tuple[str, ...], ...]:
    """Literal pieces (str) and placeholders (tuples of alternatives)."""
    pieces: list[str | tuple[str, ...]] = []
    at = 0
    for match in _PLACEHOLDER.finditer(template):
        pieces.append(template[at : match.start()])
        pieces.append(match.group(0)[0] if match.group(1) is None else tuple(match.group(1).split("|")))
        at = match.end()
    pieces.append(template[at:])
    return tuple(piece for piece in pieces if piece != "")


def _hex(context: Context, salt: str, length: int) -> str:
    digest = hashlib.shake_128(f"{context.seed}/{salt}".encode())
    return digest.hexdigest((length + 1) // 2)[:length]


def _number(context: Context, salt: str) -> int:
    return int(_hex(context, salt, 16), 16)


def _ip(context: Context, salt: str) -> str:
    """An address of 198.18.0.0/15, which is for tests only (RFC 2544)."""
    number = _number(context, salt) % (1 << 17)
    return f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def _cluster(endpoint: ClusterEndpoint | None, field_name: str) -> Any:
    if endpoint is None:
        return MISSING
    values = {
        "url": endpoint.url,
        "address": endpoint.address,
        "host": endpoint.address.rsplit(":", 1)[0],
        "ca_base64": base64.b64encode(endpoint.ca_pem.encode()).decode(),
        "version": endpoint.version,
        "minor": ".".join(endpoint.version.removeprefix("v").split(".")[:2]),
    }
    return values[field_name]


def _tags_all(context: Context, argument: str) -> Any:
    own = _reveal(context.inputs.get(argument))
    if is_unknown(own):
        return UNKNOWN
    merged = {**context.account.tags, **(own if isinstance(own, dict) else {})}
    return secret(merged) if is_secret(context.inputs.get(argument)) else merged


def _reveal(value: Any) -> Any:
    return _reveal(value.get("value")) if is_secret(value) else value


def _through(value: Any, path: str) -> Any:
    """The value at a path, looking into secrets; what is inside a secret comes out as a secret."""
    hidden = False
    for step in path.split("."):
        if is_secret(value):
            hidden, value = True, _reveal(value)
        if is_unknown(value):
            return UNKNOWN
        value = paths.get(value, step)
        if value is MISSING:
            return MISSING
    return secret(value) if hidden else value


def _word(expression: str, context: Context, salt: str) -> Any:
    """The value of one alternative, or MISSING."""
    head, _, argument = expression.partition(":")
    root, _, rest = head.partition(".")
    match root:
        case "in":
            return _through(context.inputs, rest)
        case "out":
            return _through(context.outputs, rest)
        case "ref":
            return context.referred(rest)
        case "cluster":
            return _cluster(context.endpoint, rest)
        case "id" | "logical":
            return getattr(context, root) or MISSING
        case "name":
            return context.name if context.name is not None else MISSING
        case "account" | "project":
            own = context.inputs.get("project") if context.account.package == "gcp" else None
            return own or context.account.account or MISSING
        case "region":
            return context.region or MISSING
        case "first_zone":
            return places.zones(context.account.package, context.region)[0]
        case "zone" | "tenant" | "partition" | "project_number":
            return getattr(context.account, root) or MISSING
        case "next":
            before = _word(argument, context, salt)
            return before + 1 if isinstance(before, int) else 1
        case "now":
            return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case "hex":
            return _hex(context, salt, int(argument))
        case "HEX":
            return _hex(context, salt, int(argument)).upper()
        case "digits":
            smallest = 10 ** (int(argument) - 1)
            return str(smallest + _number(context, salt) % (9 * smallest))
        case "byte":
            return str(_number(context, salt + argument) % 254 + 1)
        case "uuid":
            return str(uuid.UUID(_hex(context, salt, 32), version=4))
        case "ip":
            return _ip(context, "ip")
        case "tags_all":
            return _tags_all(context, argument or "tags")
        case "crc" | "host" | "last" | "lower" | "gateway" | "zones" | "agent" | "zone_id" | "zone_name":
            return _changed(root, _word(argument, context, salt), context.account.package)
        case _:
            return MISSING


def _changed(how: str, value: Any, package: str) -> Any:
    if value is MISSING or is_unknown(value):
        return value
    if is_secret(value):
        return secret(_changed(how, _reveal(value), package))
    text = str(value)
    match how:
        case "crc":
            return str(zlib.crc32(text.encode()))
        case "host":
            return text.split("://", 1)[-1].rstrip("/")
        case "last":
            return text.rstrip("/").rsplit("/", 1)[-1]
        case "gateway":
            return str(ipaddress.ip_network(text, strict=False)[1])
        case "zones":
            return places.zones(package, text)
        case "agent":
            return places.service_agent(text)
        case "zone_id":
            return places.zone_id(text)
        case "zone_name":
            return places.zone_name(text)
        case _:
            return text.lower()


_WORDS = frozenset(
    [
        "in",
        "out",
        "ref",
        "cluster",
        "id",
        "logical",
        "name",
        "account",
        "project",
        "region",
        "first_zone",
        "zone",
        "tenant",
        "partition",
        "project_number",
        "next",
        "now",
        "hex",
        "HEX",
        "digits",
        "byte",
        "uuid",
        "ip",
        "tags_all",
        "crc",
        "host",
        "last",
        "lower",
        "gateway",
        "zones",
        "agent",
        "zone_id",
        "zone_name",
    ]
)


def _alternatives(expressions: tuple[str, ...], context: Context, salt: str) -> Any:
    for expression in expressions:
        root = re.split(r"[.:]", expression, maxsplit=1)[0]
        if root not in _WORDS:
            return expression
        value = _word(expression, context, salt)
        if value is not MISSING:
            return value
    return MISSING


def _text(template: str, context: Context, salt: str) -> Any:
    pieces = _parse(template)
    if len(pieces) == 1 and isinstance(pieces[0], tuple):
        return _alternatives(pieces[0], context, salt)
    out, hidden = [], False
    for number, piece in enumerate(pieces):
        value = piece if isinstance(piece, str) else _alternatives(piece, context, f"{salt}#{number}")
        if value is MISSING:
            return MISSING
        if is_secret(value):
            hidden, value = True, _reveal(value)
        if is_unknown(value):
            return UNKNOWN
        out.append(str(value))
    return secret("".join(out)) if hidden else "".join(out)


def render(template: Any, context: Context, salt: str = "") -> Any:
    """The value of a template (text, or a structure of templates), or MISSING when a placeholder has none."""
    if isinstance(template, str):
        return _text(template, context, salt)
    if isinstance(template, Mapping):
        filled = {key: render(value, context, f"{salt}.{key}") for key, value in template.items()}
        return {key: value for key, value in filled.items() if value is not MISSING}
    if isinstance(template, list):
        items = [render(value, context, f"{salt}.{number}") for number, value in enumerate(template)]
        return [value for value in items if value is not MISSING]
    return template


def words(template: Any) -> list[str]:
    """All alternatives of all placeholders, for the data's self-check."""
    if isinstance(template, str):
        return [word for piece in _parse(template) if isinstance(piece, tuple) for word in piece]
    if isinstance(template, Mapping):
        return [word for value in template.values() for word in words(value)]
    if isinstance(template, list):
        return [word for value in template for word in words(value)]
    return []
