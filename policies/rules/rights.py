"""Who may do what in a cluster: nobody gets a foot into another tenant's namespace, and nobody gets everything.

Bounds of what can be seen: a stack shows the tenants that it declares. A group is a tenant's if its namespace declares
it (annotation `<domain>/groups`), a service account if its namespace is a tenant's by label or by the prefix of its
name. So a binding *inside* a tenant's namespace is refused for whatever is not declared there, even if the other tenant
lives in another stack; a binding *elsewhere* to a group of a tenant of another stack cannot be recognised here.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from .kubernetes import CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING, Clusters, Namespace, clusters
from .model import Finding, Resource, ResourceRule, Severity, Stack, StackRule
from .settings import Settings
from .values import UNKNOWN, Unknown, dig, items

_EVERYBODY = ("system:authenticated", "system:unauthenticated", "system:serviceaccounts")


def _subjects(binding: Resource) -> Iterator[tuple[Any, Any, Any]]:
    """Kind, name and namespace of each subject; parts may be UNKNOWN."""
    subjects = items(dig(binding.props, "subjects"))
    if not isinstance(subjects, Unknown):
        for subject in subjects:
            yield dig(subject, "kind"), dig(subject, "name"), dig(subject, "namespace")


def _platform(namespace: str, settings: Settings) -> bool:
    return any(fnmatchcase(namespace, pattern) for pattern in settings.platform_namespaces)


def _wrong_inside(
    kind: Any, name: Any, namespace: Any, space: Namespace, found: Clusters, settings: Settings
) -> str | None:
    """What is wrong with binding this subject in a tenant's own namespace."""
    if UNKNOWN in (kind, name, namespace):
        return None
    if kind == "Group":
        if not isinstance(space.groups, Unknown) and name not in space.groups:
            return f"binds the group {name}, which the namespace does not declare as its tenant's"
        declared = found.declared.get((space.resource.provider, name), ())
        others = [other.tenant for other in declared if other.tenant != space.tenant]
        return f"binds the group {name}, which is also the tenant {others[0]}'s" if others else None
    if kind == "ServiceAccount":
        if namespace == space.name or space.name is UNKNOWN or _platform(str(namespace), settings):
            return None
        return f"binds the service account {name} of the namespace {namespace}"
    return f"binds the user {name}, whom no group of the tenant vouches for"


def _inside(stack: Stack, settings: Settings) -> Iterator[Finding]:
    found = clusters(stack, settings)
    for space in found.tenants():
        for binding in space.objects[ROLE_BINDING]:
            subjects = list(_subjects(binding))
            for kind, name, namespace in subjects:
                if wrong := _wrong_inside(kind, name, namespace, space, found, settings):
                    yield Finding(binding, wrong)
            role = dig(binding.props, "roleRef")
            if dig(role, "kind") == "ClusterRole" and any(kind != "ServiceAccount" for kind, _, _ in subjects):
                yield Finding(
                    binding,
                    f"binds people to the ClusterRole {dig(role, 'name')}, whose rights others decide",
                    fix="bind a Role of the namespace itself",
                )


def _wrong_outside(
    kind: Any, name: Any, namespace: Any, found: Clusters, provider: str, settings: Settings
) -> str | None:
    """What is wrong with binding this subject for the cluster, or in a namespace that is not its tenant's."""
    if UNKNOWN in (kind, name, namespace):
        return None
    prefix = settings.tenant_namespace_prefix
    if kind == "Group":
        if name in _EVERYBODY or str(name).startswith(f"system:serviceaccounts:{prefix}"):
            return f"binds the group {name}, which tenants' pods or people are in"
        owners = [each.tenant for each in found.declared.get((provider, name), ()) if each.name is not UNKNOWN]
        return f"binds the group {name} of the tenant {owners[0]}" if owners else None
    if kind == "ServiceAccount":
        tenants = str(namespace).startswith(prefix) or (provider, namespace) in found.names_of_tenants
        return f"binds the service account {name} of the tenant's namespace {namespace}" if tenants else None
    return None


def _wrong_unseen(kind: Any, name: Any, namespace: Any, own: str, settings: Settings) -> str | None:
    """What is wrong with binding this subject in a tenant's namespace that another stack declares."""
    if kind == "ServiceAccount" and (namespace in (own, UNKNOWN) or _platform(str(namespace), settings)):
        return None
    return f"binds {name} in {own}, which this stack does not declare, so nothing says whose {name} is"


