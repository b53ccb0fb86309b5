"""Judges arguments by facts and rules: unknown, missing, wrongly typed, out of range. Unknown values always pass."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sandbox.clouds import paths, places
from sandbox.clouds.behaviour import Behaviour, Rule
from sandbox.clouds.schema import PackageFacts, Properties, Property
from sandbox.wire import has_unknown, is_unknown


@dataclass(frozen=True)
class Failure:
    """One thing that is wrong with the arguments."""

    property: str
    reason: str


_SPOKEN = {"type": "an object", "map": "a map", "list": "a list", "object": "an object", "string": "a string"}
_SPOKEN |= {"integer": "a whole number", "number": "a number", "boolean": "true or false"}


@dataclass(frozen=True)
class Validator:
    """Judges one package's arguments. Bridged providers convert scalars ("5" is a number); azure-native does not."""

    facts: PackageFacts
    converts: bool

    def judge(self, properties: Properties, behaviour: Behaviour, inputs: Mapping[str, Any]) -> list[Failure]:
        """Everything that is wrong with these (plain) arguments."""
        failures = list(self._object(properties, inputs, "", reserved=True))
        if not failures:
            failures.extend(_groups(behaviour, inputs))
        for rule in behaviour.rules:
            failures.extend(_rule(rule, inputs))
        return failures

    def _object(
        self, properties: Properties, value: Mapping[str, Any], path: str, *, reserved: bool = False
    ) -> Iterator[Failure]:
        arguments = [name for name, prop in properties.items() if not prop.output]
        for name, item in value.items():
            here = f"{path}.{name}" if path else name
            prop = properties.get(name)
            if prop is None or prop.output:
                if not (reserved and name.startswith("__")):
                    yield Failure(here, _unknown_argument(name, arguments, prop))
            elif item is not None:
                yield from self._value(prop, item, here)
        for name, prop in properties.items():
            if prop.required and value.get(name) is None:
                here = f"{path}.{name}" if path else name
                yield Failure(here, f"missing required property '{here}'")

    def _value(self, prop: Property, value: Any, path: str) -> Iterator[Failure]:
        if is_unknown(value) or prop.kind == "any" or (prop.kind == "object" and isinstance(value, dict)):
            return
        if not self._fits(prop.kind, value):
            yield Failure(path, f"expected {_SPOKEN[prop.kind]}, got {_describe(value)}")
            return
        match prop.kind:
            case "type":
                inside = self.facts.inside(prop)
                if inside is not None:
                    yield from self._object(inside, value, path)
            case "list":
                for number, item in enumerate(value):
                    if prop.item is not None and item is not None:
                        yield from self._value(prop.item, item, f"{path}[{number}]")
            case "map":
                for key, item in value.items():
                    if prop.item is not None and item is not None:
                        yield from self._value(prop.item, item, f"{path}.{key}")
            case _:
                yield from _constraints(prop, value, path)

    def _fits(self, kind: str, value: Any) -> bool:
        match kind:
            case "string":
                return isinstance(value, str) or (self.converts and isinstance(value, (bool, int, float)))
            case "boolean":
                return isinstance(value, bool) or (self.converts and value in ("true", "false"))
            case "integer":
                return _number(value, int, converts=self.converts)
            case "number":
                return _number(value, float, converts=self.converts)
            case "list":
                return isinstance(value, list)
            case _:
                return isinstance(value, dict)


def _number(value: Any, to: Callable[[Any], Any], *, converts: bool) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return to is float or float(value).is_integer()
    if not converts or not isinstance(value, str):
        return False
    try:
        to(value)
    except ValueError:
        return False
    return True


def _describe(value: Any) -> str:
    kinds = {
        dict: "an object",
        list: "a list",
        bool: "true or false",
        str: "the string",
        int: "the number",
        float: "the number",
    }
    kind = kinds.get(type(value), "null")
    return f"{kind} {value!r}" if isinstance(value, (str, int, float)) and not isinstance(value, bool) else kind


def _unknown_argument(name: str, arguments: list[str], prop: Property | None) -> str:
    if prop is not None:
        return f"'{name}' is an output: it can't be configured"
    near = get_close_matches(name, arguments, n=1, cutoff=0.6)
    hint = f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(sorted(arguments))}" if arguments else ""
    return f"unknown property '{name}'{hint}"


