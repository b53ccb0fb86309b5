"""Reads resource and nested types from the source text of an installed Pulumi SDK, without importing it.

The SDKs are generated, so their text is regular: a resource class passes its token to the base constructor, argument
classes list their parameters in `__init__`, and getters carry the wire name of each property.
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sandbox.facts.model import Resource, Shape, Shapes, Types

_PRIMITIVES = {"str": "string", "bool": "boolean", "int": "integer", "float": "number"}
_API_VERSION = re.compile(r"Uses Azure REST API version ([\w-]+)\.")


class UnknownToken(Exception):
    """The installed SDK has no resource of this token."""


class Sdk:
    """One installed SDK, read type by type; nested types collect in `types`."""

    def __init__(self, package: str) -> None:
        self.package = package
        distribution = f"pulumi-{package}"
        module = distribution.replace("-", "_")
        spec = importlib.util.find_spec(module)
        if spec is None or not spec.submodule_search_locations:
            raise UnknownToken(f"{distribution} is not installed")
        self.root = Path(spec.submodule_search_locations[0])
        self.version = importlib.metadata.version(distribution)
        self.types: Types = {}

    def resource(self, token: str) -> Resource:
        """The resource of this token. Raises UnknownToken."""
        module = token.split(":")[1].split("/")[0]
        folder = self._folder(module)
        path = _tokens(folder).get(token)
        if path is None:
            raise UnknownToken(f"{token}: not found in {self.root.name} {self.version}")
        source = _source(path)
        resource = source.parsed(token.rsplit(":", 1)[1])
        arguments = self._arguments(resource, source, folder.name)
        given = {n: self._type(f.returns, folder.name, outputs=True) for n, f in _getter_functions(resource)}
        properties = _combine(arguments, given)
        for secret in _secret_outputs(resource):
            if secret in properties:
                properties[secret].flags.add("secret")
        version = _API_VERSION.search(ast.get_docstring(_methods(resource, "__init__")[0], clean=False) or "")
        source = f"pulumi-{self.package} {self.version}"
        return Resource(token, source, properties, api_version=version.group(1) if version else None)

    def _folder(self, module: str) -> Path:
        for name in (module, f"{module}_"):
            if (self.root / name).is_dir():
                return self.root / name
        raise UnknownToken(f"{self.root.name} has no module {module}")

    def _arguments(self, resource: ast.ClassDef, source: Source, module: str) -> Shapes:
        """Inputs, from the argument class (its wire names and which are required)."""
        init = _method(resource, "_internal_init")
        # A property called resource_name is spelt resource_name_ here, beside the logical name.
        wanted = {a.arg.rstrip("_") for a in init.args.args[2:] if a.arg not in ("opts", "__props__")}
        for name in source.classes:
            if name.endswith("Args") and not name.startswith("_"):
                node = source.parsed(name)
                if {a.arg.rstrip("_") for a in _method(node, "__init__").args.kwonlyargs} == wanted:
                    return self._argument_class(node, module)
        if not wanted:
            return {}
        raise UnknownToken(f"{resource.name}: no argument class with {sorted(wanted)}")

    def _argument_class(self, node: ast.ClassDef, module: str) -> Shapes:
        names = _wire_names(node)
        init = _method(node, "__init__")
        shapes: Shapes = {}
        for parameter, default in zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True):
            shape = Shape(self._type(parameter.annotation, module))
            if default is None:
                shape.flags.add("required")
            shapes[names.get(parameter.arg, parameter.arg)] = shape
        return shapes

    def _nested(self, class_name: str, module: str) -> str:
        """Register the nested input type `class_name` with the outputs that only its output twin has; its key."""
        key = f"{module}/{class_name.removesuffix('Args')}"
        if key in self.types:
            return key
        inputs = _source(self.root / module / "_inputs.py")
        if class_name not in inputs.classes:
            return ""
        self.types[key] = {}  # before descending: types may contain themselves
        shapes = self._argument_class(inputs.parsed(class_name), module)
        outputs = _source(self.root / module / "outputs.py")
        base = class_name.removesuffix("Args")
        twin = next((outputs.parsed(n) for n in (base, f"{base}Response") if n in outputs.classes), None)
        if twin is not None:
            # Only the outer shape: what is inside outputs comes from behaviour, not from facts.
            given = {n: self._type(f.returns, module, outputs=True) for n, f in _getter_functions(twin)}
            _combine(shapes, given)
        self.types[key] = shapes
        return key

    def _type(self, node: ast.expr | None, module: str, *, outputs: bool = False) -> str:
        """Type expression of an annotation such as `pulumi.Input[Optional[Sequence[pulumi.Input['XArgs']]]]`."""
        match node:
            case ast.Subscript(value=value, slice=inner):
                head = ast.unparse(value)
                match head:
                    case "pulumi.Input" | "Optional" | "pulumi.Output":
                        return self._type(inner, module, outputs=outputs)
                    case "Sequence":
                        return f"[{self._type(inner, module, outputs=outputs)}]"
                    case "Mapping" if isinstance(inner, ast.Tuple):
                        return f"{{{self._type(inner.elts[1], module, outputs=outputs)}}}"
                    case "Union" if isinstance(inner, ast.Tuple):
                        kinds = [self._type(e, module, outputs=outputs) for e in inner.elts]
                        return _union(kinds)
                return "any"
            case ast.Constant(value=str(text)):
                name = text.rsplit(".", 1)[-1]
                if outputs or text.startswith("outputs."):
                    return "object"
                if "." in text:
                    return "any"
                if not name.endswith("Args"):
                    return "string" if name in _source(self.root / module / "_enums.py").classes else "any"
                key = self._nested(name, module)
                return f"${key}" if key else "any"
            case ast.Attribute(attr=attr):
                return _PRIMITIVES.get(attr, "any")
            case _:
                return "any"


def _combine(shapes: Shapes, outputs: Mapping[str, str]) -> Shapes:
    """Add outputs (name -> type) to arguments, marking what is one but not the other."""
    for name, shape in shapes.items():
        if name not in outputs:
            shape.flags.add("input")
        elif shape.type.startswith("[") and outputs[name].startswith("{"):
            shape.flags.add("keyed")
    for name, kind in outputs.items():
        shapes.setdefault(name, Shape(kind, {"output"}))
    return shapes


def _union(kinds: list[str]) -> str:
    """`Union[str, Enum]` is a string; unions of unlike things are not judged."""
    distinct = list(dict.fromkeys(kinds))
    return distinct[0] if len(distinct) == 1 else "any"


_CLASS = re.compile(r"^class (\w+)", re.MULTILINE)


class Source:
    """A module's text. Only the classes that are asked for are parsed: some modules have 100,000 lines."""

    def __init__(self, text: str) -> None:
        found = list(_CLASS.finditer(text))
        ends = [match.start() for match in found[1:]] + [len(text)]
        self.classes = {match[1]: text[match.start() : end] for match, end in zip(found, ends, strict=True)}
        self._parsed: dict[str, ast.ClassDef] = {}

    def parsed(self, name: str) -> ast.ClassDef:
        """A class of the module, without its decorators."""
        if name not in self._parsed:
            # What follows the class up to the next one are that one's decorators.
            body = re.sub(r"\n@[^\n]*\n*\Z", "\n", self.classes[name])
            (node,) = (n for n in ast.parse(body).body if isinstance(n, ast.ClassDef))
            self._parsed[name] = node
        return self._parsed[name]


