"""Kubernetes objects of a stack as namespaces with what is in them. Several clusters in one stack are kept apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from .model import Resource, Stack
from .settings import Settings
from .values import UNKNOWN, Unknown, dig, items, mapping

NAMESPACE = "kubernetes:core/v1:Namespace"
RESOURCE_QUOTA = "kubernetes:core/v1:ResourceQuota"
LIMIT_RANGE = "kubernetes:core/v1:LimitRange"
SERVICE_ACCOUNT = "kubernetes:core/v1:ServiceAccount"
NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
ROLE_BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
CLUSTER_ROLE_BINDING = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"

_INSIDE = (RESOURCE_QUOTA, LIMIT_RANGE, SERVICE_ACCOUNT, NETWORK_POLICY, ROLE, ROLE_BINDING)


@dataclass(frozen=True, eq=False)
class Namespace:
    """A namespace that the stack declares, and the objects that the stack puts into it."""

    resource: Resource
    name: str | Unknown
    tenant: str | Unknown | None
    """Whose it is, by its label, else by its name; None: no tenant's; UNKNOWN: neither is known yet."""
    groups: frozenset[str] | Unknown
    """The tenant's groups of people, by its annotation."""
    objects: Mapping[str, list[Resource]] = field(default_factory=lambda: {type_: [] for type_ in _INSIDE})
    """Type token -> objects in the namespace."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """Every namespace of a stack, and the objects whose namespace cannot be told yet."""

    namespaces: Sequence[Namespace]
    homeless: Mapping[tuple[str, str], Sequence[Resource]]
    """(provider, type) -> objects whose namespace is unknown until `up`."""
    home: Mapping[str, Namespace]
    """URN of an object -> the declared namespace that it is in; absent for namespaces of other stacks."""

    @cached_property
    def declared(self) -> Mapping[tuple[str, str], Sequence[Namespace]]:
        """(provider, group of people) -> tenants' namespaces that declare the group as theirs."""
        index: dict[tuple[str, str], list[Namespace]] = {}
        for space in self.tenants():
            for group in () if isinstance(space.groups, Unknown) else space.groups:
                index.setdefault((space.resource.provider, group), []).append(space)
        return index

    @cached_property
    def names(self) -> frozenset[tuple[str, str | Unknown]]:
        """(provider, name) of every namespace."""
        return frozenset((space.resource.provider, space.name) for space in self.namespaces)

    @cached_property
    def names_of_tenants(self) -> frozenset[tuple[str, str | Unknown]]:
        """(provider, name) of every tenant's namespace."""
        return frozenset((space.resource.provider, space.name) for space in self.tenants())

    def tenants(self) -> Iterator[Namespace]:
        """Namespaces that are known to be tenants'."""
        return (space for space in self.namespaces if isinstance(space.tenant, str))

    def inside(self, space: Namespace, type_: str) -> Sequence[Resource] | Unknown:
        """Objects of a type in a namespace; UNKNOWN where there are none but one might still turn out to be there."""
        found = space.objects[type_]
        if not found and (space.name is UNKNOWN or self.homeless.get((space.resource.provider, type_))):
            return UNKNOWN
        return found


def name_of(resource: Resource) -> Any:
    """The object's name in its cluster: text, UNKNOWN, or None where Pulumi or the API server makes one up."""
    return dig(resource.props, "metadata", "name")


def _space(resource: Resource, settings: Settings) -> Namespace:
    metadata = dig(resource.props, "metadata")
    name = name_of(resource)
    tenant = dig(metadata, "labels", settings.tenant_label)
    if not isinstance(tenant, str) and isinstance(name, str):
        prefix = settings.tenant_namespace_prefix
        tenant = name.removeprefix(prefix) if name.startswith(prefix) else tenant
    declared = dig(metadata, "annotations", settings.groups_annotation)
    groups = (
        UNKNOWN
        if declared is UNKNOWN
        else frozenset(filter(None, (group.strip() for group in str(declared or "").split(","))))
    )
    return Namespace(resource, name if isinstance(name, str) else UNKNOWN, tenant, groups)


def _by_dependency(resource: Resource, spaces: Mapping[str, Namespace]) -> Namespace | None:
    """The namespace whose outputs the object's own namespace comes from, where there is only one."""
    for properties in (["metadata"], resource.depends_on):
        urns = {urn for name in properties for urn in resource.depends_on.get(name, ()) if urn in spaces}
        if len(urns) == 1:
            return spaces[urns.pop()]
    return None


@lru_cache(maxsize=1)
def clusters(stack: Stack, settings: Settings) -> Clusters:
    """What the stack puts into clusters, sorted into namespaces. One answer serves all rules of a run."""
    by_urn = {resource.urn: _space(resource, settings) for resource in stack.by_type.get(NAMESPACE, ())}
    by_name = {(space.resource.provider, space.name): space for space in by_urn.values()}
    homeless: dict[tuple[str, str], list[Resource]] = {}
    home: dict[str, Namespace] = {}
    for type_ in _INSIDE:
        for resource in stack.by_type.get(type_, ()):
            named = dig(resource.props, "metadata", "namespace")
            if named is UNKNOWN:
                space = _by_dependency(resource, by_urn)
                if space is None:
                    homeless.setdefault((resource.provider, type_), []).append(resource)
            else:
                space = by_name.get((resource.provider, named))
            if space is not None:
                space.objects[type_].append(resource)
                home[resource.urn] = space
    return Clusters(tuple(by_urn.values()), homeless, home)


def may_select_all(selector: Any) -> bool:
    """Whether a label selector is written and selects everything, as far as it is known."""
    if selector is None:
        return False
    return all(
        not found or found is UNKNOWN for found in (dig(selector, "matchLabels"), dig(selector, "matchExpressions"))
    )


def may_govern(spec: Any, direction: str) -> bool:
    """Whether a NetworkPolicy governs a direction, as the API server fills in what is left out, as far as is known."""
    types = items(dig(spec, "policyTypes"))
    if isinstance(types, Unknown) or UNKNOWN in types:
        return True
    if types:
        return direction in types
    return direction == "Ingress" or bool(dig(spec, "egress"))


def requirements(selector: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Key, operator and values of everything that a label selector asks for; all of it must hold."""
    labels = mapping(dig(selector, "matchLabels"))
    if isinstance(labels, Unknown):
        yield UNKNOWN, UNKNOWN, UNKNOWN
    else:
        for key, value in labels.items():
            yield key, "In", [value]
    expressions = items(dig(selector, "matchExpressions"))
    if isinstance(expressions, Unknown):
        yield UNKNOWN, UNKNOWN, UNKNOWN
        return
    for expression in expressions:
        yield dig(expression, "key"), dig(expression, "operator"), items(dig(expression, "values"))


def rules_of(spec: Any, direction: str) -> Sequence[Any] | Unknown:
    """The rules of a NetworkPolicy in one direction ("Ingress" or "Egress")."""
    return items(dig(spec, direction.lower()))


def peers_of(rule: Any, direction: str) -> Sequence[Any] | Unknown:
    """Whom one rule admits; none at all means everybody."""
    return items(dig(rule, "from" if direction == "Ingress" else "to"))
