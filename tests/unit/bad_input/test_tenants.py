"""Tenants who fit nowhere."""

from __future__ import annotations

import pytest

from tests.unit.bad_input.case import ACME, GLOBEX, Case

TENANTS = [
    Case(
        "a malformed quota",
        ACME,
        "memory: 384Gi",
        "memory: 384 GB",
        """tenants/acme.yaml:7: quota.memory: "384 GB" is not accepted
  accepted: a Kubernetes quantity in quotes such as "500m", "8" or "32Gi\"""",
    ),
    Case(
        "a quantity without quotes",
        ACME,
        'cpu: "96"',
        "cpu: 96",
        """tenants/acme.yaml:7: quota.cpu: must be text, but YAML reads 96 as a number
  did you mean: "96"
  accepted: a Kubernetes quantity in quotes such as "500m", "8" or "32Gi\"""",
    ),
    Case(
        "an unknown tier",
        GLOBEX,
        "tier: standard",
        "tier: Standard",
        """tenants/globex.yaml:3: tier: Standard is not accepted
  did you mean: standard
  accepted: enterprise, standard, free""",
    ),
    Case(
        "an unknown region",
        GLOBEX,
        "regions: [west, india]",
        "regions: [wset, india]",
        """tenants/globex.yaml:8: regions[0]: there is no region wset in the tenant's environments
  did you mean: west
  accepted: europe, india, west""",
    ),
    Case(
        "an unknown environment",
        GLOBEX,
        "environments: [staging]",
        "environments: [stagin, staging]",
        """tenants/globex.yaml:7: environments[0]: there is no environment stagin
  did you mean: staging
  accepted: prod, staging""",
    ),
    Case(
        "a tenant of an environment in none of its regions",
        GLOBEX,
        "environments: [staging]\nregions: [west, india]",
        "environments: [staging, prod]\nregions: [india]",
        """tenants/globex.yaml:8: regions: the tenant lives in prod, but in none of its regions
  accepted: some of west; or environments without prod""",
        environment="prod",
    ),
    Case(
        "a file named otherwise than its tenant",
        ACME,
        "id: acme",
        "id: acme-robotics",
        """tenants/acme.yaml:1: id: acme-robotics in a file named acme.yaml
  accepted: acme, or the file renamed""",
    ),
    Case(
        "two tenants of one id",
        GLOBEX,
        "id: globex",
        "id: acme",
        """2 problems:
tenants/globex.yaml:1: id: acme in a file named globex.yaml
  accepted: globex, or the file renamed
tenants/globex.yaml:1: id: the tenant acme is in tenants/acme.yaml already""",
    ),
    Case(
        "a slice that does not exist",
        ACME,
        "id: acme",
        "id: acme\nslice: 100",
        "tenants/acme.yaml:2: slice: 100 is too large\n  accepted: 99 or less",
    ),
]


@pytest.mark.parametrize("case", TENANTS, ids=str)
def test_the_author_is_told(case, tmp_path):
    case.check(tmp_path)