def _outside(stack: Stack, settings: Settings) -> Iterator[Finding]:
    found = clusters(stack, settings)
    for type_ in (ROLE_BINDING, CLUSTER_ROLE_BINDING):
        for binding in stack.by_type.get(type_, ()):
            home, own = found.home.get(binding.urn), dig(binding.props, "metadata", "namespace")
            if home.tenant is not None if home else own is UNKNOWN:
                continue  # judged above, or decided on `up`
            if (binding.provider, UNKNOWN) in found.names and home is None:
                continue  # its namespace may be one whose name is decided on `up`
            unseen = home is None and isinstance(own, str) and own.startswith(settings.tenant_namespace_prefix)
            for kind, name, namespace in _subjects(binding):
                if unseen:
                    wrong = _wrong_unseen(kind, name, namespace, own, settings)
                else:
                    wrong = _wrong_outside(kind, name, namespace, found, binding.provider, settings)
                if wrong:
                    yield Finding(binding, wrong)


def _cluster_admin(resource: Resource, _: Settings) -> Iterator[str]:
    role = dig(resource.props, "roleRef")
    if dig(role, "kind") == "ClusterRole" and dig(role, "name") == "cluster-admin":
        yield "hands out cluster-admin"


_WRITE = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_DELEGATING = frozenset({"escalate", "bind", "impersonate"})
_WALLS = frozenset(
    {
        "resourcequotas",
        "limitranges",
        "networkpolicies",
        "roles",
        "rolebindings",
        "serviceaccounts",
        "serviceaccounts/token",
        "endpoints",
        "endpointslices",
    }
)


def _texts(rule: Any, key: str) -> frozenset[str]:
    found = items(dig(rule, key))
    return frozenset() if isinstance(found, Unknown) else frozenset(text for text in found if isinstance(text, str))


def _wrong_with(rule: Any) -> Iterator[str]:
    verbs, resources = _texts(rule, "verbs"), _texts(rule, "resources")
    for key in ("verbs", "resources", "apiGroups"):
        if "*" in _texts(rule, key):
            yield f"has the wildcard * in {key}"
    if delegating := sorted(verbs & _DELEGATING):
        yield f"may {', '.join(delegating)}, which leads to any right"
    if verbs & _WRITE and (walls := sorted(resources & _WALLS)):
        yield f"may write to {', '.join(walls)}, the walls of its own namespace"


def _roles(stack: Stack, settings: Settings) -> Iterator[Finding]:
    for space in clusters(stack, settings).tenants():
        for role in space.objects[ROLE]:
            rules = items(dig(role.props, "rules"))
            for rule in () if isinstance(rules, Unknown) else rules:
                for wrong in _wrong_with(rule):
                    yield Finding(role, wrong)


_RBAC = "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"

RULES = (
    StackRule(
        name="tenant-bindings",
        why="A binding to somebody else's people or pods is a door into the tenant's namespace.",
        source=f"{_RBAC}; requirement Y02",
        fix="bind the groups that the namespace declares as its tenant's, and its own service accounts, only",
        severity=Severity.CRITICAL,
        check=_inside,
    ),
    StackRule(
        name="tenant-subjects",
        why="What a tenant may do outside its own namespace, it may do to others.",
        source=f"{_RBAC}; requirement Y02",
        fix="bind a tenant's groups and service accounts in the tenant's own namespace only",
        severity=Severity.CRITICAL,
        check=_outside,
    ),
    StackRule(
        name="tenant-roles",
        why="Who can change quotas, network policies or rights of a namespace has no walls around it.",
        source=f"{_RBAC}; CIS Kubernetes 5.1.3, 5.1.8; CVE-2021-25740 (endpoints)",
        fix="list the resources and verbs that developers need, without these",
        severity=Severity.CRITICAL,
        check=_roles,
    ),
)

NO_CLUSTER_ADMIN = ResourceRule(
    name="no-cluster-admin",
    why="cluster-admin reads every tenant's secrets and changes every wall.",
    source="CIS Kubernetes 5.1.1",
    fix="bind a role with the rights that are needed",
    severity=Severity.CRITICAL,
    applies=lambda type_, _: type_ in (ROLE_BINDING, CLUSTER_ROLE_BINDING),
    check=_cluster_admin,
)
