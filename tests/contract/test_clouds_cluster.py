"""The same cluster on every cloud: private, encrypted, audited, scaling, with one shape of outputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from ipaddress import IPv4Network
from typing import Any

import pytest
import yaml

from components.outputs import ClusterOutputs, IdentityEndpoint, WorkloadIdentityOutputs
from components.spec import Cloud, ClusterSpec
from tests.contract.conftest import ADMINS, Deployment

CONTROL_PLANES = {
    Cloud.AWS: "aws:eks/cluster:Cluster",
    Cloud.AZURE: "azure-native:containerservice:ManagedCluster",
    Cloud.GCP: "gcp:container/cluster:Cluster",
}
OFFICE = IPv4Network("198.51.100.0/24")
SIGN_IN = {Cloud.AWS: "aws", Cloud.AZURE: "kubelogin", Cloud.GCP: "gke-gcloud-auth-plugin"}


def control_plane(region: Deployment) -> Mapping[str, Any]:
    return region.one(CONTROL_PLANES[region.cloud]).props


# --- outputs ---


def test_every_output_is_set(region: Deployment) -> None:
    assert set(region.cluster) == {field.name for field in fields(ClusterOutputs)}
    assert all(region.cluster.values())
    assert set(region.identity) == {field.name for field in fields(WorkloadIdentityOutputs)}
    assert region.identity["principal"]


def test_outputs_have_the_same_types_everywhere(regions: Mapping[Cloud, Deployment]) -> None:
    for field in fields(ClusterOutputs):
        assert len({type(region.cluster[field.name]) for region in regions.values()}) == 1, field.name
    for region in regions.values():
        assert all(isinstance(one, IdentityEndpoint) for one in region.cluster["identity_endpoints"])


def test_the_version_is_the_one_asked_for(region: Deployment) -> None:
    assert region.cluster["version"].startswith("1.35")
    asked = control_plane(region)
    assert (asked.get("version") or asked.get("kubernetesVersion") or asked.get("minMasterVersion")) == "1.35"


def test_kubeconfigs_sign_in_by_the_clouds_program_and_hold_nothing_that_expires(region: Deployment) -> None:
    found = yaml.safe_load(region.cluster["kubeconfig"])
    (user,) = found["users"]
    assert set(user["user"]) == {"exec"}
    assert user["user"]["exec"]["command"] == SIGN_IN[region.cloud]
    assert found["current-context"] == "meridian-staging-here"
    assert found["clusters"][0]["cluster"]["server"].startswith("https://")


def test_kubeconfigs_are_secret(region: Deployment) -> None:
    assert region.one("test:index:Reader").secrets == {"kubeconfig"}


def test_identities_of_workloads_need_no_key(region: Deployment) -> None:
    made = {one.type for one in region.resources}
    assert not {kind for kind in made if "accessKey" in kind or "serviceaccount/key" in kind}
    identity = region.identity
    match region.cloud:
        case Cloud.AWS:
            association = region.one("aws:eks/podIdentityAssociation:PodIdentityAssociation").props
            assert (association["namespace"], association["serviceAccount"]) == ("tenant-acme", "workload")
            assert association["roleArn"] == identity["principal"] == region.cluster["identity_anchor"]
        case Cloud.AZURE:
            credential = region.one("azure-native:managedidentity:FederatedIdentityCredential").props
            assert credential["subject"] == "system:serviceaccount:tenant-acme:workload"
            assert credential["issuer"] == region.cluster["oidc_issuer"]
            assert credential["audiences"] == ["api://AzureADTokenExchange"]
            assert set(identity["annotations"]) == {"azure.workload.identity/client-id"}
            assert identity["pod_labels"] == {"azure.workload.identity/use": "true"}
        case Cloud.GCP:
            assert identity["principal"] == (
                "principal://iam.googleapis.com/projects/123456789/locations/global/workloadIdentityPools/"
                "meridian-staging.svc.id.goog/subject/ns/tenant-acme/sa/workload"
            )


# --- private ---


def is_public(region: Deployment) -> bool:
    asked = control_plane(region)
    match region.cloud:
        case Cloud.AWS:
            return asked["vpcConfig"]["endpointPublicAccess"]
        case Cloud.AZURE:
            return not asked["apiServerAccessProfile"]["enablePrivateCluster"]
        case Cloud.GCP:
            return not asked["privateClusterConfig"]["enablePrivateEndpoint"]


def authorized(region: Deployment) -> list[str]:
    asked = control_plane(region)
    match region.cloud:
        case Cloud.AWS:
            return asked["vpcConfig"].get("publicAccessCidrs", [])
        case Cloud.AZURE:
            return asked["apiServerAccessProfile"].get("authorizedIPRanges", [])
        case Cloud.GCP:
            return [one["cidrBlock"] for one in asked["masterAuthorizedNetworksConfig"].get("cidrBlocks", [])]


def test_the_api_server_is_private_by_default(region: Deployment) -> None:
    assert not is_public(region)
    assert authorized(region) == []


@pytest.mark.parametrize("cloud", Cloud)
def test_it_is_public_only_for_the_ranges_that_are_named(cloud: Cloud, redeploy: Callable[..., Deployment]) -> None:
    region = redeploy(cloud, spec=ClusterSpec(authorized_ranges=(OFFICE,)))
    assert is_public(region)
    assert authorized(region) == [str(OFFICE)]


def test_the_api_server_has_its_addresses_in_the_control_subnets(region: Deployment) -> None:
    asked, control = control_plane(region), region.network["control_subnets"]
    match region.cloud:
        case Cloud.AWS:
            assert asked["vpcConfig"]["subnetIds"] == control
            assert asked["vpcConfig"]["endpointPrivateAccess"]
        case Cloud.AZURE:
            assert asked["apiServerAccessProfile"]["enableVnetIntegration"]
            assert [asked["apiServerAccessProfile"]["subnetId"]] == control
        case Cloud.GCP:
            assert [asked["privateClusterConfig"]["privateEndpointSubnetwork"]] == control


# --- who gets in ---


def test_nobody_has_a_local_account(region: Deployment) -> None:
    asked = control_plane(region)
    match region.cloud:
        case Cloud.AWS:
            assert asked["accessConfig"] == {
                "authenticationMode": "API",
                "bootstrapClusterCreatorAdminPermissions": False,
            }
        case Cloud.AZURE:
            assert asked["disableLocalAccounts"] is True
            assert asked["aadProfile"]["enableAzureRBAC"] is True
        case Cloud.GCP:
            assert asked["masterAuth"]["clientCertificateConfig"]["issueClientCertificate"] is False
            assert asked["enableLegacyAbac"] is False


def test_admin_groups_administer_the_cluster(region: Deployment) -> None:
    group = ADMINS[region.cloud]
    match region.cloud:
        case Cloud.AWS:
            found = region.one("aws:eks/accessPolicyAssociation:AccessPolicyAssociation").props
            assert found["principalArn"] == group
            assert found["policyArn"].endswith("AmazonEKSClusterAdminPolicy")
        case Cloud.AZURE:
            assert control_plane(region)["aadProfile"]["adminGroupObjectIDs"] == [group]
        case Cloud.GCP:
            found = next(one for one in region.of("gcp:projects/iAMMember:IAMMember") if "-admin-" in one.name).props
            assert (found["role"], found["member"]) == ("roles/container.admin", f"group:{group}")
            assert "/clusters/meridian-staging-here" in found["condition"]["expression"]


@pytest.mark.parametrize("cloud", Cloud)
def test_without_admin_groups_nobody_is_added(cloud: Cloud, redeploy: Callable[..., Deployment]) -> None:
    region = redeploy(cloud, spec=ClusterSpec())
    assert not [one for one in region.resources if "-admin-" in one.name]


# --- encrypted and audited ---


def test_secrets_are_encrypted_with_a_key_of_their_own_that_rotates(region: Deployment) -> None:
    asked = control_plane(region)
    match region.cloud:
        case Cloud.AWS:
            key = region.one("aws:kms/key:Key").props
            assert key["enableKeyRotation"] is True
            assert asked["encryptionConfig"]["resources"] == ["secrets"]
            assert asked["encryptionConfig"]["provider"]["keyArn"].endswith("key/staging-here-cluster")
        case Cloud.AZURE:
            kms = asked["securityProfile"]["azureKeyVaultKms"]
            assert kms["enabled"]
            assert kms["keyVaultNetworkAccess"] == "Private"
            assert kms["keyId"].endswith("/keys/secrets/1")  # with its version, or AKS refuses it
            key = region.one("azure-native:keyvault:Key").props["properties"]
            assert key["rotationPolicy"]["lifetimeActions"][0]["action"]["type"] == "rotate"
            vault = region.one("azure-native:keyvault:Vault").props["properties"]
            assert vault["enableRbacAuthorization"]
            assert vault["enablePurgeProtection"]
            assert vault["publicNetworkAccess"] == "Disabled"
        case Cloud.GCP:
            assert asked["databaseEncryption"]["state"] == "ENCRYPTED"
            assert asked["databaseEncryption"]["keyName"]
            assert region.one("gcp:kms/cryptoKey:CryptoKey").props["rotationPeriod"] == "7776000s"


def test_whoever_uses_the_key_may_use_it_before_the_cluster_is_made(region: Deployment) -> None:
    cluster = region.one(CONTROL_PLANES[region.cloud])
    match region.cloud:
        case Cloud.AWS:
            statements = json.loads(region.one("aws:kms/key:Key").props["policy"])["Statement"]
            logs = next(one for one in statements if "Service" in one["Principal"])
            assert logs["Principal"]["Service"] == "logs.us-west-2.amazonaws.com"
            assert logs["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"].endswith(
                ":log-group:/aws/eks/meridian-staging-here/cluster"
            )
            assert region.one("aws:cloudwatch/logGroup:LogGroup").urn in cluster.depends_on
        case Cloud.AZURE:
            roles = [
                one.urn for one in region.of("azure-native:authorization:RoleAssignment") if "admin" not in one.name
            ]
            assert len(roles) == 3
            assert set(roles) <= set(cluster.depends_on)
        case Cloud.GCP:
            grant = region.one("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
            assert "container-engine-robot" in grant.props["member"]
            assert grant.urn in cluster.depends_on


@pytest.mark.parametrize(
    ("cloud", "asked", "kept"),
    [
        (Cloud.AWS, 30, 30),
        (Cloud.AWS, 91, 120),
        (Cloud.AWS, 730, 731),
        (Cloud.AZURE, 7, 30),
        (Cloud.AZURE, 365, 365),
        (Cloud.GCP, 90, 90),
    ],
)
def test_audit_logs_are_kept_as_long_as_asked(
    cloud: Cloud, asked: int, kept: int, redeploy: Callable[..., Deployment]
) -> None:
    region = redeploy(cloud, spec=ClusterSpec(log_retention_days=asked))
    match cloud:
        case Cloud.AWS:
            assert region.one("aws:cloudwatch/logGroup:LogGroup").props["retentionInDays"] == kept
        case Cloud.AZURE:
            assert region.one("azure-native:operationalinsights:Workspace").props["retentionInDays"] == kept
        case Cloud.GCP:
            assert region.one("gcp:logging/projectBucketConfig:ProjectBucketConfig").props["retentionDays"] == kept


def test_the_audit_log_is_among_what_is_kept(region: Deployment) -> None:
    match region.cloud:
        case Cloud.AWS:
            assert "audit" in control_plane(region)["enabledClusterLogTypes"]
            group = region.one("aws:cloudwatch/logGroup:LogGroup").props
            assert group["name"] == f"/aws/eks/{control_plane(region)['name']}/cluster"
            assert group["kmsKeyId"]
        case Cloud.AZURE:
            setting = region.one("azure-native:monitor:DiagnosticSetting").props
            assert {"category": "kube-audit", "enabled": True} in setting["logs"]
            assert setting["workspaceId"]
            assert setting["resourceUri"]
        case Cloud.GCP:
            sink = region.one("gcp:logging/projectSink:ProjectSink").props
            assert '"k8s_cluster"' in sink["filter"]
            assert 'cluster_name="meridian-staging-here"' in sink["filter"]
            assert "APISERVER" in control_plane(region)["loggingConfig"]["enableComponents"]


# --- inside ---


def test_network_policies_are_enforced(region: Deployment) -> None:
    asked = control_plane(region)
    match region.cloud:
        case Cloud.AWS:
            plugin = json.loads(region.one("aws:eks/addon:Addon", "-vpc-cni").props["configurationValues"])
            assert plugin["enableNetworkPolicy"] == "true"
            configs = plugin["eniConfig"]["subnets"]
            assert {zone: one["id"] for zone, one in configs.items()} == region.network["pod_subnets"]
            assert all(one["securityGroups"] == region.network["node_security_groups"] for one in configs.values())
        case Cloud.AZURE:
            assert asked["networkProfile"]["networkPolicy"] == asked["networkProfile"]["networkDataplane"] == "cilium"
        case Cloud.GCP:
            assert asked["datapathProvider"] == "ADVANCED_DATAPATH"


def test_roles_of_aws_are_trusted_to_one_service_each(regions: Mapping[Cloud, Deployment]) -> None:
    trusts = {
        one.name.removeprefix("staging-here-"): json.loads(one.props["assumeRolePolicy"])["Statement"][0]
        for one in regions[Cloud.AWS].of("aws:iam/role:Role")
    }
    assert {name: one["Principal"]["Service"] for name, one in trusts.items()} == {
        "control": "eks.amazonaws.com",
        "nodes": "ec2.amazonaws.com",
        "vpc-cni": "pods.eks.amazonaws.com",
        "aws-ebs-csi-driver": "pods.eks.amazonaws.com",
        "tenants": "pods.eks.amazonaws.com",
    }
    for name in ("vpc-cni", "aws-ebs-csi-driver", "tenants"):
        assert trusts[name]["Action"] == ["sts:AssumeRole", "sts:TagSession"]
        assert "aws:RequestTag/eks-cluster-arn" in trusts[name]["Condition"]["StringEquals"]
    attached = regions[Cloud.AWS].of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    assert not [one for one in attached if one.props["role"].endswith("tenants")]


# --- deletion ---


def test_only_the_engine_protects_and_only_what_was_asked_for(
    region: Deployment, redeploy: Callable[..., Deployment]
) -> None:
    assert not [one for one in region.resources if one.protect]
    assert control_plane(region).get("deletionProtection") in (None, False)
    kept = redeploy(region.cloud, protect=True)
    cluster = kept.one(CONTROL_PLANES[region.cloud])
    assert cluster.protect
    network = next(one for one in kept.made if one.type == "meridian:components:Network")
    assert not network.protect


def test_support_is_standard_and_patches_come_by_themselves(region: Deployment) -> None:
    asked = control_plane(region)
    match region.cloud:
        case Cloud.AWS:
            assert asked["upgradePolicy"]["supportType"] == "STANDARD"
        case Cloud.AZURE:
            assert asked["autoUpgradeProfile"] == {"upgradeChannel": "patch", "nodeOSUpgradeChannel": "NodeImage"}
        case Cloud.GCP:
            assert asked["releaseChannel"]["channel"] == "REGULAR"
            (exclusion,) = asked["maintenancePolicy"]["maintenanceExclusions"]
            assert exclusion["exclusionOptions"]["scope"] == "NO_MINOR_UPGRADES"
