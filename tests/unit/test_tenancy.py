from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from pulumi import Output, ResourceOptions

from components import tenant_namespace
from components.labels import Labels
from components.outputs import ClusterOutputs, IdentityEndpoint, WorkloadIdentityOutputs
from components.platform_namespaces import PlatformNamespaces
from components.spec import Cloud, Place, TenantSpec, Tier
from components.tenant_namespace import TenantNamespace
from tests.recording import Registered, record

LABELS = Labels(environment="staging", stack="staging.aws-usw2.tenants-00", owner="ml-platform", cost_center="cc-1")
PLACE = Place(cloud=Cloud.AWS, location="us-west-2", account="111111111111")


def tenant(**change: Any) -> TenantSpec:
    spec = {
        "id": "acme",
        "name": "Acme",
        "tier": "standard",
        "owner": "platform@acme.example",
        "cost_center": "cc-4100",
        "developers": ["acme-developers", "acme-oncall"],
    }
    return TenantSpec.model_validate(spec | change)


def cluster() -> ClusterOutputs:
    text = Output.from_input("known")
    return ClusterOutputs(
        name=text,
        version=text,
        kubeconfig=Output.secret("{}"),
        oidc_issuer=text,
        identity_anchor=text,
        identity_endpoints=Output.from_input((IdentityEndpoint(cidr="169.254.170.23/32", ports=(80,)),)),
        storage_class=text,
    )


@pytest.fixture(autouse=True)
def cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    def workload_identity(name: str, **_: object) -> WorkloadIdentityOutputs:
        return WorkloadIdentityOutputs(
            principal=Output.from_input("arn:role"),
            annotations=Output.from_input({"cloud.example/identity": name}),
            pod_labels={},
        )

    api = SimpleNamespace(workload_identity=workload_identity)
    monkeypatch.setattr(tenant_namespace, "CLOUDS", dict.fromkeys(Cloud, api))


def register(spec: TenantSpec, **how: Any) -> dict[tuple[str, str], Registered]:
    def program() -> None:
        provider = kubernetes.Provider("aws-usw2", kubeconfig="{}")
        opts = ResourceOptions(providers=[provider])
        made = TenantNamespace("acme", tenant=spec, cluster=cluster(), place=PLACE, labels=LABELS, opts=opts)
        pulumi.export("namespace", made.outputs.namespace)

    return {
        (r.kind, r.props["metadata"]["name"] if "metadata" in r.props else r.name): r for r in record(program, **how)
    }


OBJECTS = {
    ("Namespace", "tenant-acme"),
    ("ResourceQuota", "quota"),
    ("ResourceQuota", "no-platform-priority"),
    ("LimitRange", "limits"),
    ("NetworkPolicy", "default-deny"),
    ("NetworkPolicy", "allow-dns"),
    ("NetworkPolicy", "allow-own-namespace"),
    ("NetworkPolicy", "allow-identity"),
    ("ServiceAccount", "workload"),
    ("Role", "tenant-developer"),
    ("RoleBinding", "tenant-developers"),
}


def test_a_tenant_gets_all_its_objects() -> None:
    assert register(tenant()).keys() >= OBJECTS


def test_every_object_is_in_the_tenants_namespace_and_waits_for_it() -> None:
    made = register(tenant())
    namespace = made["Namespace", "tenant-acme"]
    for key in OBJECTS - {("Namespace", "tenant-acme")}:
        assert made[key].props["metadata"]["namespace"] == "tenant-acme", key
        assert namespace.urn in made[key].depends_on, key


def test_the_namespace_is_known_before_its_cluster_exists() -> None:
    for key, made in register(tenant(), preview=True, silent=True).items():
        if key in OBJECTS and made.kind != "Namespace":
            assert made.props["metadata"]["namespace"] == "tenant-acme", key


def test_children_belong_to_the_component_and_its_provider() -> None:
    for key, made in register(tenant()).items():
        if key in OBJECTS:
            assert made.parent.endswith("meridian:components:TenantNamespace::acme"), key
            assert "aws-usw2" in made.provider, key


def test_pods_without_privileges_only() -> None:
    labels = register(tenant())["Namespace", "tenant-acme"].props["metadata"]["labels"]
    assert {k.rpartition("/")[2]: v for k, v in labels.items() if k.startswith("pod-security")} == {
        "enforce": "restricted",
        "enforce-version": "v1.35",
        "audit": "restricted",
        "audit-version": "latest",
        "warn": "restricted",
        "warn-version": "latest",
    }


def test_labels_say_who_owns_and_who_pays() -> None:
    metadata = register(tenant())["Namespace", "tenant-acme"].props["metadata"]
    expected = {
        "app.kubernetes.io/managed-by": "pulumi",
        "app.kubernetes.io/part-of": "meridian",
        "meridian.dev/tenant": "acme",
        "meridian.dev/tier": "standard",
        "meridian.dev/environment": "staging",
        "meridian.dev/stack": "staging.aws-usw2.tenants-00",
        "meridian.dev/component": "acme",
        "meridian.dev/owner": "platform-at-acme.example",
        "meridian.dev/cost-center": "cc-4100",
    }
    assert metadata["labels"].items() >= expected.items()
    assert metadata["annotations"] == {
        "meridian.dev/owner": "platform@acme.example",
        "meridian.dev/groups": "acme-developers,acme-oncall",
    }


