"""Every tenant's namespace has all its walls, in this stack, beside the namespace itself.

A namespace is a tenant's by its label or by the prefix of its name: taking the label off opens nothing. A stack that
declares a tenant's namespace must declare its walls too: what another stack might add to it cannot be seen from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .kubernetes import (
    LIMIT_RANGE,
    RESOURCE_QUOTA,
    ROLE,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
    Clusters,
    Namespace,
)
from .model import Finding, Resource, Severity
from .per_tenant import per_tenant
from .settings import Settings
from .values import UNKNOWN, Unknown, dig, items, mapping

_BOUNDS = (
    "requests.cpu",
    "limits.cpu",
    "requests.memory",
    "limits.memory",
    "requests.storage",
    "requests.nvidia.com/gpu",
    "pods",
    "services.loadbalancers",
    "services.nodeports",
)
_ENFORCE = "pod-security.kubernetes.io/enforce"


def _label(space: Namespace, _: Clusters, settings: Settings) -> Iterator[Finding]:
    label = dig(space.resource.props, "metadata", "labels", settings.tenant_label)
    if label is UNKNOWN or space.name is UNKNOWN:
        return
    if not label:
        yield Finding(space.resource, f"is named like a tenant's but has no label {settings.tenant_label}")
    elif space.name != f"{settings.tenant_namespace_prefix}{label}":
        yield Finding(space.resource, f"is labelled as the tenant {label}'s but is named {space.name}")


def _pod_security(space: Namespace, _: Clusters, __: Settings) -> Iterator[Finding]:
    level = dig(space.resource.props, "metadata", "labels", _ENFORCE)
    if level is not UNKNOWN and level != "restricted":
        yield Finding(space.resource, f"enforces the Pod Security level {level or 'privileged (none is set)'}")


def _quota(space: Namespace, found: Clusters, _: Settings) -> Iterator[Finding]:
    quotas = found.inside(space, RESOURCE_QUOTA)
    if isinstance(quotas, Unknown):
        return
    specs = [dig(quota.props, "spec") for quota in quotas]
    # A quota with scopes bounds some pods only.
    whole = [spec for spec in specs if all(dig(spec, key) in (None, UNKNOWN) for key in ("scopes", "scopeSelector"))]
    if not whole:
        yield Finding(space.resource, "has no ResourceQuota that bounds all of it")
        return
    hard = [mapping(dig(spec, "hard")) for spec in whole]
    if UNKNOWN in hard:
        return
    bounded = {resource for amounts in hard if not isinstance(amounts, Unknown) for resource in amounts}
    if unbounded := [resource for resource in _BOUNDS if resource not in bounded]:
        yield Finding(space.resource, f"has no bound in its ResourceQuota for {', '.join(unbounded)}")


def _priorities(space: Namespace, found: Clusters, settings: Settings) -> Iterator[Finding]:
    quotas = found.inside(space, RESOURCE_QUOTA)
    if isinstance(quotas, Unknown):
        return
    kept: set[str] = set()
    for quota in quotas:
        spec = dig(quota.props, "spec")
        pods, scopes = dig(spec, "hard", "pods"), items(dig(spec, "scopeSelector", "matchExpressions"))
        if isinstance(scopes, Unknown) or UNKNOWN in scopes:
            return
        for scope in scopes:
            names = items(dig(scope, "values"))
            if isinstance(names, Unknown) or UNKNOWN in names:
                return
            by_class = dig(scope, "scopeName") == "PriorityClass" and dig(scope, "operator") in ("In", UNKNOWN)
            if by_class and pods in ("0", 0, UNKNOWN):
                kept.update(names)
    if free := [name for name in settings.reserved_priorities if name not in kept]:
        yield Finding(space.resource, f"lets its pods take the priority {', '.join(free)}")


def _limits(space: Namespace, found: Clusters, _: Settings) -> Iterator[Finding]:
    ranges = found.inside(space, LIMIT_RANGE)
    if isinstance(ranges, Unknown):
        return
    if not ranges:
        yield Finding(space.resource, "has no LimitRange")
        return
    limits = [items(dig(limit.props, "spec", "limits")) for limit in ranges]
    if any(isinstance(each, Unknown) or UNKNOWN in each for each in limits):
        return
    containers = [
        limit for each in limits if not isinstance(each, Unknown) for limit in each if dig(limit, "type") == "Container"
    ]
    for kind in ("default", "defaultRequest"):
        for resource in ("cpu", "memory"):
            if not any(dig(limit, kind, resource) for limit in containers):
                yield Finding(space.resource, f"has no LimitRange with a {kind} of {resource} for containers")


def _service_account(space: Namespace, found: Clusters, _: Settings) -> Iterator[Finding]:
    accounts = found.inside(space, SERVICE_ACCOUNT)
    if isinstance(accounts, Unknown):
        return
    if not accounts:
        yield Finding(space.resource, "has no ServiceAccount for its workloads")
    for account in accounts:
        automount = dig(account.props, "automountServiceAccountToken")
        if automount is not UNKNOWN and automount is not False:
            yield Finding(account, "mounts a token of the API server into every pod that uses it")


def _rights(space: Namespace, found: Clusters, _: Settings) -> Iterator[Finding]:
    for type_, what in ((ROLE, "Role"), (ROLE_BINDING, "RoleBinding")):
        objects: Sequence[Resource] | Unknown = found.inside(space, type_)
        if not isinstance(objects, Unknown) and not objects:
            yield Finding(space.resource, f"has no {what} for its developers")


_NSA = "NSA/CISA Kubernetes Hardening Guide 1.2"
_TENANCY = "https://kubernetes.io/docs/concepts/security/multi-tenancy/"

RULES = (
    per_tenant(
        "tenant-label",
        _label,
        why="Policies, network rules and bills know a tenant's namespace by its label and its name.",
        source="requirement T04",
        fix="name it after the tenant and label it with the same id",
        severity=Severity.HIGH,
    ),
    per_tenant(
        "tenant-pod-security",
        _pod_security,
        why="A privileged pod owns its node, and with it every other tenant's pods there.",
        source="https://kubernetes.io/docs/concepts/security/pod-security-standards/; CIS Kubernetes 5.2",
        fix=f"set the label {_ENFORCE}: restricted",
        severity=Severity.CRITICAL,
    ),
    per_tenant(
        "tenant-quota",
        _quota,
        why="Without a bound one tenant can take the whole cluster, or its bill.",
        source=f"{_NSA}, resource policies; {_TENANCY}",
        fix=f"give it a ResourceQuota without scopes with {', '.join(_BOUNDS)}",
        severity=Severity.HIGH,
    ),
    per_tenant(
        "tenant-priorities",
        _priorities,
        why="A pod of such a priority pushes the platform's own pods, and other tenants', off their nodes.",
        source="https://kubernetes.io/docs/concepts/policy/resource-quotas/#resource-quota-per-priorityclass",
        fix="give it a ResourceQuota of 0 pods with a scopeSelector for PriorityClass In these",
        severity=Severity.HIGH,
    ),
    per_tenant(
        "tenant-limits",
        _limits,
        why="Where a quota bounds cores and memory, a pod that states none is refused; defaults let it run.",
        source="https://kubernetes.io/docs/concepts/policy/resource-quotas/#compute-resource-quota",
        fix="give it a LimitRange of type Container with default and defaultRequest of cpu and memory",
        severity=Severity.MEDIUM,
    ),
    per_tenant(
        "tenant-service-account",
        _service_account,
        why="Workloads need an identity of their own, and the namespace's default account has none in the cloud.",
        source="CIS Kubernetes 5.1.5-5.1.6",
        fix="add a ServiceAccount with automountServiceAccountToken: false",
        severity=Severity.HIGH,
    ),
    per_tenant(
        "tenant-rights",
        _rights,
        why="Without rights in their own namespace, developers ask for rights in the cluster.",
        source=f"CIS Kubernetes 5.1; {_TENANCY}; requirement Y02",
        fix="add a Role with what developers need and a RoleBinding to the tenant's groups",
        severity=Severity.MEDIUM,
    ),
)
