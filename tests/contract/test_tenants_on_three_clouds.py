"""The same tenant, registered on each cloud, is the same tenant but for a listed set of fields."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pulumi_aws
import pulumi_azure_native
import pulumi_gcp
import pulumi_kubernetes
import pytest
from pulumi import Output, ProviderResource, ResourceOptions

from components import kubernetes_labels
from components.clouds import CLOUDS
from components.labels import Labels
from components.outputs import ClusterOutputs, IdentityEndpoint
from components.priorities import RESERVED_PRIORITIES
from components.spec import Cloud, Place, TenantSpec, Tier
from components.tenant_namespace import CLOUD_SPECIFIC, TenantNamespace
from policies.rules import Settings
from tests.policy.baseline import as_judged, judge
from tests.recording import Registered, record

LABELS = Labels(environment="staging", stack="staging.somewhere.tenants-00", owner="ml-platform", cost_center="cc-1")
PLACES = {
    Cloud.AWS: Place(cloud=Cloud.AWS, location="us-west-2", account="111111111111"),
    Cloud.AZURE: Place(cloud=Cloud.AZURE, location="centralindia", account="00000000-0000-0000-0000-000000000001"),
    Cloud.GCP: Place(cloud=Cloud.GCP, location="europe-west1", account="meridian-test"),
}
ENDPOINTS = {
    Cloud.AWS: (IdentityEndpoint(cidr="169.254.170.23/32", ports=(80,)),),
    Cloud.AZURE: (IdentityEndpoint(cidr="20.190.128.0/18", ports=(443,)),),
    Cloud.GCP: (IdentityEndpoint(cidr="169.254.169.254/32", ports=(80, 988)),),
}
INVOKES = {
    "azure-native:managedidentity:getUserAssignedIdentity": {"principalId": "principal", "clientId": "client"},
}


def tenant(**change: Any) -> TenantSpec:
    spec = {
        "id": "acme",
        "name": "Acme",
        "tier": "standard",
        "owner": "platform@acme.example",
        "cost_center": "cc-4100",
        "developers": ["acme-developers"],
    }
    return TenantSpec.model_validate(spec | change)


def provider(cloud: Cloud) -> ProviderResource:
    match cloud:
        case Cloud.AWS:
            return pulumi_aws.Provider("cloud", region="us-west-2")
        case Cloud.AZURE:
            return pulumi_azure_native.Provider("cloud", subscription_id=PLACES[cloud].account)
        case Cloud.GCP:
            return pulumi_gcp.Provider("cloud", project=PLACES[cloud].account)


def cluster(cloud: Cloud) -> ClusterOutputs:
    text = Output.from_input("known")
    return ClusterOutputs(
        name=text,
        version=text,
        kubeconfig=Output.secret("{}"),
        oidc_issuer=text,
        identity_anchor=text,
        identity_endpoints=Output.from_input(ENDPOINTS[cloud]),
        storage_class=text,
    )


def register(cloud: Cloud, spec: TenantSpec, **how: Any) -> list[Registered]:
    def program() -> None:
        providers = [provider(cloud), pulumi_kubernetes.Provider("cluster", kubeconfig="{}")]
        opts = ResourceOptions(providers=providers)
        TenantNamespace(spec.id, tenant=spec, cluster=cluster(cloud), place=PLACES[cloud], labels=LABELS, opts=opts)

    return record(program, invokes=INVOKES, **how)


def objects(made: list[Registered]) -> dict[tuple[str, str], dict[str, Any]]:
    """(kind, name) -> properties of what is in the cluster."""
    return {
        (one.kind, one.props["metadata"]["name"]): deepcopy(dict(one.props))
        for one in made
        if one.type.startswith("kubernetes:")
    }


def take(props: dict[str, Any], path: str) -> Any:
    *above, last = path.split(".")
    for key in above:
        props = props[key]
    return props.pop(last)


@pytest.mark.parametrize("tier", Tier)
def test_a_tenant_is_the_same_on_every_cloud_but_for_the_listed_fields(tier: Tier) -> None:
    found = {cloud: objects(register(cloud, tenant(tier=tier))) for cloud in Cloud}
    listed: Mapping[tuple[str, str], dict[Cloud, Any]] = {
        key: {cloud: take(found[cloud][key], path) for cloud in Cloud} for key, path in CLOUD_SPECIFIC.items()
    }
    assert found[Cloud.AWS] == found[Cloud.AZURE] == found[Cloud.GCP]
    for key, values in listed.items():  # what is listed does differ, or it would not need to be
        assert any(value != values[Cloud.AWS] for value in values.values()), key


def test_the_list_of_what_differs_is_short() -> None:
    assert len(CLOUD_SPECIFIC) <= 2


@pytest.mark.parametrize("cloud", Cloud)
def test_the_objects_are_in_the_cluster_and_the_identity_in_the_cloud(cloud: Cloud) -> None:
    for one in register(cloud, tenant()):
        if one.type.startswith("kubernetes:"):
            assert "pulumi:providers:kubernetes::cluster" in one.provider
        elif one.type.startswith(f"{'azure-native' if cloud is Cloud.AZURE else cloud}:"):
            assert "::cloud" in one.provider
        else:
            assert one.type.startswith(("pulumi:providers:", "meridian:components:")), one.type


@pytest.mark.parametrize("how", [{}, {"preview": True, "silent": True}], ids=["up", "first preview"])
@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("cloud", Cloud)
def test_a_tenant_breaks_no_rule(cloud: Cloud, tier: Tier, how: dict[str, bool]) -> None:
    resources = as_judged(register(cloud, tenant(tier=tier), **how))
    assert len(resources) > 12
    assert judge(resources) == []


@pytest.mark.parametrize("cloud", Cloud)
def test_whatever_object_is_taken_away_a_rule_notices(cloud: Cloud) -> None:
    resources = as_judged(register(cloud, tenant()))
    for one in resources:
        if one.type.startswith("kubernetes:"):
            assert judge([other for other in resources if other is not one]), one.name


def test_policies_require_what_labels_require() -> None:
    required = {name for name, field in Labels.model_fields.items() if name not in ("tenant", "tier")} | {"component"}
    assert set(Settings().required_labels) == required
    for key in required:
        assert Settings().kubernetes_key(key) == kubernetes_labels.key(key)
    assert Settings().tenant_label == kubernetes_labels.TENANT
    assert Settings().groups_annotation == kubernetes_labels.GROUPS


def test_policies_reserve_the_priorities_that_the_platform_reserves() -> None:
    assert set(Settings().reserved_priorities) == set(RESERVED_PRIORITIES)


def test_every_cloud_is_registered_from_the_one_map() -> None:
    assert set(CLOUDS) == set(Cloud) == set(PLACES)
