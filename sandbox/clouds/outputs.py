"""Outputs of a resource: what a create or update gives, and what a preview may already know."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.clouds.catalogue import Catalogue, Kind
from sandbox.clouds.paths import MISSING
from sandbox.clouds.schema import Properties, Property
from sandbox.clouds.templates import Context, render
from sandbox.wire import UNKNOWN, Object, has_unknown, is_secret, is_unknown, plain, secret


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Makes the outputs of one resource type."""

    catalogue: Catalogue
    kind: Kind

    @property
    def _properties(self) -> Properties:
        return self.kind.facts.properties if self.kind.facts else {}

    @property
    def _bridged(self) -> bool:
        return self.catalogue.behaviour.bridged

    def created(self, inputs: Mapping[str, Any], context: Context) -> Object:
        """Outputs of a resource that has just been made."""
        return self._secrets(self._filled(self._echo(inputs), context, ()))

    def updated(
        self, inputs: Mapping[str, Any], before: Mapping[str, Any], changed: list[str], context: Context
    ) -> Object:
        """Outputs after an update: computed ones stay, but for those that the change makes new."""
        fresh = set(self._volatile(changed))
        kept = {name: value for name, value in before.items() if name not in fresh}
        return self._secrets(self._filled(self._over(self._properties, self._echo(inputs), kept), context, fresh))

    def preview_create(self, inputs: Mapping[str, Any], context: Context) -> Object:
        """What is known before a create: arguments, and unknown for everything that the cloud computes."""
        out = self._echo(inputs)
        self._planned(out, context)
        if self.kind.facts is not None:
            # Blocks that the provider computes although its schema cannot say so are known from the behaviour.
            for name in self._properties.keys() & self.kind.behaviour.outputs.keys():
                if name not in self.kind.behaviour.inside_only:
                    out.setdefault(name, UNKNOWN)
        return self._secrets(self._unknowns(self._properties, out))

    def preview_update(
        self, inputs: Mapping[str, Any], before: Mapping[str, Any], changed: list[str], context: Context
    ) -> Object:
        """What is known before an update: arguments, and those outputs that do not change."""
        out = self._echo(inputs)
        keeps = self.catalogue.behaviour.keeps_on_update
        if keeps is not None and self.kind.facts is not None:
            out.update({name: before[name] for name in keeps if name in before})
            return self._secrets(self._unknowns(self._properties, out))
        fresh = set(self._volatile(changed))
        out = self._over(self._properties, out, {name: v for name, v in before.items() if name not in fresh})
        self._planned(out, context)
        out.update(dict.fromkeys(fresh - set(inputs), UNKNOWN))
        # What stays as it was, stays without what the cloud left out; a new object may yet be filled in.
        new = {name: self._inside(self._properties.get(name), out[name]) for name in set(out) - set(before)}
        return self._secrets({**out, **new})

    # --- parts ---

    def _echo(self, inputs: Mapping[str, Any]) -> Object:
        """Arguments as outputs; some arguments (an Azure path's parts) are not among them."""
        return dict(self._echoed(self._properties, inputs))

    def _echoed(self, properties: Properties, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, value in values.items():
            prop = properties.get(name)
            if not (name.startswith("__") or (prop is not None and prop.input)):
                yield name, value if prop is None else self._as_output(prop, value)

    def _as_output(self, prop: Property, value: Any) -> Any:
        """An argument in the shape of its output: ids in a list become the keys of an object."""
        if is_secret(value):
            return secret(self._as_output(prop, value["value"]))
        if prop.keyed and isinstance(value, list):
            return UNKNOWN if has_unknown(value) else {str(plain(item)): {} for item in value}
        if prop.kind == "list" and isinstance(value, list) and prop.item is not None:
            return [self._as_output(prop.item, item) for item in value]
        inside = self._inside_of(prop, value)
        return value if inside is None else dict(self._echoed(inside, value))

    def _inside_of(self, prop: Property, value: Any) -> Properties | None:
        """Properties of an object with a known shape, else None."""
        return self.catalogue.facts.inside(prop) if prop.kind == "type" and isinstance(value, dict) else None

    def _planned(self, out: Object, context: Context) -> None:
        """Computed outputs that follow from arguments and configuration."""
        for name in self.catalogue.behaviour.known_in_preview:
            template = self.kind.behaviour.outputs.get(name, MISSING)
            prop = self._properties.get(name)
            if template is MISSING or prop is None or (name in out and not prop.output):
                continue
            value = render(template, context, name)
            if value is not MISSING:
                out[name] = value

    def _volatile(self, changed: list[str]) -> Iterator[str]:
        for name, causes in self.kind.behaviour.volatile.items():
            if changed and ("*" in causes or set(causes) & set(changed)):
                yield name

    def _filled(self, out: Object, context: Context, fresh: Collection[str]) -> Object:
        """Add what the behaviour's templates compute, wherever there is no value yet."""
        context.outputs = {**context.outputs, **out}
        recomputed = {*fresh, *self.catalogue.behaviour.known_in_preview}
        for name, template in self.kind.behaviour.outputs.items():
            prop = self._properties.get(name)
            if self.kind.facts is not None and prop is None:
                continue  # inherited from the package, but this type has no such output
            if name in self.kind.behaviour.inside_only and name not in out:
                continue
            value = render(template, context, f"{self.kind.token}.{name}")
            if value is MISSING:
                continue
            if name not in out or (name in recomputed and prop is not None and prop.output):
                out[name] = value
            elif isinstance(out[name], dict) and isinstance(value, dict):
                out[name] = _below(out[name], value)
            context.outputs = {**context.outputs, name: out[name]}
        return out

    def _over(self, properties: Properties, news: Mapping[str, Any], before: Mapping[str, Any]) -> Object:
        """New arguments over old outputs. What is no longer asked for goes, unless the cloud had computed it."""
        out = dict(news)
        for name, old in before.items():
            prop = properties.get(name)
            if name not in news:
                if prop is None or prop.output or prop.computed:
                    out[name] = old
                continue
            inside = None if prop is None or is_secret(news[name]) else self._inside_of(prop, news[name])
            if inside is not None and isinstance(old, dict):
                out[name] = self._over(inside, news[name], plain(old))
        return out

    def _unknowns(self, properties: Properties, out: Object) -> Object:
        """Mark every output that the cloud will compute; on Azure that is every output that is not an argument."""
        for name, prop in properties.items():
            if name in out:
                out[name] = self._inside(prop, out[name])
            elif prop.output or prop.computed or not (self._bridged or prop.input):
                out[name] = UNKNOWN
        return out

    def _inside(self, prop: Property | None, value: Any) -> Any:
        """Mark computed outputs inside an argument's objects."""
        if prop is None or is_unknown(value):
            return value
        if is_secret(value):
            return secret(self._inside(prop, value["value"]))
        if prop.keyed:
            return UNKNOWN
        if prop.kind == "list" and isinstance(value, list) and prop.item is not None:
            return [self._inside(prop.item, item) for item in value]
        inside = self._inside_of(prop, value)
        return value if inside is None else self._unknowns(inside, dict(value))

    def _secrets(self, out: Object) -> Object:
        """Wrap what the facts call sensitive, at any depth."""
        return self._hidden(self._properties, out)

    def _hidden(self, properties: Properties, values: Mapping[str, Any]) -> Object:
        return {name: self._hide(properties.get(name), value) for name, value in values.items()}

    def _hide(self, prop: Property | None, value: Any) -> Any:
        if prop is None or is_secret(value):
            return value
        if prop.secret:
            return secret(value)
        if prop.kind == "list" and prop.nested and isinstance(value, list):
            return [self._hide(prop.item, item) for item in value]
        inside = self._inside_of(prop, value)
        return value if inside is None else self._hidden(inside, value)


def _below(value: Any, template: Any) -> Any:
    """Fill the gaps of an object with what a template computed."""
    if is_secret(value) or not isinstance(value, dict) or not isinstance(template, dict):
        return value
    return {**template, **{key: _below(item, template.get(key)) for key, item in value.items()}}
