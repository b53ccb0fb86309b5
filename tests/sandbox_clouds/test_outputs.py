"""Outputs: what a create gives, what a preview knows, what stays on an update, and what is secret."""

from __future__ import annotations

import re

from sandbox.wire import is_secret, secret
from sandbox.world import World
from tests.sandbox_clouds.conftest import ACCOUNT, PROJECT, SUBSCRIPTION, Connect
from tests.sandbox_clouds.engine import UNKNOWN, Instance, Made


def test_ids_and_arns_have_the_clouds_shapes(vpc: Made, role: Made, group: Made, network: Made) -> None:
    assert re.fullmatch(r"vpc-[0-9a-f]{17}", vpc.id)
    assert vpc.outputs["arn"] == f"arn:aws:ec2:us-west-2:{ACCOUNT}:vpc/{vpc.id}"
    assert role.outputs["arn"] == f"arn:aws:iam::{ACCOUNT}:role/{role.id}"
    assert group.id == f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group.inputs['resourceGroupName']}"
    assert network.id == f"projects/{PROJECT}/global/networks/{network.inputs['name']}"
    assert network.outputs["selfLink"] == f"https://www.googleapis.com/compute/v1/{network.id}"


def test_azure_outputs_do_not_repeat_parts_of_the_path(group: Made) -> None:
    assert group.outputs["name"] == group.inputs["resourceGroupName"]
    assert "resourceGroupName" not in group.outputs


def test_a_preview_of_a_create_knows_arguments_and_nothing_that_the_cloud_computes(aws: Instance) -> None:
    outputs = aws.preview("aws:ec2/vpc:Vpc", "net", {"cidrBlock": "10.0.0.0/16", "tags": {"team": "a"}})
    assert outputs["cidrBlock"] == "10.0.0.0/16"
    assert outputs["tagsAll"] == {"team": "a"}
    assert outputs["region"] == "us-west-2"
    assert outputs["arn"] == outputs["defaultSecurityGroupId"] == UNKNOWN


def test_a_preview_marks_computed_outputs_inside_arguments(aws: Instance, azure: Instance) -> None:
    news = {"roleArn": UNKNOWN, "vpcConfig": {"subnetIds": [UNKNOWN]}}
    outputs = aws.preview("aws:eks/cluster:Cluster", "c", news)
    assert outputs["vpcConfig"]["vpcId"] == outputs["vpcConfig"]["clusterSecurityGroupId"] == UNKNOWN
    news = {"resourceGroupName": "rg", "location": "eastus", "oidcIssuerProfile": {"enabled": True}}
    outputs = azure.preview("azure-native:containerservice:ManagedCluster", "c", news)
    assert outputs["oidcIssuerProfile"] == {"enabled": True, "issuerURL": UNKNOWN}
    assert outputs["fqdn"] == UNKNOWN


