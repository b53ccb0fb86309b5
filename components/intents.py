"""The firewall of a region: who may talk to whom, on which port, and why. Everything else is denied, both ways.

One table for all clouds. Each cloud's `network.py` renders it in its own terms: security groups on AWS, network
security groups of subnets on Azure, rules of the network on GCP. A contract test sends the same packets through
all three.

What it does not do: separate tenants from each other. Inside a cluster that is the work of NetworkPolicies, since a
firewall of the network sees nodes, not tenants. Opening the region to the internet is the regional entry's work.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Party(StrEnum):
    """Someone a packet comes from or goes to."""

    NODES = "nodes"
    PODS = "pods"
    CONTROL = "control"
    """The API server's addresses inside the network."""
    DATA = "data"
    """Data services and private endpoints."""
    PUBLIC = "public"
    """Load balancers."""
    PROBES = "probes"
    """The cloud's own health checkers, where they have addresses of their own."""
    INTERNET = "internet"


OURS = frozenset({Party.NODES, Party.PODS, Party.CONTROL, Party.DATA, Party.PUBLIC})
"""Parties whose firewall we write: what they send and what they receive is denied unless the table says otherwise."""

CLUSTER = (Party.NODES, Party.PODS)


class Protocol(StrEnum):
    """What is on top of IP."""

    TCP = "tcp"
    ANY = "any"


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A flow that is wanted. Answers come back by themselves: every firewall here keeps state."""

    name: str
    """Names the rules that come of it: lower case, hyphens."""
    sources: tuple[Party, ...]
    destinations: tuple[Party, ...]
    protocol: Protocol = Protocol.TCP
    ports: tuple[tuple[int, int], ...] = ()
    """Ranges of ports, ends included; none for `Protocol.ANY`."""
    why: str


def _ports(*ports: int) -> tuple[tuple[int, int], ...]:
    return tuple((port, port) for port in ports)


_UNPRIVILEGED = ((1025, 65535),)

INTENTS: tuple[Intent, ...] = (
    Intent(
        name="cluster",
        sources=CLUSTER,
        destinations=CLUSTER,
        protocol=Protocol.ANY,
        why="Pods and nodes of one cluster. NetworkPolicies decide inside it",
    ),
    Intent(
        name="api",
        sources=CLUSTER,
        destinations=(Party.CONTROL,),
        # AKS API server VNet integration wants 4443 beside 443, GKE's konnectivity agents 8132:
        # https://learn.microsoft.com/azure/aks/api-server-vnet-integration#network-security-group-nsg-security-rules
        # https://cloud.google.com/kubernetes-engine/docs/concepts/firewall-rules
        ports=_ports(443, 4443, 8132),
        why="Nodes and pods call the API server",
    ),
    Intent(
        name="control",
        sources=(Party.CONTROL,),
        destinations=CLUSTER,
        ports=(*_ports(443), *_UNPRIVILEGED),
        why="The API server calls kubelets, admission webhooks and aggregated APIs, whose pods choose their ports",
    ),
    Intent(
        name="control-plane",
        sources=(Party.CONTROL,),
        destinations=(Party.CONTROL,),
        protocol=Protocol.ANY,
        why="Members of the control plane, and the private endpoint of its key vault",
    ),
    Intent(
        name="control-probes",
        sources=(Party.PROBES,),
        destinations=(Party.CONTROL,),
        # https://learn.microsoft.com/azure/aks/api-server-vnet-integration#network-security-group-nsg-security-rules
        ports=_ports(9988),
        why="The load balancer in front of the API server checks that it lives",
    ),
    Intent(
        name="load-balancers",
        sources=(Party.PUBLIC, Party.PROBES),
        destinations=CLUSTER,
        ports=_UNPRIVILEGED,
        why="Load balancers and their health checks reach pods and node ports",
    ),
    Intent(
        name="data",
        sources=CLUSTER,
        destinations=(Party.DATA,),
        ports=_ports(443, 5432, 6379, 10000),
        why="Private endpoints, Postgres, Valkey, and Azure Managed Redis on its own port",
    ),
    Intent(
        name="replication",
        sources=(Party.DATA,),
        destinations=(Party.DATA,),
        protocol=Protocol.ANY,
        why="Members of one data service in different zones",
    ),
    Intent(
        name="egress",
        sources=CLUSTER,
        destinations=(Party.INTERNET,),
        ports=_ports(443),
        why="Registries and the APIs of the cloud, over TLS only and through NAT",
    ),
)
