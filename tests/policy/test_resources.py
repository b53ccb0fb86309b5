"""Rules about single resources: who owns them, and that none is a key."""

from __future__ import annotations

from typing import Any

import pytest

from policies.rules import Settings
from policies.rules.values import UNKNOWN
from tests.policy.baseline import DELETED, TAGS, judge, kubernetes, named, resource, spoil, spoiled, tenant

BUCKET = resource("aws:s3/bucket:Bucket", "logs", {"tags": TAGS})
TAGGED = [
    (("tags",), "aws:s3/bucket:Bucket"),
    (("tags",), "aws:eks/cluster:Cluster"),
    (("tags",), "azure-native:network:VirtualNetwork"),
    (("tags",), "azure-native:containerservice:AgentPool"),
    (("resourceLabels",), "gcp:container/cluster:Cluster"),
    (("labels",), "gcp:storage/bucket:Bucket"),
    (("userLabels",), "gcp:monitoring/notificationChannel:NotificationChannel"),
    (("settings", "userLabels"), "gcp:sql/databaseInstance:DatabaseInstance"),
    (("nodeConfig", "resourceLabels"), "gcp:container/nodePool:NodePool"),
]


def at(place: tuple[str, ...], value: Any) -> dict[str, Any]:
    for key in reversed(place):
        value = {key: value}
    return value


def auto_scaling_group(**change: Any) -> Any:
    tags = [{"key": key, "value": value, "propagateAtLaunch": True} for key, value in (TAGS | change).items()]
    return resource("aws:autoscaling/group:Group", "nodes", {"tags": tags})


@pytest.mark.parametrize(("place", "type_"), TAGGED)
def test_everything_taggable_is_judged_where_its_tags_sit(place: tuple[str, ...], type_: str) -> None:
    good = resource(type_, "main", at(place, TAGS))
    assert judge([good]) == []
    for key in TAGS:
        (message,) = judge([spoiled(good, (*place, key), DELETED)])
        assert message == (
            f"[required-labels] {type_.rpartition(':')[2]} main: {'.'.join(place)} lacks {key}; "
            "pass the component's labels, encoded for its cloud, to this resource"
        )
        (message,) = judge([spoiled(good, (*place, key), " ")])
        assert f"has no value for {key}" in message
    (message,) = judge([spoiled(good, place, DELETED)])
    assert f"lacks {', '.join(TAGS)}" in message


def test_tags_written_as_a_list() -> None:
    assert judge([auto_scaling_group()]) == []
    (message,) = judge([auto_scaling_group(owner="")])
    assert "tags has no value for owner" in message


def test_names_of_azures_tags_differ_by_more_than_case() -> None:
    upper = {key.upper(): value for key, value in TAGS.items()}
    assert judge([resource("azure-native:network:VirtualNetwork", "main", {"tags": upper})]) == []
    assert judge([resource("aws:ec2/vpc:Vpc", "main", {"tags": upper})]) != []


def test_namespaces_bear_the_keys_of_kubernetes() -> None:
    labels = named(tenant(), "Namespace", "tenant-acme").props["metadata"]["labels"]
    for key in labels:
        messages = judge(spoil(tenant(), "Namespace", "tenant-acme", ("metadata", "labels", key), DELETED))
        assert any(key in message for message in messages), key


@pytest.mark.parametrize("path", [("tags",), ("tags", "owner")])
def test_unknown_tags_are_decided_on_up(path: tuple[str, ...]) -> None:
    assert judge([spoiled(BUCKET, path, UNKNOWN)]) == []


def test_an_unknown_value_does_not_hide_a_missing_key() -> None:
    half = spoiled(spoiled(BUCKET, ("tags", "owner"), UNKNOWN), ("tags", "cost_center"), DELETED)
    (message,) = judge([half])
    assert "lacks cost_center" in message


def test_what_cannot_be_tagged_is_left_alone() -> None:
    assert judge([resource("aws:ec2/routeTableAssociation:RouteTableAssociation", "a", {})]) == []
    assert judge([resource("pulumi:providers:aws", "aws", {})]) == []


def test_the_required_keys_can_be_set() -> None:
    settings = Settings.of({"requiredLabels": ["team"]})
    (message,) = judge([BUCKET], settings)
    assert "lacks team" in message
    assert judge([spoiled(BUCKET, ("tags",), {"team": "x"})], settings) == []


KEYS = [
    "aws:iam/accessKey:AccessKey",
    "aws:iam/serviceSpecificCredential:ServiceSpecificCredential",
    "aws:iam/sshKey:SshKey",
    "aws:iam/userLoginProfile:UserLoginProfile",
    "gcp:serviceaccount/key:Key",
    "gcp:storage/hmacKey:HmacKey",
    "gcp:projects/apiKey:ApiKey",
    "azuread:index/applicationPassword:ApplicationPassword",
    "azuread:index/servicePrincipalPassword:ServicePrincipalPassword",
]


@pytest.mark.parametrize("type_", KEYS)
def test_keys_that_do_not_expire_are_refused(type_: str) -> None:
    (message,) = judge([resource(type_, "deploy", {"tags": TAGS})])
    kind = type_.rpartition(":")[2]
    assert message.startswith(f"[no-long-lived-keys] {kind} deploy: is ")
    assert "; use an identity of the workload" in message


SWITCHES = [
    ("azure-native:storage:StorageAccount", ("allowSharedKeyAccess",), False, True),
    ("azure-native:containerservice:ManagedCluster", ("disableLocalAccounts",), True, False),
    ("azure-native:eventhub:Namespace", ("disableLocalAuth",), True, False),
    ("azure-native:servicebus:Namespace", ("disableLocalAuth",), True, False),
    ("azure-native:cosmosdb:DatabaseAccount", ("disableLocalAuth",), True, False),
    ("azure-native:redisenterprise:Database", ("accessKeysAuthentication",), "Disabled", "Enabled"),
    ("azure-native:containerregistry:Registry", ("adminUserEnabled",), False, True),
]


@pytest.mark.parametrize(("type_", "path", "off", "on"), SWITCHES)
def test_services_that_hand_out_keys_have_them_turned_off(type_: str, path: tuple[str], off: Any, on: Any) -> None:
    good = resource(type_, "data", {"tags": TAGS, path[0]: off})
    assert judge([good]) == []
    (message,) = judge([spoiled(good, path, on)])
    assert message.startswith("[no-long-lived-keys] ")
    assert path[0] in message
    assert judge([spoiled(good, path, UNKNOWN)]) == []
    left_out = judge([spoiled(good, path, DELETED)])
    assert bool(left_out) is (path[0] != "adminUserEnabled")  # off unless asked for


def test_a_token_of_a_service_account_is_a_key() -> None:
    opaque = resource("kubernetes:core/v1:Secret", "s", {"metadata": {"name": "s"}, "type": "Opaque"})
    assert judge([opaque]) == []
    (message,) = judge([spoiled(opaque, ("type",), "kubernetes.io/service-account-token")])
    assert "is a token of a service account" in message
    assert judge([kubernetes("ServiceAccount", "x")]) == []