def _constraints(prop: Property, value: Any, path: str) -> Iterator[Failure]:
    if prop.enum and value not in prop.enum:
        yield Failure(path, _not_in(value, prop.enum))
    if isinstance(value, str):
        if prop.min_length is not None and len(value) < prop.min_length:
            yield Failure(path, f"'{path}' is too short ({len(value)}): at least {prop.min_length} characters required")
        if prop.max_length is not None and len(value) > prop.max_length:
            yield Failure(path, f"'{path}' is too long ({len(value)}): at most {prop.max_length} characters allowed")
        if prop.pattern is not None and not prop.pattern.search(value):
            yield Failure(path, f"'{value}' does not match expression '{prop.pattern.pattern}'")
    else:
        yield from _range(value, prop.minimum, prop.maximum, path)


def _range(value: Any, low: float | None, high: float | None, path: str) -> Iterator[Failure]:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return
    if low is not None and number < low:
        yield Failure(path, f"expected {path} to be at least {low:g}, got {number:g}")
    if high is not None and number > high:
        yield Failure(path, f"expected {path} to be at most {high:g}, got {number:g}")


def _not_in(value: Any, allowed: tuple[Any, ...]) -> str:
    near = get_close_matches(str(value), [str(a) for a in allowed], n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"expected one of {', '.join(str(a) for a in allowed)}, got {value!r}{hint}"


def _groups(behaviour: Behaviour, inputs: Mapping[str, Any]) -> Iterator[Failure]:
    for group in behaviour.exclusive:
        present = [name for name in group if inputs.get(name) is not None]
        if len(present) > 1:
            yield Failure(present[1], f"conflicting arguments: '{present[0]}' conflicts with '{present[1]}'")
    for group in behaviour.one_of:
        if all(inputs.get(name) is None for name in group):
            yield Failure(group[0], f"one of {', '.join(repr(name) for name in group)} must be specified")


def _rule(rule: Rule, inputs: Mapping[str, Any]) -> Iterator[Failure]:
    for value in paths.every(inputs, rule.path):
        if value is None or has_unknown(value):
            continue
        reason = _broken(rule, value)
        if reason:
            yield Failure(rule.path, reason)


def _broken(rule: Rule, value: Any) -> str | None:
    """Why a value breaks a rule, or None."""
    if rule.enum and value not in rule.enum and str(value) not in {str(e) for e in rule.enum}:
        return _not_in(value, rule.enum)
    text = str(value)
    if rule.pattern and not rule.pattern.search(text):
        return f"invalid value {text!r}: expected {rule.message or f'a match of {rule.pattern.pattern}'}"
    if rule.min_length is not None and len(text) < rule.min_length:
        return f"expected at least {rule.min_length} characters, got {len(text)}"
    if rule.max_length is not None and len(text) > rule.max_length:
        return f"expected at most {rule.max_length} characters, got {len(text)}"
    out_of_range = next(_range(value, rule.minimum, rule.maximum, rule.path), None)
    if out_of_range:
        return out_of_range.reason
    return _FORMATS[rule.format](rule, text if isinstance(value, str) else value) if rule.format else None


def _cidr4(rule: Rule, value: Any) -> str | None:
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError as error:
        return f"invalid CIDR address {value!r}: {error}"
    if rule.prefix and not rule.prefix[0] <= network.prefixlen <= rule.prefix[1]:
        return f"invalid CIDR address {value}: expected a prefix of /{rule.prefix[0]} to /{rule.prefix[1]}"
    return None


def _cidr6(rule: Rule, value: Any) -> str | None:
    try:
        ipaddress.IPv6Network(value)
    except ValueError as error:
        return f"invalid CIDR address {value!r}: {error}"
    return None


def _json(rule: Rule, value: Any) -> str | None:
    if not isinstance(value, str):
        return None  # the bridge turns structures into JSON text by itself
    try:
        json.loads(value)
    except ValueError as error:
        return f"contains invalid JSON: {error}"
    return None


def _arn(rule: Rule, value: Any) -> str | None:
    ok = isinstance(value, str) and value.startswith("arn:") and value.count(":") >= 5
    return None if ok else f"({value}) is an invalid ARN: arn: invalid prefix"


def _region(package: str) -> Callable[[Rule, Any], str | None]:
    return lambda rule, value: places.unknown_region(package, str(value))


def _gcp_location(rule: Rule, value: Any) -> str | None:
    """A region, a zone, or one of the places without region ("global", "eu")."""
    text = str(value)
    region, _, _ = text.rpartition("-")
    if text.lower() in ("global", "us", "eu", "asia") or text in places.zones("gcp", region):
        return None
    return places.unknown_region("gcp", text)


_FORMATS: Mapping[str, Callable[[Rule, Any], str | None]] = {
    "cidr4": _cidr4,
    "cidr6": _cidr6,
    "json": _json,
    "arn": _arn,
    "aws-region": _region("aws"),
    "azure-region": _region("azure-native"),
    "gcp-region": _region("gcp"),
    "gcp-location": _gcp_location,
}
