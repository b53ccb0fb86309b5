"""Check: defaults and names are filled in, then the arguments are judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.runtime.proto import provider_pb2 as pb

from sandbox.clouds import naming
from sandbox.clouds.account import Account
from sandbox.clouds.catalogue import Catalogue, Kind
from sandbox.clouds.paths import MISSING
from sandbox.clouds.references import References
from sandbox.clouds.schema import TypeFacts
from sandbox.clouds.templates import Context, render
from sandbox.clouds.validate import Failure, Validator
from sandbox.wire import UNKNOWN, Object, is_unknown, plain
from sandbox.world import World

_RESOURCE_GROUP = "azure-native:resources:ResourceGroup"


@dataclass(frozen=True, kw_only=True)
class CheckRequest:
    """Arguments to check, with the last ones if the resource exists."""

    news: Object
    olds: Mapping[str, Any] = field(default_factory=dict)
    seed: bytes = b""
    autonaming: pb.CheckRequest.AutonamingOptions | None = None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Arguments with defaults, and what is wrong with them."""

    inputs: Object
    failures: list[Failure]


@dataclass(frozen=True, kw_only=True)
class Checker:
    """Checks the arguments of one provider instance's resources."""

    world: World
    catalogue: Catalogue
    account: Account

    def check(self, kind: Kind, logical: str, request: CheckRequest) -> Checked:
        """Fill in and judge. A type without data passes as it is."""
        inputs = {
            name: value for name, value in request.news.items() if name not in ("__defaults", "__createBeforeDelete")
        }
        if kind.facts is None:
            return Checked(inputs=inputs, failures=[])
        bridged = self.catalogue.behaviour.bridged
        failures: list[Failure] = []
        defaulted: list[str] = []
        try:
            random = self._name(kind, logical, request, inputs, defaulted)
        except naming.NameTooLong as error:
            random = False
            failures.append(Failure(kind.behaviour.name_property or "name", str(error)))
        self._defaults(kind, inputs, defaulted, logical)
        if not bridged:
            self._azure_defaults(kind, kind.facts, request.olds, inputs)
        validator = Validator(facts=self.catalogue.facts, converts=bridged)
        shown = plain(inputs)
        shown.pop("azureApiVersion", None)  # an argument that azure-native gives itself
        failures += validator.judge(kind.facts.properties, kind.behaviour, shown)
        if bridged:
            inputs["__defaults"] = sorted(defaulted)
        elif random:
            inputs["__createBeforeDelete"] = True
        return Checked(inputs=inputs, failures=failures)

    def _name(self, kind: Kind, logical: str, request: CheckRequest, inputs: Object, defaulted: list[str]) -> bool:
        """Fill in the name where the program gave none; whether it has a random part."""
        rule = kind.behaviour.autoname
        if rule is None or inputs.get(rule.property) is not None:
            return False
        rivals = {name for group in kind.behaviour.exclusive if rule.property in group for name in group}
        if any(inputs.get(name) is not None for name in rivals):
            return False
        bridged = self.catalogue.behaviour.bridged
        old = naming.reusable(rule, request.olds, bridged=bridged)
        if old is not None:
            inputs[rule.property] = old
            defaulted.append(rule.property)
            return bool(request.olds.get("__createBeforeDelete"))
        made = naming.generate(rule, logical, request.seed, request.autonaming)
        if made is None:
            return False
        inputs[rule.property] = made[0]
        defaulted.append(rule.property)
        return made[1]

    def _defaults(self, kind: Kind, inputs: Object, defaulted: list[str], logical: str) -> None:
        context = Context(account=self.account, logical=logical, inputs=inputs)
        for name, template in kind.behaviour.defaults.items():
            # The bridge, too, leaves a default out where the program has set what it conflicts with.
            rivals = {other for group in kind.behaviour.exclusive if name in group for other in group} - {name}
            if inputs.get(name) is None and all(inputs.get(other) is None for other in rivals):
                value = render(template, context, name)
                if value is not MISSING:
                    inputs[name] = value
                    defaulted.append(name)

    def _azure_defaults(self, kind: Kind, facts: TypeFacts, olds: Mapping[str, Any], inputs: Object) -> None:
        """Location and API version as azure-native fills them in (provider.go, getDefaultLocation, applyDefaults)."""
        if facts.api_version:
            inputs.setdefault("azureApiVersion", facts.api_version)
        location = facts.properties.get("location")
        if location is None or location.output or inputs.get("location") is not None:
            return
        if kind.behaviour.location == "":  # the type says that its location is not to be guessed
            return
        group = plain(inputs.get("resourceGroupName"))
        found: Any = olds.get("location") or self.account.region or None
        if found is None and is_unknown(group):
            found = UNKNOWN
        if found is None and isinstance(group, str):
            found = self._group_location(group)
        if found is not None:
            inputs["location"] = found

    def _group_location(self, group: str) -> Any:
        references = References(world=self.world, catalogue=self.catalogue)
        id_ = f"/subscriptions/{self.account.account}/resourceGroups/{group}"
        key = references.find(id_, (_RESOURCE_GROUP,), "", self.account.account)
        resource = self.world.get(key) if key else None
        return resource.outputs.get("location") if resource else None
