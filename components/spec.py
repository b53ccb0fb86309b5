"""What people may ask for, in words that no cloud owns.

Plan-time values only: frozen, strict, without network access and without Outputs. The models here describe one thing
each; `stacks.environment` composes them into an environment and checks them against each other.
"""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


class Model(BaseModel):
    """Base of every model that people write in YAML: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Cloud(StrEnum):
    """The clouds that a region can be on."""

    AWS = "aws"
    AZURE = "azure"
    GCP = "gcp"


_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))


def _private(network: IPv4Network) -> IPv4Network:
    if not any(network.subnet_of(private) for private in _PRIVATE):
        raise ValueError("not a private range: it must lie in " + ", ".join(map(str, _PRIVATE)))
    return network


def _sized(largest: int, smallest: int) -> AfterValidator:
    def check(network: IPv4Network) -> IPv4Network:
        if not largest <= network.prefixlen <= smallest:
            raise ValueError(f"must be between /{largest} (large) and /{smallest} (small)")
        return network

    return AfterValidator(check)


# Each constraint is followed by its description in plain words: what an error message says is accepted.
Name = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", min_length=2, max_length=24),
    Field(description="lower-case letters and digits in words joined by single hyphens, 2 to 24 characters"),
]
"""A short name of ours: lower-case words joined by single hyphens."""

Slug = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$", max_length=63),
    Field(description="lower-case letters, digits, dots, hyphens and underscores, at most 63 characters"),
]
"""A label value that every cloud and Kubernetes can carry after encoding."""

PrivateRange = Annotated[
    IPv4Network, AfterValidator(_private), Field(description="a private IPv4 range such as 10.16.0.0/16")
]
"""An IPv4 range that is never routed on the internet (RFC 1918, RFC 6598)."""

KubernetesMinor = Annotated[
    str,
    StringConstraints(pattern=r"^1\.\d{2}$"),
    Field(description='a minor version in quotes such as "1.35"'),
]
"""A Kubernetes minor version such as "1.35"; the clouds choose the patch."""


def _outside_kubernetes(group: str) -> str:
    if group.startswith("system:"):
        raise ValueError("groups that begin with system: are Kubernetes' own, such as everybody who is signed in")
    return group


Group = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9@._:/-]*$", max_length=253),
    AfterValidator(_outside_kubernetes),
    Field(description="a group's name, address, id or ARN without spaces"),
]
"""A group of people as the cluster's identity provider names it."""

Address = Annotated[
    str,
    StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=253),
    Field(description="an e-mail address"),
]
"""Address of whoever answers for something."""


class Place(Model):
    """Where something is: the same three facts on every cloud."""

    cloud: Cloud
    location: str
    """The cloud's own code of the region, such as us-west-2, centralindia or europe-west1."""
    account: str
    """AWS account id, Azure subscription id or GCP project id."""


class NetworkSpec(Model):
    """Address plan of one region. Ranges are written down: computed from a position in a list, they would move."""

    range: Annotated[PrivateRange, _sized(16, 20)]
    """All subnets of the region are cut from this range: /16 to /20."""
    pods: Annotated[PrivateRange, _sized(12, 19)]
    """Addresses of pods, outside `range`: /12 to /19."""
    services: Annotated[PrivateRange, _sized(16, 24)]
    """Virtual addresses of Kubernetes services, outside both: /16 to /24."""


class PoolSpec(Model):
    """A managed node pool that scales between two limits (whole pool, all zones together)."""

    size: Name = "small"
    """A neutral machine size of the catalogue (components/catalogue/sizes.yaml)."""
    min: Annotated[int, Field(ge=0, le=1000)]
    max: Annotated[int, Field(ge=1, le=1000)]


class PoolKind(StrEnum):
    """Whom a node pool is for. Nodes bear it as their label `meridian.dev/pool`."""

    SYSTEM = "system"
    """The cluster's own pods and the platform's; a taint keeps others away."""
    GENERAL = "general"
    """Everybody else: tenants."""


class ClusterSpec(Model):
    """A private Kubernetes control plane with its node pools."""

    version: KubernetesMinor = "1.35"
    system_pool: PoolSpec = PoolSpec(min=3, max=6)
    general_pool: PoolSpec = PoolSpec(min=3, max=10)
    authorized_ranges: tuple[IPv4Network, ...] = ()
    """Public ranges that may reach the API server's addresses. Empty (the default): it has none but private ones. On
    GCP there is a DNS name as well, where IAM asks for the permission to connect before anything gets to the API
    server; it can be asked from anywhere, and ranges do not limit it."""
    admin_groups: tuple[Group, ...] = ()
    """Who administers the cluster: IAM role ARNs on AWS, Entra group object ids on Azure, Google groups on GCP. Whoever
    deploys what goes into the cluster has to be among them, or may do so by other means (on Azure and GCP: by a role
    that is granted above the cluster)."""
    log_retention_days: Annotated[int, Field(ge=1, le=730)] = 90
    """How long the control plane's logs are kept at least: a cloud that knows only certain periods takes the next
    longer one. Azure's workspaces keep nothing beyond 730 days."""

    def pool(self, kind: PoolKind) -> PoolSpec:
        """What is asked for of that kind of pool: the field `<kind>_pool`."""
        return {PoolKind.SYSTEM: self.system_pool, PoolKind.GENERAL: self.general_pool}[kind]


class Tier(StrEnum):
    """What a tenant has bought. Sets the defaults of its quota and of the isolation of its data."""

    ENTERPRISE = "enterprise"
    STANDARD = "standard"
    FREE = "free"


class Isolation(StrEnum):
    """How a tenant's rows are kept apart from everybody else's."""

    ROW = "row"
    SCHEMA = "schema"
    DATABASE = "database"


Quantity = Annotated[
    str,
    StringConstraints(pattern=r"^(0|[1-9]\d*)(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"),
    Field(description='a Kubernetes quantity in quotes such as "500m", "8" or "32Gi"'),
]
"""A Kubernetes resource quantity such as 500m, 8 or 32Gi."""


class QuotaSpec(Model):
    """The most that a tenant may use in one region."""

    cpu: Quantity
    memory: Quantity
    storage: Quantity
    pods: Annotated[int, Field(ge=1, le=5000)]
    gpus: Annotated[int, Field(ge=0, le=512)] = 0


class TenantSpec(Model):
    """One tenant: the whole of what a file in `tenants/` can say. The same file serves every cloud."""

    id: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", min_length=2, max_length=32),
        Field(description="lower-case letters and digits in words joined by single hyphens, 2 to 32 characters"),
    ]
    """Also names the namespace: `tenant-<id>`."""
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    tier: Tier
    owner: Address
    """Address of whoever answers for the tenant."""
    cost_center: Slug
    developers: tuple[Group, ...]
    """Groups whose members may work in the tenant's namespace."""
    quota: QuotaSpec | None = None
    """Left out: what the tier grants (components/catalogue/tiers.yaml)."""
    isolation: Isolation | None = None
    """Left out: what the tier grants."""
    environments: tuple[Name, ...] = ()
    """Environments the tenant lives in; empty: all of them."""
    regions: tuple[Name, ...] = ()
    """Regions the tenant lives in, by name; empty: all of its environments' regions."""
    slice: Annotated[int, Field(ge=0, le=99)] = 0
    """Number of the tenants stack that holds it. Written down, so that adding a tenant never moves another."""
