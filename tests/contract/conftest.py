"""The clouds' components without an engine: what they register, and what the clouds would answer."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

import pulumi
import pytest
from pulumi import Output, ResourceOptions

from components.clouds import CLOUDS
from components.cluster import Cluster
from components.labels import Labels
from components.network import Network
from components.spec import Cloud, ClusterSpec, NetworkSpec, Place
from tests.recording import Registered, record

NAME = "staging-here"
ADDRESSES = NetworkSpec(
    range=IPv4Network("10.16.0.0/16"), pods=IPv4Network("10.128.0.0/16"), services=IPv4Network("10.96.0.0/20")
)
PLACES: Mapping[Cloud, Place] = {
    Cloud.AWS: Place(cloud=Cloud.AWS, location="us-west-2", account="111122223333"),
    Cloud.AZURE: Place(cloud=Cloud.AZURE, location="centralindia", account="11111111-2222-3333-4444-555555555555"),
    Cloud.GCP: Place(cloud=Cloud.GCP, location="europe-west1", account="meridian-staging"),
}
ADMINS: Mapping[Cloud, str] = {
    Cloud.AWS: "arn:aws:iam::111122223333:role/platform-admins",
    Cloud.AZURE: "99999999-2222-3333-4444-555555555555",
    Cloud.GCP: "platform-admins@example.com",
}
LABELS = Labels(environment="staging", stack="staging.here", owner="ML-Platform@example.com", cost_center="cc-1001")

_AKS_KUBECONFIG = """
clusters:
  - name: whatever
    cluster: {server: "https://meridian.privatelink.centralindia.azmk8s.io:443", certificate-authority-data: Q0E=}
users:
  - name: whatever
    user: {exec: {command: kubelogin, args: [get-token]}}
