"""The address plan of a region: every subnet cut from ranges that are written down, by one pure function.

Each tier takes half of what is left, so that the tiers can grow with the range and never move:

    tier      share   /16      /20      what lives there
    private   1/2     /17      /21      nodes
    data      1/4     /18      /22      databases, caches, private endpoints
    public    1/8     /19      /23      load balancers, nothing else
    control   1/16    /20      /24      the Kubernetes API server's addresses inside the network
    (spare)   1/16    /20      /24      for what nobody has thought of yet

A tier is cut into quarters: one a zone and the fourth kept for a fourth zone. That is how AWS wants it, where a subnet
lies in one zone. On Azure and GCP a subnet spans all zones of its region, and the whole tier is one subnet. Both come
from the same plan, so a range means the same everywhere and no tier of one cloud can collide with one of another.

Pods take addresses from a range of their own: on AWS from subnets cut from it like a tier, on GCP from a secondary
range of the private subnet, on Azure from an overlay that no router sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import combinations

from components.spec import Cloud, NetworkSpec

ZONES = 3


@dataclass(frozen=True)
class Tier:
    """One kind of subnet."""

    regional: IPv4Network
    """The subnet, where subnets span zones."""

    @property
    def zonal(self) -> tuple[IPv4Network, IPv4Network, IPv4Network]:
        """The subnets in the order of the zones, where a subnet lies in one."""
        first, second, third, _ = self.regional.subnets(prefixlen_diff=2)
        return first, second, third


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All subnets of a region."""

    private: Tier
    data: Tier
    public: Tier
    control: Tier
    pods: Tier


def plan(spec: NetworkSpec) -> Plan:
    """The subnets of a region. Raises ValueError when the three ranges of `spec` overlap."""
    if overlaps := tuple(_overlaps(spec)):
        raise ValueError("; ".join(overlaps))
    private, rest = spec.range.subnets()
    data, rest = rest.subnets()
    public, rest = rest.subnets()
    control, _ = rest.subnets()
    return Plan(
        private=Tier(private), data=Tier(data), public=Tier(public), control=Tier(control), pods=Tier(spec.pods)
    )


def problems(spec: NetworkSpec, cloud: Cloud) -> Iterator[tuple[str, str]]:
    """What a cloud would refuse about ranges that do not overlap: (field of NetworkSpec, why it is refused)."""
    for key, reserved, why in _RESERVED[cloud]:
        if getattr(spec, key).overlaps(reserved):
            yield key, f"{getattr(spec, key)} overlaps {reserved}, {why}"
    for refuses in _REFUSALS[cloud]:
        yield from refuses(spec)


def _overlaps(spec: NetworkSpec) -> Iterator[str]:
    ranges = {"range": spec.range, "pods": spec.pods, "services": spec.services}
    for (one, first), (other, second) in combinations(ranges.items(), 2):
        if first.overlaps(second):
            yield f"{other} {second} overlaps {one} {first}"


_ALL = ("range", "pods", "services")
_RESERVED: Mapping[Cloud, tuple[tuple[str, IPv4Network, str], ...]] = {
    Cloud.AWS: (
        # https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
        ("range", IPv4Network("172.17.0.0/16"), "which container bridges on nodes use"),
        # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html#add-cidr-block-restrictions
        ("pods", IPv4Network("198.19.0.0/16"), "which AWS keeps for itself"),
    ),
    Cloud.AZURE: tuple(
        # https://learn.microsoft.com/azure/aks/concepts-network-cni-overview#aks-cni-networking-prerequisites
        (key, reserved, "which AKS keeps for itself")
        for key in _ALL
        for reserved in map(IPv4Network, ("169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24"))
    ),
    Cloud.GCP: (
        # https://cloud.google.com/vpc/docs/subnets#additional-ipv4-considerations
        ("range", IPv4Network("172.17.0.0/16"), "which container bridges use"),
    ),
}

_RFC1918 = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


def _vpc(spec: NetworkSpec) -> Iterator[tuple[str, str]]:
    """Rules of VPC and EKS that do not say "this range is taken".

    Sources: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html#add-cidr-block-restrictions and
    https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html
    """
    if spec.pods.prefixlen < 16:
        yield "pods", f"{spec.pods} is too large: a VPC takes no block larger than /16"
    home = next((block for block in _RFC1918 if spec.range.subnet_of(block)), None)
    elsewhere = next((block for block in _RFC1918 if spec.pods.subnet_of(block)), None)
    if home is not None and elsewhere is not None and home != elsewhere:
        yield "pods", f"{spec.pods} cannot join a VPC whose range lies in {home}: use {home} or 100.64.0.0/10"
    if not any(spec.services.subnet_of(block) for block in _RFC1918):
        yield "services", f"{spec.services} must lie in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 for EKS"


_REFUSALS: Mapping[Cloud, tuple[Callable[[NetworkSpec], Iterator[tuple[str, str]]], ...]] = {
    Cloud.AWS: (_vpc,),
    Cloud.AZURE: (),
    Cloud.GCP: (),
}
