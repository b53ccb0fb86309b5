"""Roles: who may become them, and what they may do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pulumi import Output, ResourceOptions
from pulumi_aws import iam

from components.aws.labels import encode
from components.labels import Labels
from components.naming import stem
from components.ordering import once_made

_MANAGED = "arn:aws:iam::aws:policy"


def role(
    name: str,
    *,
    trusts: Output[str] | str,
    labels: Labels,
    opts: ResourceOptions,
    policies: Sequence[str] = (),
) -> Output[str]:
    """The ARN of a role that a service of AWS may assume, with managed policies such as `AmazonEKSClusterPolicy`.

    It is handed out when the policies are attached. `trusts`: who may assume it, from `service` or `pods`.
    """
    logical = stem("aws/iam-role", name)
    made = iam.Role(
        logical,
        assume_role_policy=trusts,
        tags=encode(labels, name),
        opts=opts,
    )
    attached = [
        iam.RolePolicyAttachment(
            f"{logical}-{policy.rpartition('/')[2]}", role=made.name, policy_arn=f"{_MANAGED}/{policy}", opts=opts
        )
        for policy in policies
    ]
    return once_made(made.arn, *attached)


def service(name: str) -> str:
    """Trust in a service of AWS, such as eks.amazonaws.com."""
    return _document({"Principal": {"Service": name}, "Action": "sts:AssumeRole"})


def pods(cluster: Output[str]) -> Output[str]:
    """Trust in the pods of one cluster, by its ARN.

    Pods get the role from EKS, which tags the session with where they run; the trust holds to that tag
    (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html). Which pods: that is what associations say.
    """
    return cluster.apply(
        lambda arn: _document(
            {
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
                "Condition": {"StringEquals": {"aws:RequestTag/eks-cluster-arn": arn}},
            }
        )
    )


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
