"""Regions that do not go together, or ask for what their cloud does not have."""

from __future__ import annotations

import pytest

from tests.unit.bad_input.case import STAGING, Case

REGIONS = [
    Case(
        "two regions of one name",
        STAGING,
        "name: europe",
        "name: west",
        "Pulumi.staging.yaml:19: regions.west.name: west names two regions, the first in line 7",
    ),
    Case(
        "a region named like a stack of the whole environment",
        STAGING,
        "name: europe",
        "name: global",
        "Pulumi.staging.yaml:19: regions.global.name: global is reserved: a stack of that name belongs to no region",
    ),
    Case(
        "two primary regions",
        STAGING,
        "role: secondary",
        "role: primary",
        """Pulumi.staging.yaml:23: regions.europe.role: a second primary region beside west
  accepted: secondary or tertiary; exactly one region is primary""",
    ),
    Case(
        "no primary region",
        STAGING,
        "role: primary",
        "role: secondary",
        """Pulumi.staging.yaml:11: regions.west.role: no region has the role primary
  accepted: exactly one of europe, india, west as primary""",
    ),
    Case(
        "a primary region that waits",
        STAGING,
        "role: primary",
        "role: primary\n        mode: passive",
        """Pulumi.staging.yaml:12: regions.west.mode: the primary region is passive, so none would serve
  accepted: active""",
    ),
    Case(
        "a pool whose limits are swapped",
        STAGING,
        "min: 3, max: 6",
        "min: 7, max: 6",
        "Pulumi.staging.yaml:18: regions.west.cluster.system_pool.min: min 7 is more than max 6",
    ),
    Case(
        "a general pool whose limits are swapped",
        STAGING,
        "system_pool: {size: small, min: 3, max: 6}",
        "general_pool: {min: 11, max: 10}",
        "Pulumi.staging.yaml:18: regions.west.cluster.general_pool.min: min 11 is more than max 10",
    ),
    Case(
        "an API server open to everybody",
        STAGING,
        'version: "1.35"',
        'authorized_ranges: ["0.0.0.0/0"]',
        "Pulumi.staging.yaml:17: regions.west.cluster.authorized_ranges[0]: "
        "0.0.0.0/0 opens the API server to the whole internet\n"
        "  accepted: the ranges of your offices, VPNs and runners",
    ),
]

CATALOGUE = [
    Case(
        "the AWS name of a region on GCP",
        STAGING,
        "location: europe-west1",
        "location: eu-west-1",
        """Pulumi.staging.yaml:21: regions.europe.location: eu-west-1 is a region of aws (Dublin), not of gcp
  did you mean: europe-west1
  accepted: us-central1, …""",
    ),
    Case(
        "the AWS name of a region on Azure",
        STAGING,
        "location: centralindia",
        "location: ap-south-1",
        """Pulumi.staging.yaml:30: regions.india.location: ap-south-1 is a region of aws (Mumbai), not of azure
  did you mean: centralindia
  accepted: eastus, …""",
    ),
    Case(
        "a misspelt region",
        STAGING,
        "location: us-west-2",
        "location: us-wset-2",
        """Pulumi.staging.yaml:9: regions.west.location: us-wset-2 is not a region of aws
  did you mean: us-west-2
  accepted: us-east-1, …""",
    ),
    Case(
        "a region in capital letters",
        STAGING,
        "location: centralindia",
        "location: CentralIndia",
        """Pulumi.staging.yaml:30: regions.india.location: CentralIndia is not a region of azure
  did you mean: centralindia
  accepted: eastus, …""",
    ),
    Case(
        "an account that is too short for AWS",
        STAGING,
        '"111122223333"',
        '"11112222333"',
        """Pulumi.staging.yaml:10: regions.west.account: 11112222333 is no account of aws
  accepted: an AWS account id: 12 digits, in quotes, such as "111122223333\"""",
    ),
    Case(
        "a subscription by its name",
        STAGING,
        '"5f0c0a1e-3b7d-4c59-9d1a-2f6d1c1e7a10"',
        "Pay-As-You-Go",
        """Pulumi.staging.yaml:31: regions.india.account: Pay-As-You-Go is no account of azure
  accepted: an Azure subscription id such as 5f0c0a1e-3b7d-4c59-9d1a-2f6d1c1e7a10""",
    ),
    Case(
        "a project by its number",
        STAGING,
        "account: meridian-staging",
        'account: "123456789012"',
        """Pulumi.staging.yaml:22: regions.europe.account: 123456789012 is no account of gcp
  accepted: a GCP project id: 6 to 30 lower-case letters, digits and hyphens, a letter first""",
    ),
    Case(
        "administrators of another cloud",
        STAGING,
        'version: "1.35"',
        "admin_groups: [admins@meridian.example]",
        """Pulumi.staging.yaml:17: regions.west.cluster.admin_groups[0]: admins@meridian.example is no group on aws
  accepted: the ARN of an IAM role such as arn:aws:iam::111122223333:role/platform-admin""",
    ),
    Case(
        "a size that no catalogue has",
        STAGING,
        "size: small",
        "size: smal",
        """Pulumi.staging.yaml:18: regions.west.cluster.system_pool.size: smal is not in the catalogue
  did you mean: small
  accepted: small, medium, large, …""",
    ),
    Case(
        "a version out of support",
        STAGING,
        'version: "1.35"',
        'version: "1.28"',
        """Pulumi.staging.yaml:17: regions.west.cluster.version: Kubernetes 1.28 is not in standard support on aws
  accepted: 1.34, 1.35, 1.36""",
    ),
]


@pytest.mark.parametrize("case", [*REGIONS, *CATALOGUE], ids=str)
def test_the_author_is_told(case, tmp_path):
    case.check(tmp_path)
