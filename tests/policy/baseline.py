"""Resources that break no rule, as plain data, and ways to spoil one property of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final, Protocol

from policies.rules import RESOURCE_RULES, STACK_RULES, Resource, Settings, Stack
from policies.rules.values import UNKNOWN

DELETED: Final = object()

NAMES = {
    "Namespace": "kubernetes:core/v1:Namespace",
    "ResourceQuota": "kubernetes:core/v1:ResourceQuota",
    "LimitRange": "kubernetes:core/v1:LimitRange",
    "ServiceAccount": "kubernetes:core/v1:ServiceAccount",
    "NetworkPolicy": "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    "Role": "kubernetes:rbac.authorization.k8s.io/v1:Role",
    "RoleBinding": "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    "ClusterRoleBinding": "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
}
TAGS = {
    "project": "meridian",
    "environment": "staging",
    "stack": "staging.aws-usw2",
    "component": "logs",
    "owner": "ml-platform",
    "cost_center": "cc-1",
    "managed_by": "pulumi",
}
LABELS = {
    "app.kubernetes.io/part-of": "meridian",
    "app.kubernetes.io/managed-by": "pulumi",
    "meridian.dev/environment": "staging",
    "meridian.dev/stack": "staging.aws-usw2.tenants-00",
    "meridian.dev/component": "acme",
    "meridian.dev/owner": "ml-platform",
    "meridian.dev/cost-center": "cc-1",
}
CLUSTER = "urn:pulumi:s::meridian::pulumi:providers:kubernetes::aws-usw2"


def resource(type_: str, name: str, props: Mapping[str, Any], *, provider: str = "") -> Resource:
    return Resource(
        urn=f"urn:pulumi:s::meridian::{type_}::{name}", type=type_, name=name, props=props, provider=provider
    )


def kubernetes(
    kind: str, name: str, *, namespace: str | None = None, provider: str = CLUSTER, **props: Any
) -> Resource:
    """An object as Pulumi declares it; `metadata` is merged over its name and namespace."""
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {}) | props.pop("metadata", {})
    return resource(NAMES[kind], f"{namespace or 'cluster'}-{name}", {**props, "metadata": metadata}, provider=provider)


def group(name: str) -> dict[str, str]:
    return {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": name}


def service_account(name: str, namespace: str) -> dict[str, str]:
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def role_ref(name: str, kind: str = "Role") -> dict[str, str]:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}


def tenant(id_: str = "acme", *, provider: str = CLUSTER) -> list[Resource]:
    """A tenant's namespace with everything that belongs into it."""
    space = f"tenant-{id_}"
    every_pod: dict[str, Any] = {}

    def of(kind: str, name: str, **props: Any) -> Resource:
        return kubernetes(kind, name, namespace=space, provider=provider, **props)

    dns = {
        "to": [
            {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
                "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
            },
            {"ipBlock": {"cidr": "169.254.20.10/32"}},
        ],
        "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
    }
    identity = {"to": [{"ipBlock": {"cidr": "169.254.170.23/32"}}], "ports": [{"protocol": "TCP", "port": 80}]}
    return [
        kubernetes(
            "Namespace",
            space,
            provider=provider,
            metadata={
                "labels": {
                    **LABELS,
                    "meridian.dev/tenant": id_,
                    "pod-security.kubernetes.io/enforce": "restricted",
                },
                "annotations": {"meridian.dev/groups": f"{id_}-developers,{id_}-oncall"},
            },
        ),
        of(
            "ResourceQuota",
            "quota",
            spec={
                "hard": {
                    "requests.cpu": "16",
                    "limits.cpu": "32",
                    "requests.memory": "64Gi",
                    "limits.memory": "64Gi",
                    "requests.storage": "1Ti",
                    "requests.nvidia.com/gpu": "0",
                    "pods": "100",
                    "services.loadbalancers": "0",
                    "services.nodeports": "0",
                }
            },
        ),
        of(
            "ResourceQuota",
            "no-platform-priority",
            spec={
                "hard": {"pods": "0"},
                "scopeSelector": {
                    "matchExpressions": [
                        {"scopeName": "PriorityClass", "operator": "In", "values": list(Settings().reserved_priorities)}
                    ]
                },
            },
        ),
        of(
            "LimitRange",
            "limits",
            spec={
                "limits": [
                    {
                        "type": "Container",
                        "default": {"cpu": "500m", "memory": "512Mi"},
                        "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
                    }
                ]
            },
        ),
        of(
            "NetworkPolicy",
            "default-deny",
            spec={"podSelector": every_pod, "policyTypes": ["Ingress", "Egress"]},
        ),
        of("NetworkPolicy", "allow-dns", spec={"podSelector": every_pod, "policyTypes": ["Egress"], "egress": [dns]}),
        of(
            "NetworkPolicy",
            "allow-own-namespace",
            spec={
                "podSelector": every_pod,
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": [{"podSelector": {}}]}],
                "egress": [{"to": [{"podSelector": {}}]}],
            },
        ),
        of(
            "NetworkPolicy",
            "allow-identity",
            spec={"podSelector": every_pod, "policyTypes": ["Egress"], "egress": [identity]},
        ),
        of("ServiceAccount", "workload", automountServiceAccountToken=False),
        of("Role", "tenant-developer", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "create"]}]),
        of(
            "RoleBinding",
            "tenant-developers",
            roleRef=role_ref("tenant-developer"),
            subjects=[group(f"{id_}-developers"), service_account("workload", space)],
        ),
    ]


def named(resources: Sequence[Resource], kind: str, name: str) -> Resource:
    """The one object of that kind and name."""
    (found,) = (r for r in resources if r.type == NAMES[kind] and r.props["metadata"]["name"] == name)
    return found


def without(resources: Sequence[Resource], kind: str, name: str) -> list[Resource]:
    """All but one object."""
    gone = named(resources, kind, name)
    return [each for each in resources if each is not gone]


def spoiled(one: Resource, path: Sequence[str | int], value: Any) -> Resource:
    """The same resource with one property set to `value`, or taken away with DELETED."""
    props: Any = deepcopy(dict(one.props))
    at = props
    for key in path[:-1]:
        at = at[key]
    if value is DELETED:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return replace(one, props=props)


def spoil(resources: Sequence[Resource], kind: str, name: str, path: Sequence[str | int], value: Any) -> list[Resource]:
    """All resources, one of them with one property spoiled."""
    target = named(resources, kind, name)
    return [spoiled(each, path, value) if each is target else each for each in resources]


def _decided(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _decided(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_decided(inner) for inner in value]
    return UNKNOWN if type(value).__name__ == "Unknown" else value


class Made(Protocol):
    """A resource as a recording shows it."""

    @property
    def urn(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def props(self) -> Mapping[str, Any]: ...
    @property
    def provider(self) -> str: ...


def as_judged(made: Sequence[Made]) -> list[Resource]:
    """What a program registers, as rules see it."""
    return [
        Resource(urn=one.urn, type=one.type, name=one.name, props=_decided(one.props), provider=one.provider)
        for one in made
    ]


def judge(resources: Sequence[Resource], settings: Settings | None = None) -> list[str]:
    """Every message of every rule."""
    with_defaults = settings or Settings()
    alone = [
        rule.say(finding) for one in resources for rule in RESOURCE_RULES for finding in rule.judge(one, with_defaults)
    ]
    stack = Stack(tuple(resources))
    return alone + [rule.say(finding) for rule in STACK_RULES for finding in rule.judge(stack, with_defaults)]
