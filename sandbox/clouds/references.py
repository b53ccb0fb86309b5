"""Who refers to whom: dangling references are refused, and what is referred to cannot be deleted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.clouds import paths
from sandbox.clouds.behaviour import Behaviour, Reference
from sandbox.clouds.catalogue import Catalogue
from sandbox.clouds.errors import CloudError, fill
from sandbox.clouds.paths import MISSING
from sandbox.clouds.templates import Context, render
from sandbox.wire import is_unknown, plain
from sandbox.world import Key, Link, Resource, World

_GCP_HOST = re.compile(r"^(?:https?:)?//[^/]+/(?:(?:compute|v1|v1beta1|container)/(?:v\d\w*|beta)/)?")


def normal(package: str, value: str) -> str:
    """A spelling under which equal references are equal: Azure ignores case, GCP accepts URLs for names."""
    if package == "azure-native":
        return value.lower()
    return _GCP_HOST.sub("", value) if package == "gcp" else value


def handles(package: str, behaviour: Behaviour, id_: str, outputs: Mapping[str, Any]) -> list[str]:
    """Everything by which others may refer to a resource."""
    found = []
    for path in behaviour.handles:
        value = id_ if path == "id" else paths.get(plain(dict(outputs)), path)
        if isinstance(value, str) and value:
            found.append(normal(package, value))
    return list(dict.fromkeys(found))


@dataclass(frozen=True, kw_only=True)
class References:
    """References between the resources of one package."""

    world: World
    catalogue: Catalogue

    def links(self, behaviour: Behaviour, inputs: Mapping[str, Any], scope: str, context: Context) -> list[Link]:
        """The resource's references, resolved. Raises CloudError for one that dangles."""
        found = []
        for reference in behaviour.references:
            for value in paths.every(inputs, reference.path):
                target = self._target(reference, value, scope, context)
                if target is not None:
                    found.append(Link(path=reference.path, target=target))
        return found

    def _target(self, reference: Reference, value: Any, scope: str, context: Context) -> Key | None:
        if not isinstance(value, str) or not value or is_unknown(value) or not reference.to:
            return None
        wanted = value
        if reference.match:
            match = reference.match.search(value)
            if not match:
                return None
            wanted = match.group(1) if match.groups() else value
        if reference.template and ("/" not in wanted or wanted.startswith("arn:")):
            made = render(fill(reference.template, value=wanted), context)
            wanted = made if isinstance(made, str) else wanted
        target = self.find(wanted, reference.to, scope, context.account.account)
        if target is None and reference.required:
            message = reference.missing or self.catalogue.kind(reference.to[0]).behaviour.missing
            raise CloudError(fill(message, value=value))
        return target

    def find(self, value: str, to: tuple[str, ...], scope: str, account: str) -> Key | None:
        """The resource that `value` names, as seen from a scope: names and short ids mean something at home only."""
        found = self.world.find(self.catalogue.package, normal(self.catalogue.package, value), to)
        far = any(mark in value for mark in ("arn:", "/", "@"))
        near = {scope, account, ""}
        return next((key for key in found if key.scope in near), found[0] if far and found else None)

    def reader(self, behaviour: Behaviour, links: list[Link]) -> Callable[[str], Any]:
        """Reads `<reference path>.<output path>` of what is referred to, for templates."""

        def read(expression: str) -> Any:
            for reference in behaviour.references:
                prefix = f"{reference.path}."
                if not expression.startswith(prefix):
                    continue
                for link in links:
                    target = self.world.get(link.target) if link.path == reference.path else None
                    if target is not None:
                        return paths.get(target.outputs, expression.removeprefix(prefix))
            return MISSING

        return read

    def blockers(self, key: Key) -> Iterator[tuple[Key, Reference]]:
        """Resources that must go before this one can."""
        for referrer, path in self.world.referrers(key):
            reference = self.catalogue.reference(referrer.type, path)
            if referrer != key and reference is not None and reference.blocks:
                yield referrer, reference

    def refusal(self, resource: Resource, noun: str) -> str | None:
        """Why the cloud would not delete this resource now, or None."""
        key = resource.key
        found = next(self.blockers(key), None)
        if found is None:
            return None
        referrer, reference = found
        message = reference.in_use or self.catalogue.kind(key.type).behaviour.in_use
        name = key.id.rsplit("/", 1)[-1]
        return fill(message, noun=noun or key.type, id=key.id, name=name, by=f"{referrer.type} {referrer.id}")

    def dependents(self, key: Key) -> Iterator[Key]:
        """Resources that disappear together with this one."""
        for referrer, path in self.world.referrers(key):
            reference = self.catalogue.reference(referrer.type, path)
            if referrer != key and reference is not None and reference.cascade:
                yield referrer
