"""One package's control plane: what Check, Diff, Create, Read, Update and Delete mean, without gRPC."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import grpc

from sandbox.clouds import clusters, ranges
from sandbox.clouds.account import Account
from sandbox.clouds.behaviour import Behaviour
from sandbox.clouds.catalogue import Catalogue, Kind
from sandbox.clouds.check import Checked, Checker, CheckRequest
from sandbox.clouds.compare import Changes, Comparer
from sandbox.clouds.errors import CloudError, fill
from sandbox.clouds.outputs import Outputs
from sandbox.clouds.paths import MISSING
from sandbox.clouds.references import References, handles
from sandbox.clouds.templates import Context, render
from sandbox.cluster_host import ClusterHost
from sandbox.wire import Object, has_unknown, plain
from sandbox.world import AddressRange, Entry, Key, Link, NameClaim, Resource, World, WorldError

PATIENCE_SECONDS = 3.0
"""How long a delete waits for those who still refer to the resource, as the real providers retry."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The resource that a call is about."""

    token: str
    urn: str
    account: Account

    @property
    def logical(self) -> str:
        """The name that the program gave."""
        return self.urn.rsplit("::", 1)[-1]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What an update would do."""

    changes: Changes
    delete_before_replace: bool
    stables: list[str]


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """The simulated cloud behind one package."""

    world: World
    catalogue: Catalogue
    clusters: ClusterHost
    patience: float = PATIENCE_SECONDS

    @property
    def _references(self) -> References:
        return References(world=self.world, catalogue=self.catalogue)

    def _kind(self, token: str) -> Kind:
        kind = self.catalogue.kind(token)
        if kind.facts is None:
            self.world.note_generic(self.catalogue.package, token)
        return kind

    def _context(self, target: Target, kind: Kind, inputs: Mapping[str, Any], seed: str) -> Context:
        name = plain(inputs.get(kind.behaviour.name_property or "name"))
        return Context(
            account=target.account,
            logical=target.logical,
            name=name if isinstance(name, str) else None,
            inputs=inputs,
            seed=seed,
        )

    def _scope(self, behaviour: Behaviour, context: Context) -> str:
        scope = render(behaviour.scope, context)
        return "" if scope is MISSING else str(scope)

    # --- the calls ---

    def check(self, target: Target, request: CheckRequest) -> Checked:
        """Fill in defaults and names, and judge the arguments."""
        checker = Checker(world=self.world, catalogue=self.catalogue, account=target.account)
        return checker.check(self._kind(target.token), target.logical, request)

    def diff(
        self,
        target: Target,
        olds: Mapping[str, Any],
        news: Mapping[str, Any],
        state: Mapping[str, Any],
        ignored: Sequence[str] = (),
    ) -> Difference:
        """What changing the arguments from `olds` to `news` would do."""
        kind = self._kind(target.token)
        bridged = self.catalogue.behaviour.bridged
        comparer = Comparer(facts=self.catalogue.facts, behaviour=kind.behaviour, bridged=bridged)
        properties = kind.facts.properties if kind.facts else None
        changes = comparer.compare(properties, plain(olds), plain(news), plain(state), ignored)
        replaces = set(changes.replaces)
        stables = [name for name, prop in (properties or {}).items() if prop.new and name not in replaces]
        first = bool(replaces) and self._delete_first(kind.behaviour, olds, news)
        return Difference(changes=changes, delete_before_replace=first, stables=stables if bridged else [])

    def _delete_first(self, behaviour: Behaviour, olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
        """Whether a replacement must delete first, as the real providers decide.

        Bridge: where the type says so, or its auto-nameable name was given by the program
        (nameRequiresDeleteBeforeReplace). azure-native: unless the name has a random part.
        """
        if not self.catalogue.behaviour.bridged:
            return not olds.get("__createBeforeDelete")
        if behaviour.delete_before_replace:
            return True
        name = behaviour.autoname.property if behaviour.autoname else None
        defaults = news.get("__defaults")
        return name is not None and name in news and isinstance(defaults, list) and name not in defaults

    def preview_create(self, target: Target, inputs: Object) -> Object:
        """Outputs that a create would have, as far as they are known."""
        kind = self._kind(target.token)
        context = self._context(target, kind, inputs, "preview")
        return Outputs(catalogue=self.catalogue, kind=kind).preview_create(inputs, context)

    def create(self, target: Target, inputs: Object) -> tuple[str, Object]:
        """Make the resource; its id and outputs. Raises CloudError."""
        kind = self._kind(target.token)
        if has_unknown(inputs):
            raise CloudError("the arguments hold values that are not known yet", grpc.StatusCode.INVALID_ARGUMENT)
        inputs = self._with_name(kind.behaviour, target, inputs)
        context = self._context(target, kind, inputs, uuid.uuid4().hex)
        scope = self._scope(kind.behaviour, context)
        links = self._references.links(kind.behaviour, plain(inputs), scope, context)
        context.referred = self._references.reader(kind.behaviour, links)
        context.id = self._new_id(kind.behaviour, context)
        key = Key(package=self.catalogue.package, type=target.token, scope=scope, id=context.id)
        claim = self._claim(kind.behaviour, context)
        if self.world.get(key) is not None and not kind.behaviour.adopts:
            raise self._conflict(kind.behaviour, context, claim)
        taken = self._ranges(kind.behaviour, key, inputs, links)
        link = kind.behaviour.cluster
        if link is not None:
            context.endpoint = clusters.start(self.clusters, link, context)
        outputs = Outputs(catalogue=self.catalogue, kind=kind).created(inputs, context)
        resource = self._resource(target, kind, key, inputs, outputs, context)
        known_as = handles(self.catalogue.package, kind.behaviour, context.id, outputs)
        try:
            self.world.save(
                Entry(resource=resource, handles=known_as, links=links, name=claim, ranges=taken),
                new=not kind.behaviour.adopts,
            )
        except WorldError as error:
            if link is not None:
                clusters.stop(self.clusters, link, context)
            raise self._conflict(kind.behaviour, context, claim) from error
        return context.id, outputs

    def read(self, target: Target, id_: str, state: Mapping[str, Any]) -> Resource | None:
        """The resource as it is now, or None when it is gone.

        `state` (empty in an import) says where it lives, if it has a region of its own.
        """
        kind = self._kind(target.token)
        home = {name: state[name] for name in ("region", "project") if name in state}
        scope = self._scope(kind.behaviour, self._context(target, kind, plain(home), ""))
        return self.world.get(Key(package=self.catalogue.package, type=target.token, scope=scope, id=id_))

    def preview_update(self, target: Target, id_: str, inputs: Object, before: Object, changed: list[str]) -> Object:
        """Outputs that an update would have, as far as they are known."""
        kind = self._kind(target.token)
        context = self._context(target, kind, inputs, id_)
        context.id, context.outputs = id_, before
        return Outputs(catalogue=self.catalogue, kind=kind).preview_update(inputs, before, changed, context)

    def update(self, target: Target, id_: str, inputs: Object, before: Object) -> Object:
        """Change the resource; its new outputs. Raises CloudError, also when it is gone."""
        kind = self._kind(target.token)
        found = self.read(target, id_, before)
        if found is None:
            raise CloudError(fill(kind.behaviour.missing, value=id_), grpc.StatusCode.NOT_FOUND)
        inputs = self._with_name(kind.behaviour, target, inputs)
        context = self._context(target, kind, inputs, f"{found.key.scope}/{id_}")
        context.id, context.outputs = id_, found.outputs
        links = self._references.links(kind.behaviour, plain(inputs), found.key.scope, context)
        context.referred = self._references.reader(kind.behaviour, links)
        taken = self._ranges(kind.behaviour, found.key, inputs, links)
        link = kind.behaviour.cluster
        if link is not None:
            old = clusters.version_of(link, replace(context, inputs=found.inputs))
            context.endpoint = clusters.upgrade(self.clusters, link, context, old)
        changed = self.diff(target, found.inputs, inputs, found.outputs).changes.roots
        outputs = Outputs(catalogue=self.catalogue, kind=kind).updated(inputs, found.outputs, changed, context)
        resource = self._resource(target, kind, found.key, inputs, outputs, context)
        known_as = handles(self.catalogue.package, kind.behaviour, id_, outputs)
        claim = self._claim(kind.behaviour, context)
        try:
            self.world.save(
                Entry(resource=resource, handles=known_as, links=links, name=claim, ranges=taken), new=False
            )
        except WorldError as error:
            raise self._conflict(kind.behaviour, context, claim) from error
        return outputs

    def delete(self, target: Target, id_: str, state: Mapping[str, Any]) -> None:
        """Delete the resource; waits a little for what still refers to it. Raises CloudError."""
        kind = self._kind(target.token)
        behaviour = kind.behaviour
        found = self.read(target, id_, state)
        if found is None:
            return  # gone already is as good as deleted
        self._unprotected(behaviour, found)
        deadline = time.monotonic() + self.patience
        while (refusal := self._references.refusal(found, behaviour.noun)) is not None:
            if time.monotonic() > deadline:
                raise CloudError(refusal, grpc.StatusCode.FAILED_PRECONDITION)
            time.sleep(0.05)
        context = self._context(target, kind, found.inputs, "")
        if behaviour.cluster is not None:
            clusters.stop(self.clusters, behaviour.cluster, context)
        self._forget(found.key)

    # --- parts ---

    def _with_name(self, behaviour: Behaviour, target: Target, inputs: Object) -> Object:
        """A name for a resource whose program gave only a prefix: the cloud's provider appends a number."""
        name = behaviour.autoname.property if behaviour.autoname else None
        if name is None or inputs.get(name) is not None:
            return inputs
        prefix = plain(inputs.get(f"{name}Prefix"))
        stem = prefix if isinstance(prefix, str) else f"{target.logical}-"
        return {**inputs, name: f"{stem}{uuid.uuid4().hex[:26]}"}

    def _new_id(self, behaviour: Behaviour, context: Context) -> str:
        made = render(behaviour.id, context, "id")
        if made is MISSING or not made:
            raise CloudError(f"no id can be made from {behaviour.id!r}: a part of it has no value")
        return str(plain(made))

    def _ranges(self, behaviour: Behaviour, key: Key, inputs: Object, links: list[Link]) -> list[AddressRange]:
        rule = behaviour.range
        return ranges.claim(self.world, rule, key, inputs, links) if rule else []

    def _claim(self, behaviour: Behaviour, context: Context) -> NameClaim | None:
        """The name that the resource takes, in the space where it must be unique."""
        rule = behaviour.name
        if rule is None or rule.unique is None:
            return None
        space = render(rule.unique, context)
        value = plain(context.inputs.get(rule.property))
        if space is MISSING or not isinstance(value, str):
            return None
        folded = value.lower() if self.catalogue.package == "azure-native" else value
        return NameClaim(space=str(plain(space)), value=folded)

    def _conflict(self, behaviour: Behaviour, context: Context, claim: NameClaim | None) -> CloudError:
        message = (
            behaviour.name.conflict if behaviour.name else None
        ) or f"{behaviour.noun or 'resource'} {{id}} already exists"
        space = claim.space if claim else f"{context.account.account}/{context.region}"
        text = fill(message, value=context.name or context.id, id=context.id, space=space)
        return CloudError(text, grpc.StatusCode.ALREADY_EXISTS)

    def _resource(
        self, target: Target, kind: Kind, key: Key, inputs: Object, outputs: Object, context: Context
    ) -> Resource:
        location = render(kind.behaviour.location, context)
        return Resource(
            key=key,
            account=target.account.account,
            location="" if location is MISSING else str(plain(location)),
            urn=target.urn,
            inputs=inputs,
            outputs=outputs,
        )

    def _unprotected(self, behaviour: Behaviour, found: Resource) -> None:
        rule = behaviour.protection
        if rule is None:
            return
        value = plain(found.inputs).get(rule.property, rule.default)
        if value == rule.refuses:
            raise CloudError(fill(rule.message, id=found.key.id), grpc.StatusCode.FAILED_PRECONDITION)

    def _forget(self, key: Key) -> None:
        """Remove a resource and what disappears with it."""
        dependents = list(self._references.dependents(key))
        after = self.catalogue.kind(key.type).behaviour.after_delete
        self.world.remove(key, keep_name=after != "gone")
        for dependent in dependents:
            if self.world.get(dependent) is not None:
                self._forget(dependent)