_TOKEN = re.compile(r"^            '([\w-]+:[\w/]+:\w+)',$", re.MULTILINE)


@cache
def _tokens(folder: Path) -> dict[str, Path]:
    """The file of each resource of a module."""
    return {token: file for file in sorted(folder.glob("*.py")) for token in _TOKEN.findall(file.read_text())}


@cache
def _source(path: Path) -> Source:
    return Source(path.read_text() if path.exists() else "")


def _methods(node: ast.ClassDef, name: str) -> list[ast.FunctionDef]:
    """Definitions of a method: overloads, which have the documentation, and then the method itself."""
    return [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == name]


def _method(node: ast.ClassDef, name: str) -> ast.FunctionDef:
    return _methods(node, name)[-1]


def _getter_functions(node: ast.ClassDef) -> list[tuple[str, ast.FunctionDef]]:
    """Wire name and function of each property getter."""
    found: list[tuple[str, ast.FunctionDef]] = []
    for function in node.body:
        if not isinstance(function, ast.FunctionDef):
            continue
        for decorator in function.decorator_list:
            text = ast.unparse(decorator)
            if text == "pulumi.getter":
                found.append((function.name, function))
            elif isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pulumi.getter":
                found.append((str(ast.literal_eval(decorator.keywords[0].value)), function))
    return found


def _wire_names(node: ast.ClassDef) -> dict[str, str]:
    return {function.name: wire for wire, function in _getter_functions(node)}


def _secret_outputs(resource: ast.ClassDef) -> list[str]:
    for node in ast.walk(_method(resource, "_internal_init")):
        if (
            isinstance(node, ast.keyword)
            and node.arg == "additional_secret_outputs"
            and isinstance(node.value, ast.List)
        ):
            return [str(e.value) for e in node.value.elts if isinstance(e, ast.Constant)]
    return []
