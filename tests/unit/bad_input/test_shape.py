"""Keys and values that are not what they must be."""

from __future__ import annotations

import pytest

from tests.unit.bad_input.case import ACME, GLOBEX, PROD, PROJECT, STAGING, Case, told

SHAPE = [
    Case(
        "an unknown key names its near miss and all that are accepted",
        STAGING,
        "system_pool: {size: small,",
        "system_pool: {sice: small,",
        """Pulumi.staging.yaml:18: regions.west.cluster.system_pool.sice: unknown key
  did you mean: size
  accepted: max, min, size""",
    ),
    Case(
        "an unknown key in a tenant's file",
        ACME,
        "tier: enterprise",
        "tier: enterprise\nteir: free",
        """tenants/acme.yaml:4: teir: unknown key
  did you mean: tier
  accepted: cost_center, …""",
    ),
    Case(
        "a missing key says what it takes",
        STAGING,
        "        role: secondary\n",
        "",
        """Pulumi.staging.yaml:19: regions.europe.role: is missing
  accepted: one of primary, secondary, tertiary""",
    ),
    Case(
        "a missing block says which keys it takes",
        STAGING,
        """        network:
          range: 10.17.0.0/16
          pods: 100.68.0.0/16
          services: 10.24.16.0/20
""",
        "",
        """Pulumi.staging.yaml:19: regions.europe.network: is missing
  accepted: a mapping with the keys pods, range, services""",
    ),
    Case(
        "a word where a number belongs",
        STAGING,
        "min: 3, max: 6",
        "min: three, max: 6",
        """Pulumi.staging.yaml:18: regions.west.cluster.system_pool.min: three is not a whole number""",
    ),
    Case(
        "a number too large",
        STAGING,
        "max: 6",
        "max: 6000",
        """Pulumi.staging.yaml:18: regions.west.cluster.system_pool.max: 6000 is too large
  accepted: 1000 or less""",
    ),
    Case(
        "a version without quotes is a number, which loses its last zero",
        STAGING,
        'version: "1.35"',
        "version: 1.30",
        """Pulumi.staging.yaml:17: regions.west.cluster.version: must be text, but YAML reads 1.30 as a number
  did you mean: "1.30"
  accepted: a minor version in quotes such as "1.35\"""",
    ),
    Case(
        "an account without quotes is a number",
        STAGING,
        '"111122223333"',
        "011122223333",
        """Pulumi.staging.yaml:10: regions.west.account: must be text, but YAML reads 011122223333 as a number
  did you mean: "011122223333"
  accepted: AWS account id, Azure subscription id or GCP project id, in quotes""",
    ),
    Case(
        "a word that YAML takes for a truth value",
        STAGING,
        "name: west",
        "name: no",
        """Pulumi.staging.yaml:7: regions[0].name: must be text, but YAML reads no as true or false
  did you mean: "no"
  accepted: lower-case letters …""",
    ),
    Case(
        "a scalar where a mapping belongs",
        STAGING,
        "system_pool: {size: small, min: 3, max: 6}",
        "system_pool: small",
        "Pulumi.staging.yaml:18: regions.west.cluster.system_pool: small is not a mapping with the keys max, min, size",
    ),
    Case(
        "a scalar where a list belongs",
        ACME,
        "[acme-ml@meridian.example]",
        "acme-ml@meridian.example",
        """tenants/acme.yaml:6: developers: acme-ml@meridian.example is not a list""",
    ),
    Case(
        "a key with nothing behind it",
        GLOBEX,
        "regions: [west, india]",
        "regions:",
        "tenants/globex.yaml:8: regions: has no value\n  accepted: a list",
    ),
    Case(
        "a choice with nothing behind it",
        STAGING,
        "role: secondary",
        "role:",
        """Pulumi.staging.yaml:23: regions.europe.role: has no value
  accepted: one of primary, secondary, tertiary""",
    ),
    Case(
        "a list where one choice belongs",
        STAGING,
        "role: secondary",
        "role: [secondary, primary]",
        """Pulumi.staging.yaml:23: regions.europe.role: a list is not accepted
  accepted: primary, secondary, tertiary""",
    ),
    Case(
        "an unknown key with nothing behind it",
        STAGING,
        "role: secondary",
        "role: secondary\n        comment:",
        """Pulumi.staging.yaml:24: regions.europe.comment: unknown key
  accepted: account, cloud, cluster, location, mode, name, network, protect, role""",
    ),
    Case(
        "no regions at all",
        PROD,
        """    regions:
      - name: west
        cloud: aws
        location: us-west-2
        account: "444455556666"
        role: primary
        network: {range: 10.32.0.0/16, pods: 100.80.0.0/16, services: 10.40.0.0/20}
""",
        "    regions: []\n",
        "Pulumi.prod.yaml:4: regions: is empty\n  accepted: at least 1",
        environment="prod",
    ),
    Case(
        "a name that no stack could bear",
        STAGING,
        "name: west",
        "name: West_1",
        """Pulumi.staging.yaml:7: regions.West_1.name: "West_1" is not accepted
  accepted: lower-case letters and digits in words joined by single hyphens, 2 to 24 characters""",
    ),
    Case(
        "an unknown cloud",
        STAGING,
        "cloud: azure",
        "cloud: azur",
        """Pulumi.staging.yaml:29: regions.india.cloud: azur is not accepted
  did you mean: azure
  accepted: aws, azure, gcp""",
    ),
    Case(
        "an owner who cannot be written to",
        GLOBEX,
        "owner: platform@globex.example",
        "owner: the platform team",
        """tenants/globex.yaml:4: owner: "the platform team" is not accepted
  accepted: an e-mail address""",
    ),
]


@pytest.mark.parametrize("case", SHAPE, ids=str)
def test_the_author_is_told(case, tmp_path):
    case.check(tmp_path)


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_the_project_is_right_before_anything_is_changed(environment):
    assert told(PROJECT, environment) == ""
