"""Files that are not YAML, or not a file of ours; and what must never be repeated."""

from __future__ import annotations

import pytest

from tests.unit.bad_input.case import ACME, GLOBEX, PROJECT, STAGING, Case

SYNTAX = [
    Case(
        "broken YAML",
        STAGING,
        "      - name: europe",
        "      - name: europe: 2",
        "Pulumi.staging.yaml:19: is not valid YAML: mapping values are not allowed in this context",
    ),
    Case(
        "a tab",
        ACME,
        "tier: enterprise",
        "tier:\n\tx: enterprise",
        "tenants/acme.yaml:4: is not valid YAML: while scanning for the next token, "
        "found character that cannot start any token",
    ),
    Case(
        "a key given twice, which YAML would silently take the last of",
        STAGING,
        "        role: primary\n",
        "        role: primary\n        account: '000000000000'\n",
        'Pulumi.staging.yaml:12: is not valid YAML: the key "account" is given twice, first in line 10',
    ),
    Case(
        "a key that YAML does not read as text",
        ACME,
        "tier: enterprise",
        "tier: enterprise\non: x",
        'tenants/acme.yaml:4: is not valid YAML: a key must be text ("on" needs quotes)',
    ),
    Case(
        "a tag that would make an object",
        ACME,
        "name: Acme Robotics",
        "name: !!python/object:os.system {}",
        "tenants/acme.yaml:2: is not valid YAML: could not determine a constructor for the tag "
        "'tag:yaml.org,2002:python/object:os.system'",
    ),
    Case(
        "two documents in one file",
        ACME,
        "tier: enterprise",
        "---\ntier: enterprise",
        "tenants/acme.yaml:3: is not valid YAML: expected a single document in the stream, but found another document",
    ),
    Case(
        "a day that does not exist",
        ACME,
        "name: Acme Robotics",
        "name: 2026-13-45",
        "tenants/acme.yaml: is not valid YAML: month must be in 1..12",
    ),
    Case(
        "an empty tenant's file",
        GLOBEX,
        (PROJECT / GLOBEX).read_text(encoding="utf-8"),
        "",
        "tenants/globex.yaml:1: has no value\n  accepted: a mapping with the keys cost_center, …",
    ),
    Case(
        "the environment under a misspelt key",
        STAGING,
        "  meridian:platform:",
        "  meridian:plattform:",
        """Pulumi.staging.yaml:1: config: the key "meridian:platform" is missing
  did you mean: meridian:plattform
  accepted: config: meridian:platform: {labels, regions}""",
    ),
    Case(
        "stack configuration in the environment's file",
        STAGING,
        "config:\n",
        "config:\n  aws:region: us-east-1\n",
        "Pulumi.staging.yaml:2: config.aws:region: unknown key: an environment's file holds meridian:platform, "
        "and stacks have no other configuration",
    ),
]

SECRETS = [
    Case(
        "a secret under a key of its own is not repeated",
        ACME,
        "tier: enterprise",
        "tier: enterprise\ndb_password: hunter2",
        "tenants/acme.yaml:4: db_password: unknown key\n  accepted: …",
    ),
    Case(
        "a secret in a place that is shown is masked by its shape",
        GLOBEX,
        "tier: standard",
        "tier: ghp_0123456789abcdef0123456789abcdef0123",
        "tenants/globex.yaml:3: tier: *** is not accepted\n  accepted: …",
    ),
    Case(
        "a secret in a line that is not YAML is not repeated",
        ACME,
        "tier: enterprise",
        "tier: enterprise\npassword: hunter2: x",
        "tenants/acme.yaml:4: is not valid YAML: mapping values are not allowed in this context",
    ),
]


@pytest.mark.parametrize("case", [*SYNTAX, *SECRETS], ids=str)
def test_the_author_is_told(case, tmp_path):
    case.check(tmp_path)