def test_default_deny_names_both_directions_and_opens_neither() -> None:
    assert register(tenant())["NetworkPolicy", "default-deny"].props["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }


def test_dns_is_open_over_udp_and_tcp() -> None:
    (rule,) = register(tenant())["NetworkPolicy", "allow-dns"].props["spec"]["egress"]
    assert {(port["protocol"], port["port"]) for port in rule["ports"]} == {("UDP", 53), ("TCP", 53)}
    assert rule["to"][0]["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}


def test_the_own_namespace_is_open_in_both_directions_under_the_names_of_the_wire() -> None:
    spec = register(tenant())["NetworkPolicy", "allow-own-namespace"].props["spec"]
    assert spec["ingress"] == [{"from": [{"podSelector": {}}]}]
    assert spec["egress"] == [{"to": [{"podSelector": {}}]}]


def test_identity_endpoints_are_open() -> None:
    assert register(tenant())["NetworkPolicy", "allow-identity"].props["spec"]["egress"] == [
        {"to": [{"ipBlock": {"cidr": "169.254.170.23/32"}}], "ports": [{"port": 80, "protocol": "TCP"}]}
    ]


def test_the_workload_has_its_identity_and_no_token_of_the_api_server() -> None:
    workload = register(tenant())["ServiceAccount", "workload"].props
    assert workload["automountServiceAccountToken"] is False
    assert workload["metadata"]["annotations"] == {"cloud.example/identity": "acme"}


def test_the_quota_is_the_tiers_unless_the_tenant_says_otherwise() -> None:
    assert hard(tenant())["requests.cpu"] == "16"
    own = hard(tenant(quota={"cpu": "1500m", "memory": "2048Mi", "storage": "10Gi", "pods": 5, "gpus": 2}))
    assert own["requests.cpu"] == "1500m"
    assert own["limits.cpu"] == "3"
    assert own["requests.memory"] == own["limits.memory"] == "2Gi"
    assert own["requests.nvidia.com/gpu"] == "2"
    assert own["services.loadbalancers"] == own["services.nodeports"] == "0"


def hard(spec: TenantSpec) -> Mapping[str, str]:
    return register(spec)["ResourceQuota", "quota"].props["spec"]["hard"]


def test_the_platforms_priorities_are_out_of_reach() -> None:
    spec = register(tenant())["ResourceQuota", "no-platform-priority"].props["spec"]
    assert spec["hard"] == {"pods": "0"}
    (scope,) = spec["scopeSelector"]["matchExpressions"]
    assert set(scope["values"]) >= {"platform-critical", "system-node-critical"}


WALLS = {"resourcequotas", "limitranges", "networkpolicies", "roles", "rolebindings", "serviceaccounts", "endpoints"}


def test_developers_may_not_touch_the_walls() -> None:
    for rule in register(tenant())["Role", "tenant-developer"].props["rules"]:
        assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]
        assert not {"escalate", "bind", "impersonate", "deletecollection"} & set(rule["verbs"])
        assert not {"secrets", "serviceaccounts/token", "pods/ephemeralcontainers"} & set(rule["resources"])
        if (WALLS | {"endpointslices"}) & set(rule["resources"]):
            assert set(rule["verbs"]) <= {"get", "list", "watch"}


def test_the_tenants_groups_and_nobody_else_are_bound() -> None:
    binding = register(tenant())["RoleBinding", "tenant-developers"].props
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Role",
        "name": "tenant-developer",
    }
    assert [(subject["kind"], subject["name"]) for subject in binding["subjects"]] == [
        ("Group", "acme-developers"),
        ("Group", "acme-oncall"),
    ]


@pytest.mark.parametrize("tier", Tier)
def test_every_tier_makes_a_namespace(tier: Tier) -> None:
    assert register(tenant(tier=tier)).keys() >= OBJECTS


def test_platform_namespaces() -> None:
    def program() -> None:
        provider = kubernetes.Provider("aws-usw2", kubeconfig="{}")
        opts = ResourceOptions(providers=[provider])
        PlatformNamespaces("platform", cluster=cluster(), labels=LABELS, opts=opts)

    made = {(r.kind, r.props["metadata"]["name"]): r for r in record(program) if "metadata" in r.props}
    assert made.keys() == {
        ("PriorityClass", "platform-critical"),
        ("PriorityClass", "serving"),
        ("PriorityClass", "batch"),
        ("Namespace", "platform-system"),
        ("NetworkPolicy", "default-deny"),
        ("NetworkPolicy", "allow-dns"),
    }
    assert made["PriorityClass", "batch"].props["preemptionPolicy"] == "Never"
    assert not any(r.props["globalDefault"] for r in made.values() if r.kind == "PriorityClass")
    assert "meridian.dev/tenant" not in made["Namespace", "platform-system"].props["metadata"]["labels"]
