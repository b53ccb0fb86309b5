"""Address plans that would not work or could not grow."""

from __future__ import annotations

import pytest

from tests.unit.bad_input.case import STAGING, Case

ADDRESSES = [
    Case(
        "overlapping ranges of two regions",
        STAGING,
        "range: 10.17.0.0/16",
        "range: 10.16.128.0/18",
        """Pulumi.staging.yaml:25: regions.europe.network.range: 10.16.128.0/18 overlaps 10.16.0.0/16, range of west
  accepted: one that no region of any environment here uses""",
    ),
    Case(
        "pods inside the range of the same region's nodes",
        STAGING,
        "pods: 100.64.0.0/16",
        "pods: 10.16.64.0/18",
        """Pulumi.staging.yaml:14: regions.west.network.pods: 10.16.64.0/18 overlaps 10.16.0.0/16, range of west…""",
    ),
    Case(
        "pods of two regions, also on an overlay",
        STAGING,
        "pods: 100.72.0.0/16",
        "pods: 100.68.0.0/14",
        "Pulumi.staging.yaml:35: regions.india.network.pods: 100.68.0.0/14 overlaps 100.68.0.0/16, pods of europe…",
    ),
    Case(
        "a range of another environment",
        STAGING,
        "services: 10.24.32.0/20",
        "services: 10.40.0.0/22",
        "Pulumi.staging.yaml:36: regions.india.network.services: 10.40.0.0/22 overlaps 10.40.0.0/20, "
        "services of west in environment prod…",
    ),
    Case(
        "a range that a cloud keeps for itself",
        STAGING,
        "range: 10.18.0.0/16",
        "range: 172.31.0.0/16",
        "Pulumi.staging.yaml:34: regions.india.network.range: 172.31.0.0/16 overlaps 172.31.0.0/16, "
        "which AKS keeps for itself",
    ),
    Case(
        "more addresses of pods than a VPC takes in one block",
        STAGING,
        "pods: 100.64.0.0/16",
        "pods: 100.64.0.0/14",
        "Pulumi.staging.yaml:14: regions.west.network.pods: 100.64.0.0/14 is too large: "
        "a VPC takes no block larger than /16",
    ),
    Case(
        "pods that cannot join the VPC of their nodes",
        STAGING,
        "pods: 100.64.0.0/16",
        "pods: 172.20.0.0/16",
        "Pulumi.staging.yaml:14: regions.west.network.pods: 172.20.0.0/16 cannot join a VPC whose range lies in "
        "10.0.0.0/8: use 10.0.0.0/8 or 100.64.0.0/10",
    ),
    Case(
        "service addresses that EKS does not take",
        STAGING,
        "services: 10.24.0.0/20",
        "services: 100.127.0.0/20",
        "Pulumi.staging.yaml:15: regions.west.network.services: 100.127.0.0/20 must lie in 10.0.0.0/8, "
        "172.16.0.0/12 or 192.168.0.0/16 for EKS",
    ),
    Case(
        "a public range",
        STAGING,
        "range: 10.16.0.0/16",
        "range: 8.8.0.0/16",
        "Pulumi.staging.yaml:13: regions.west.network.range: 8.8.0.0/16: not a private range: "
        "it must lie in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10\n"
        "  accepted: a private IPv4 range such as 10.16.0.0/16",
    ),
    Case(
        "a range too small to grow in",
        STAGING,
        "range: 10.16.0.0/16",
        "range: 10.16.0.0/24",
        "Pulumi.staging.yaml:13: regions.west.network.range: 10.16.0.0/24: "
        "must be between /16 (large) and /20 (small)…",
    ),
    Case(
        "a range that starts in its own middle",
        STAGING,
        "range: 10.16.0.0/16",
        "range: 10.16.1.0/16",
        """Pulumi.staging.yaml:13: regions.west.network.range: 10.16.1.0/16 has host bits set
  did you mean: 10.16.0.0/16
  accepted: a private IPv4 range such as 10.16.0.0/16""",
    ),
]


@pytest.mark.parametrize("case", ADDRESSES, ids=str)
def test_the_author_is_told(case, tmp_path):
    case.check(tmp_path)
