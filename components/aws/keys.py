"""The key that a cluster's secrets and logs are encrypted with."""

from __future__ import annotations

import json

from pulumi import Output, ResourceOptions
from pulumi_aws import kms

from components.aws.labels import encode
from components.labels import Labels
from components.spec import Place


def cluster_key(
    name: str, *, cluster_role: Output[str], log_group: str, place: Place, labels: Labels, opts: ResourceOptions
) -> kms.Key:
    """A key that rotates every year, for the secrets of one cluster and the logs of its control plane.

    The account decides by IAM who may use it; whoever deploys needs kms:DescribeKey and kms:CreateGrant, since EKS
    takes its grant in the name of the caller
    (https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html). CloudWatch Logs has to be named in the key's own
    policy, and only for this log group
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html).
    """
    logs = f"arn:aws:logs:{place.location}:{place.account}:log-group:{log_group}"

    def policy(role: str) -> str:
        use = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        return json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "AccountDecidesByIam",
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{place.account}:root"},
                        "Action": "kms:*",
                        "Resource": "*",
                    },
                    {
                        "Sid": "SecretsOfTheCluster",
                        "Effect": "Allow",
                        "Principal": {"AWS": role},
                        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"],
                        "Resource": "*",
                    },
                    {
                        "Sid": "LogsOfTheControlPlane",
                        "Effect": "Allow",
                        "Principal": {"Service": f"logs.{place.location}.amazonaws.com"},
                        "Action": use,
                        "Resource": "*",
                        "Condition": {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": logs}},
                    },
                ],
            }
        )

    return kms.Key(
        f"{name}-cluster",
        description=f"Secrets and control plane logs of {name}",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        policy=cluster_role.apply(policy),
        tags=encode(labels, f"{name}-cluster"),
        opts=opts,
    )
