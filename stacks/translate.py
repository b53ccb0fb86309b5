"""Data of a YAML file to a model, and pydantic's findings to plain words with file, line and key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network, ip_network
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from stacks.documents import Document, KeyPath
from stacks.errors import ConfigError, near_miss, one_of, shown

ModelT = TypeVar("ModelT", bound=BaseModel)


def validate(model: type[ModelT], document: Document, path: KeyPath = ()) -> tuple[ModelT | None, list[ConfigError]]:
    """The model made from what stands at `path`, or the problems that prevent it.

    Nothing is converted on the quiet: a number is not text, and text is not a number.
    """
    data = document.data
    for step in path:
        data = data[step]
    try:
        # JSON mode is strict on types and still reads enumerations, address ranges and tuples from text and lists.
        return model.model_validate_json(json.dumps(data, default=str), strict=True), []
    except ValidationError as error:
        return None, [_problem(model, document, path, details) for details in error.errors(include_url=False)]


@dataclass(frozen=True)
class Source(Generic[ModelT]):
    """A model and where it was read, for problems that show only beside others."""

    model: ModelT
    document: Document
    path: KeyPath = ()
    hidden: int = 0
    """How many steps of `path` a reader need not see in keys."""

    def error(self, key: str, problem: str, *, accepted: str = "", near: str = "") -> ConfigError:
        """A problem with the value at `key` (dotted) of this model. "{value}" in `problem` is that value, masked."""
        whole = (*self.path, *(int(step) if step.isdigit() else step for step in key.split(".") if step))
        name = key_of(self.document, whole, self.hidden)
        written = self.document.written(whole)
        value = None if written is None else shown(name, written)
        return ConfigError(
            file=self.document.name,
            line=self.document.line(whole),
            key=name,
            value=value,
            problem=problem.replace("{value}", value or "the default"),
            accepted=accepted,
            near=near,
        )


def key_of(document: Document, path: KeyPath, hidden: int = 0) -> str:
    """`path` without its first `hidden` steps, as people write it: entries of lists by their own name."""
    data = document.data
    key = ""
    for position, step in enumerate(path):
        data = _inside(data, step)
        if position < hidden:
            continue
        if isinstance(step, int):
            named = data.get("name") if isinstance(data, dict) else None
            key += f".{named}" if isinstance(named, str) else f"[{step}]"
        else:
            key += f".{step}" if key else step
    return key.lstrip(".")


def _inside(data: Any, step: str | int) -> Any:
    try:
        return data[step]
    except (KeyError, IndexError, TypeError):
        return None


def _problem(model: type[BaseModel], document: Document, path: KeyPath, details: ErrorDetails) -> ConfigError:
    location = details["loc"]
    whole = (*path, *location)
    written = document.written(whole)
    key = key_of(document, whole, len(path))
    value = None if written is None else shown(key, written)
    annotation, description = _expected(model, location)
    problem, accepted, near = _words(details, annotation, description, value)
    if details["type"] == "extra_forbidden":
        problem = "unknown key"  # and nothing of its value, which may be anything
        fields = _fields(_expected(model, location[:-1])[0])
        accepted, near, value = one_of(fields), near_miss(str(location[-1]), fields), None
    return ConfigError(
        file=document.name,
        line=document.line(whole),
        key=key,
        value=value,
        problem=problem,
        accepted=accepted,
        near=near,
    )


def _words(details: ErrorDetails, annotation: Any, description: str, value: str | None) -> tuple[str, str, str]:
    """Problem, what is accepted, and what was probably meant."""
    limits = details.get("ctx", {})
    if details["type"] == "missing":
        return "is missing", description or _kind(annotation), ""
    if details["input"] is None:
        return "has no value", description or _kind(annotation), ""
    value = value or _what(details["input"])
    match details["type"]:
        case "enum":
            members = [str(member.value) for member in annotation]
            return f"{value} is not accepted", ", ".join(members), near_miss(value, members)
        case "greater_than_equal":
            return f"{value} is too small", f"{limits['ge']} or more", ""
        case "less_than_equal":
            return f"{value} is too large", f"{limits['le']} or less", ""
        case "too_short":
            return "is empty", f"at least {limits['min_length']}", ""
        case "string_type" if isinstance(details["input"], bool | int | float):
            # As it is written: YAML has made 1.3 of 1.30 and 8 of 010.
            kind = "true or false" if isinstance(details["input"], bool) else "a number"
            return f"must be text, but YAML reads {value} as {kind}", description, f'"{value}"'
        case "value_error":
            near = _aligned(details["input"]) if annotation is IPv4Network else ""
            return f"{value}: {limits['error']}" if near == "" else str(limits["error"]), description, near
        case kind if kind.startswith(("string_pattern", "string_too")):
            return f'"{value}" is not accepted', description, ""
    return f"{value} is not {_kind(annotation)}", description, ""


def _aligned(written: Any) -> str:
    """For 10.16.1.0/16, the range 10.16.0.0/16; nothing for what is no range or is aligned already."""
    try:
        aligned = str(ip_network(written, strict=False))
    except ValueError:
        return ""
    return "" if aligned == written else aligned


def _expected(annotation: Any, location: Sequence[str | int]) -> tuple[Any, str]:
    """The type at `location` inside a model, and its description in plain words."""
    description = ""
    for step in location:
        annotation, _ = _bare(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel) and step in annotation.model_fields:
            field = annotation.model_fields[str(step)]
            annotation, description = field.annotation, field.description or ""
        elif isinstance(step, int) and get_args(annotation):
            annotation, description = get_args(annotation)[0], ""
        else:
            return None, ""
    annotation, own = _bare(annotation)
    return annotation, description or own


def _bare(annotation: Any) -> tuple[Any, str]:
    """The type inside `Annotated` and `| None`, and the description found on the way."""
    description = ""
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *extras = get_args(annotation)
            description = description or next(_descriptions(extras), "")
        elif get_origin(annotation) in (Union, UnionType):
            annotation = next(part for part in get_args(annotation) if part is not NoneType)
        else:
            return annotation, description


def _descriptions(extras: Sequence[Any]) -> Iterator[str]:
    return (extra.description for extra in extras if isinstance(extra, FieldInfo) and extra.description)


def _fields(annotation: Any) -> list[str]:
    return list(annotation.model_fields) if _is_model(annotation) else []


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _kind(annotation: Any) -> str:
    if _is_model(annotation):
        return f"a mapping with the keys {one_of(_fields(annotation))}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "one of " + ", ".join(str(member.value) for member in annotation)
    if get_origin(annotation) in (tuple, list):
        return "a list"
    kinds = {
        str: "text",
        int: "a whole number",
        bool: "true or false",
        IPv4Network: "an IPv4 range such as 10.16.0.0/16",
    }
    return kinds.get(annotation, "accepted")


def _what(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else "this"