"""

COMPUTED: Mapping[str, Mapping[str, Any]] = {
    "aws:ec2/subnet:Subnet": {"availabilityZone": "zone-of-{name}"},
    "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 1},
    "aws:eks/cluster:Cluster": {
        "arn": "arn:aws:eks:us-west-2:111122223333:cluster/{name}",
        "endpoint": "https://ABCDEF.gr7.us-west-2.eks.amazonaws.com",
        "certificateAuthority": {"data": "Q0E="},
        "identities": [{"oidcs": [{"issuer": "https://oidc.eks.us-west-2.amazonaws.com/id/ABCDEF"}]}],
    },
    "aws:iam/role:Role": {"arn": "arn:aws:iam::111122223333:role/{name}", "name": "{name}"},
    "aws:kms/key:Key": {"arn": "arn:aws:kms:us-west-2:111122223333:key/{name}"},
    "azure-native:containerservice:ManagedCluster": {
        "name": "{name}",
        "currentKubernetesVersion": "1.35.4",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {}},  # a list asked for, a map answered
        "oidcIssuerProfile": {"enabled": True, "issuerURL": "https://centralindia.oic.prod-aks.azure.com/t/c/"},
    },
    "azure-native:keyvault:Key": {"keyUriWithVersion": "https://{name}.vault.azure.net/keys/secrets/1"},
    "azure-native:keyvault:Vault": {"name": "{name}"},
    "azure-native:managedidentity:UserAssignedIdentity": {"name": "{name}"},
    "azure-native:network:VirtualNetwork": {"name": "{name}"},
    "azure-native:resources:ResourceGroup": {"name": "{name}"},
    "gcp:compute/network:Network": {"selfLink": "projects/p/global/networks/{name}"},
    "gcp:compute/router:Router": {"name": "{name}"},
    "gcp:compute/subnetwork:Subnetwork": {"selfLink": "projects/p/regions/r/subnetworks/{name}"},
    "gcp:container/cluster:Cluster": {
        "masterVersion": "1.35.8-gke.1036000",
        "controlPlaneEndpointsConfig": {
            "dnsEndpointConfig": {"endpoint": "gke-abc.europe-west1.gke.goog", "allowExternalTraffic": True}
        },
    },
    "gcp:kms/keyRing:KeyRing": {"name": "{name}-ring"},
    "gcp:projects/serviceIdentity:ServiceIdentity": {
        "email": "service-123456789@container-engine-robot.iam.gserviceaccount.com",
        "member": "serviceAccount:service-123456789@container-engine-robot.iam.gserviceaccount.com",
    },
    "gcp:serviceaccount/account:Account": {
        "email": "{name}@meridian-staging.iam.gserviceaccount.com",
        "member": "serviceAccount:{name}@meridian-staging.iam.gserviceaccount.com",
    },
}
"""What a cloud answers beside what it was asked for, by type; {name} is the logical name."""

INVOKES: Mapping[str, Mapping[str, Any]] = {
    "azure-native:containerservice:listManagedClusterUserCredentials": {
        "kubeconfigs": [{"name": "clusterUser", "value": b64encode(_AKS_KUBECONFIG.encode()).decode()}]
    },
    "azure-native:managedidentity:getUserAssignedIdentity": {
        "clientId": "c1c1c1c1-0000-0000-0000-000000000001",
        "principalId": "d1d1d1d1-0000-0000-0000-000000000001",
        "tenantId": "00000000-0000-0000-0000-000000000001",
    },
}


class Reader(pulumi.CustomResource):
    """Not of any cloud."""

    def __init__(self, name: str, **props: pulumi.Input[str]) -> None:
        super().__init__("test:index:Reader", name, dict(props))


@dataclass(frozen=True)
class Deployment:
    """What a region of one cloud registers, and the outputs that others see."""

    cloud: Cloud
    made: Sequence[Registered]
    network: Mapping[str, Any]
    cluster: Mapping[str, Any]
    identity: Mapping[str, Any]

    def of(self, type_: str) -> list[Registered]:
        """All resources of a type."""
        return [one for one in self.made if one.type == type_]

    def one(self, type_: str, ending: str = "") -> Registered:
        """The only resource of a type with that ending of its name."""
        (found,) = [one for one in self.of(type_) if one.name.endswith(ending)]
        return found

    @property
    def resources(self) -> list[Registered]:
        """Everything that is made in a cloud: no components and no providers."""
        return [one for one in self.made if one.custom and not one.type.startswith(("pulumi:", "test:"))]


def deploy(
    cloud: Cloud,
    *,
    spec: ClusterSpec | None = None,
    addresses: NetworkSpec = ADDRESSES,
    protect: bool = False,
    name: str = NAME,
    preview: bool = False,
) -> Deployment:
    """Register a region of one cloud: network, cluster and the identity of one workload."""
    seen: dict[str, dict[str, Any]] = {"network": {}, "cluster": {}, "identity": {}}
    place = PLACES[cloud]

    def keep(part: str, outputs: Mapping[str, Any]) -> None:
        Output.all(**outputs).apply(seen[part].update)

    def program() -> None:
        provider = CLOUDS[cloud].provider("cloud", place=place)
        network = Network(name, spec=addresses, place=place, labels=LABELS, opts=ResourceOptions(providers=[provider]))
        cluster = Cluster(
            name,
            spec=spec or ClusterSpec(admin_groups=(ADMINS[cloud],)),
            addresses=addresses,
            network=network.outputs,
            place=place,
            labels=LABELS,
            opts=ResourceOptions(providers=[provider], protect=protect),
        )
        identity = CLOUDS[cloud].workload_identity(
            f"{name}-acme",
            cluster=cluster.outputs,
            namespace="tenant-acme",
            service_account="workload",
            place=place,
            labels=LABELS.of_tenant("acme", owner="a@acme.example", cost_center="cc-1", tier="free"),
            opts=ResourceOptions(provider=provider),
        )
        # Somebody who takes the kubeconfig over, to see in which state it is handed out.
        Reader("reader", kubeconfig=cluster.outputs.kubeconfig)
        keep("network", vars(network.outputs))
        keep("cluster", vars(cluster.outputs))
        keep("identity", vars(identity))

    made = record(program, computed=COMPUTED, invokes=INVOKES, preview=preview)
    return Deployment(cloud, made, **seen)


@pytest.fixture(scope="session")
def regions() -> Mapping[Cloud, Deployment]:
    """One region of each cloud, registered once."""
    return {cloud: deploy(cloud) for cloud in Cloud}


@pytest.fixture(params=list(Cloud), ids=str)
def region(request: pytest.FixtureRequest, regions: Mapping[Cloud, Deployment]) -> Deployment:
    """A region of each cloud in turn."""
    return regions[request.param]


@pytest.fixture(scope="session")
def redeploy() -> Callable[..., Deployment]:
    """`deploy`, for tests that want a region of their own."""
    return deploy
