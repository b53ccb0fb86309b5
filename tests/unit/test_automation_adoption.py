"""A state is brought to agree with what exists, without losing a secret or inventing a resource."""

from __future__ import annotations

import json
from typing import Any

from automation.adoption import Made, reconcile, stack_of

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
URN = "urn:pulumi:staging.aws-usw2::meridian::"
STACK = f"{URN}pulumi:pulumi:Stack::meridian-staging.aws-usw2"
COMPONENT = f"{URN}meridian:components:Network::staging-aws-usw2"
OTHER = f"{URN}meridian:components:Network::another"
PROVIDER = f"{URN}pulumi:providers:aws::cloud"
VPC = f"{URN}meridian:components:Network$aws:ec2/vpc:Vpc::staging-aws-usw2"
SUBNET = f"{URN}meridian:components:Network$aws:ec2/subnet:Subnet::staging-aws-usw2-a"


def ciphertext(text: str) -> dict[str, str]:
    return {SIGNATURE: SECRET, "ciphertext": text}


def hidden(value: object) -> dict[str, str]:
    return {SIGNATURE: SECRET, "plaintext": json.dumps(value)}


def entry(urn: str, **more: Any) -> dict[str, Any]:
    return {"urn": urn, "type": urn.split("::")[2].rpartition("$")[2], "custom": "id" in more, **more}


def deployment(*pending: dict[str, Any]) -> dict[str, Any]:
    resources = [
        entry(STACK),
        entry(OTHER, parent=STACK),
        entry(COMPONENT, parent=STACK),
        entry(PROVIDER, id="p-1"),
        entry(VPC, id="vpc-1", parent=COMPONENT, provider=f"{PROVIDER}::p-1", inputs={"cidrBlock": "10.0.0.0/16"}),
    ]
    return {"resources": resources, "pending_operations": list(pending)}


def subnet(**inputs: Any) -> Made:
    return Made(SUBNET, "subnet-1", "aws", {"vpcId": "vpc-1", **inputs}, {"vpcId": "vpc-1", "arn": "arn:x", **inputs})


def creating(**more: Any) -> dict[str, Any]:
    resource = {**entry(SUBNET), "custom": True, "parent": COMPONENT, "provider": f"{PROVIDER}::p-1", **more}
    return {"type": "creating", "resource": resource}


VPC_MADE = Made(VPC, "vpc-1", "aws", {}, {})


def test_nothing_is_edited_when_state_and_cloud_agree() -> None:
    assert not reconcile({**deployment(), "pending_operations": None}, [VPC_MADE])


def test_a_pending_creation_that_worked_becomes_a_resource_as_the_engine_had_begun_it() -> None:
    pending = creating(inputs={"vpcId": "vpc-1"}, dependencies=[VPC], sourcePosition="project:///x")
    edit = reconcile(deployment(pending), [VPC_MADE, subnet()])
    assert edit.adopted == [SUBNET]
    assert "pending_operations" not in edit.deployment
    assert edit.deployment["resources"][-1] == {
        **entry(SUBNET, id="subnet-1"),
        "parent": COMPONENT,
        "provider": f"{PROVIDER}::p-1",
        "dependencies": [VPC],
        "inputs": {"vpcId": "vpc-1"},
        "outputs": {"vpcId": "vpc-1", "arn": "arn:x"},
    }


def test_a_pending_creation_that_made_nothing_is_dropped() -> None:
    edit = reconcile(deployment(creating(inputs={})), [VPC_MADE])
    assert (edit.adopted, edit.dropped) == ([], [SUBNET])
    assert [one["urn"] for one in edit.deployment["resources"]][-1] == VPC


def test_pending_updates_and_deletions_are_dropped_and_their_resource_stays_as_recorded() -> None:
    before = deployment({"type": "updating", "resource": entry(VPC, id="vpc-1")})
    edit = reconcile(before, [VPC_MADE])
    assert edit.dropped == [VPC]
    assert edit.deployment["resources"] == before["resources"]


def test_what_failed_after_it_had_worked_finds_its_parent_provider_and_dependencies() -> None:
    made = reconcile(deployment(), [VPC_MADE, subnet()]).deployment["resources"][-1]
    assert made["parent"] == COMPONENT
    assert made["provider"] == f"{PROVIDER}::p-1"
    assert made["dependencies"] == [VPC]


def test_a_second_copy_is_recorded_as_to_be_deleted() -> None:
    edit = reconcile(deployment(), [VPC_MADE, Made(VPC, "vpc-2", "aws", {"cidrBlock": "10.0.0.0/16"}, {})])
    assert edit.duplicates == [VPC]
    assert edit.deployment["resources"][-1]["delete"] is True
    assert edit.deployment["resources"][-1]["id"] == "vpc-2"
    assert edit.deployment["resources"][-2]["id"] == "vpc-1"


def test_secrets_of_inputs_stay_encrypted_and_those_of_outputs_become_so() -> None:
    pending = creating(inputs={"password": ciphertext("v1:x")}, additionalSecretOutputs=["token"])
    made = Made(
        SUBNET, "s", "aws", {"password": "p"}, {"password": "p", "token": "t", "key": {SIGNATURE: SECRET, "value": 1}}
    )
    adopted = reconcile(deployment(pending), [VPC_MADE, made]).deployment["resources"][-1]
    assert adopted["inputs"] == {"password": ciphertext("v1:x")}
    assert adopted["outputs"] == {"password": hidden("p"), "token": hidden("t"), "key": hidden(1)}


def test_the_secrets_of_a_second_copy_are_those_of_the_first() -> None:
    state = deployment()
    state["resources"][-1]["inputs"] = {"password": ciphertext("v1:x")}
    copied = reconcile(state, [VPC_MADE, Made(VPC, "vpc-2", "aws", {"password": "p"}, {"password": "p"})])
    assert copied.deployment["resources"][-1]["inputs"] == {"password": hidden("p")}
    assert copied.deployment["resources"][-1]["outputs"] == {"password": hidden("p")}


def test_the_given_deployment_is_not_changed() -> None:
    before = deployment(creating(inputs={}))
    copy = json.loads(json.dumps(before))
    reconcile(before, [VPC_MADE, subnet()])
    assert before == copy


def test_an_empty_stack_can_be_reconciled() -> None:
    assert not reconcile({}, [])


def test_a_urn_tells_its_stack() -> None:
    assert stack_of(VPC) == "staging.aws-usw2"