def test_a_preview_and_the_create_after_it_agree(aws: Instance, azure: Instance, gcp: Instance) -> None:
    cases = [
        (aws, "aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}),
        (aws, "aws:iam/role:Role", {"assumeRolePolicy": "{}", "tags": {"a": "b"}}),
        (azure, "azure-native:resources:ResourceGroup", {"location": "eastus", "tags": {"a": "b"}}),
        (gcp, "gcp:compute/network:Network", {"autoCreateSubnetworks": False}),
        (gcp, "gcp:kms/keyRing:KeyRing", {"location": "europe-west1"}),
    ]
    for instance, type_, news in cases:
        before, after = instance.preview(type_, "x", news), instance.create(type_, "x", news).outputs
        assert set(after) <= set(before), type_
        assert {k: v for k, v in before.items() if v != UNKNOWN}.items() <= after.items(), type_


def test_an_update_of_a_bridged_type_keeps_what_does_not_change(aws: Instance, vpc: Made) -> None:
    news = {"cidrBlock": "10.0.0.0/16", "tags": {"team": "b"}}
    preview = aws.update(vpc, news, preview=True)
    assert preview.outputs == {**vpc.outputs, "tags": {"team": "b"}, "tagsAll": {"team": "b"}}
    assert aws.update(vpc, news).outputs == preview.outputs


def test_an_update_of_a_bridged_type_forgets_only_what_the_change_makes_new(aws: Instance) -> None:
    news = {"instanceType": "t3.small", "tags": {"team": "a"}}
    template = aws.create("aws:ec2/launchTemplate:LaunchTemplate", "lt", news)
    assert template.outputs["latestVersion"] == 1
    news = {**news, "instanceType": "t3.medium"}
    preview = aws.update(template, news, preview=True).outputs
    assert preview["latestVersion"] == UNKNOWN
    assert preview["arn"] == template.outputs["arn"]
    assert aws.update(template, news).outputs["latestVersion"] == 2


def test_an_update_on_azure_keeps_name_location_and_arguments_only(azure: Instance, group: Made) -> None:
    """As azure-native does: "a limited list of outputs that are universally immutable"."""
    news = {"resourceGroupName": group.outputs["name"], "tags": {"team": "a"}}
    identity = azure.create("azure-native:managedidentity:UserAssignedIdentity", "id", news)
    preview = azure.update(identity, {**news, "tags": {"team": "b"}}, preview=True).outputs
    assert preview["name"] == identity.outputs["name"]
    assert preview["location"] == "centralindia"
    assert preview["principalId"] == UNKNOWN
    after = azure.update(identity, {**news, "tags": {"team": "b"}}).outputs
    assert after["principalId"] == identity.outputs["principalId"]


def test_secret_arguments_are_secret_outputs(aws: Instance, world: World) -> None:
    news = {"description": secret("hidden"), "policy": '{"Version":"2012-10-17"}', "tags": {"a": secret("b")}}
    key = aws.create("aws:kms/key:Key", "k", news)
    assert key.outputs["description"] == secret("hidden")
    assert key.outputs["tags"] == {"a": secret("b")}
    found = aws.refresh(key)
    assert found is not None
    assert found.outputs["description"] == secret("hidden")


def test_a_secret_in_a_template_makes_the_output_secret(aws: Instance) -> None:
    role = aws.create("aws:iam/role:Role", "r", {"assumeRolePolicy": "{}", "path": secret("/hidden/")})
    assert is_secret(role.outputs["arn"])


def test_sensitive_outputs_are_secret(gcp: Instance) -> None:
    ring = gcp.create("gcp:kms/keyRing:KeyRing", "ring", {"location": "europe-west1"})
    key = gcp.create("gcp:kms/cryptoKey:CryptoKey", "key", {"keyRing": ring.id, "labels": {"team": "a"}})
    expected = {"goog-pulumi-provisioned": "true", "team": "a"}
    assert key.outputs["effectiveLabels"] == secret(expected)


def test_provider_wide_tags_are_added(connect: Connect) -> None:
    aws = connect("aws", defaultTags='{"tags": {"owner": "platform", "team": "x"}}')
    vpc = aws.create("aws:ec2/vpc:Vpc", "net", {"cidrBlock": "10.0.0.0/16", "tags": {"team": "a"}})
    assert vpc.outputs["tagsAll"] == {"owner": "platform", "team": "a"}
    assert vpc.outputs["tags"] == {"team": "a"}


def test_a_zone_id_names_the_zone(aws: Instance, vpc: Made) -> None:
    news = {"vpcId": vpc.id, "cidrBlock": "10.0.1.0/24", "availabilityZoneId": "usw2-az2"}
    subnet = aws.create("aws:ec2/subnet:Subnet", "s", news)
    assert subnet.outputs["availabilityZone"] == "us-west-2b"
    assert aws.invoke("aws:index/getAvailabilityZones:getAvailabilityZones")["zoneIds"][1] == "usw2-az2"


def test_identities_are_an_object_by_id_among_the_outputs(azure: Instance, group: Made) -> None:
    in_group = {"resourceGroupName": group.outputs["name"]}
    identity = azure.create("azure-native:managedidentity:UserAssignedIdentity", "id", in_group)
    news = {**in_group, "identity": {"type": "UserAssigned", "userAssignedIdentities": [identity.id]}}
    preview = azure.preview("azure-native:containerservice:ManagedCluster", "c", news)["identity"]
    assert preview["type"] == "UserAssigned"
    assert preview["userAssignedIdentities"] == preview["principalId"] == UNKNOWN
    cluster = azure.create("azure-native:containerservice:ManagedCluster", "c", news)
    assert cluster.outputs["identity"]["userAssignedIdentities"] == {identity.id: {}}


def test_a_type_without_data_is_echoed_and_recorded(aws: Instance, world: World) -> None:
    made = aws.create("aws:sns/topic:Topic", "events", {"displayName": "Events"})
    other = aws.create("aws:sns/topic:Topic", "events", {"displayName": "Events"})
    assert made.id != other.id
    assert made.outputs["displayName"] == "Events"
    assert world.generic_types() == ["aws:sns/topic:Topic"]
    aws.delete(made)
