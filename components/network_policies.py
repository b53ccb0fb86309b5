"""NetworkPolicy rules that every closed namespace of ours needs. Plain data: no resource is registered here."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_kubernetes.networking.v1 import (
    NetworkPolicyEgressRuleArgsDict,
    NetworkPolicyPeerArgsDict,
    NetworkPolicyPortArgsDict,
    NetworkPolicySpecArgsDict,
)

from components.outputs import IdentityEndpoint

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""The label that the API server itself puts on every namespace, so nobody can take another's
(https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name)."""

DNS_PODS = ("kube-dns", "node-local-dns")
"""`k8s-app` of the DNS servers in kube-system: CoreDNS on EKS and AKS and kube-dns on GKE call themselves kube-dns;
Dataplane V2 of GKE redirects queries to the pod node-local-dns of the same node."""

DNS_ADDRESSES = (
    "169.254.20.10/32",  # NodeLocal DNSCache; on GKE the default from 1.34 on
    "169.254.169.254/32",  # Cloud DNS for GKE, served by the node
    "169.254.10.10/31",  # LocalDNS of AKS
)
"""Resolvers on the node itself. They are not pods, so no selector can name them. Link-local: nothing else is reached.

Sources: https://docs.cloud.google.com/kubernetes-engine/docs/how-to/nodelocal-dns-cache,
https://github.com/tektoncd/operator/issues/4000, https://learn.microsoft.com/azure/aks/localdns-custom."""


def default_deny() -> NetworkPolicySpecArgsDict:
    """Nothing in, nothing out, for every pod of the namespace, until another policy opens it."""
    return {"pod_selector": {}, "policy_types": ["Ingress", "Egress"]}


def allow_dns() -> NetworkPolicySpecArgsDict:
    """Names can be resolved, by whatever resolver the cluster has; the same on every cloud."""
    ports: list[NetworkPolicyPortArgsDict] = [
        {"port": 53, "protocol": "UDP"},
        {"port": 53, "protocol": "TCP"},  # long answers and NodeLocal DNSCache
    ]
    servers: NetworkPolicyPeerArgsDict = {
        "namespace_selector": {"match_labels": {NAMESPACE_NAME: "kube-system"}},
        "pod_selector": {
            "match_expressions": [{"key": "k8s-app", "operator": "In", "values": list(DNS_PODS)}],
        },
    }
    on_node: list[NetworkPolicyPeerArgsDict] = [{"ip_block": {"cidr": address}} for address in DNS_ADDRESSES]
    return {
        "pod_selector": {},
        "policy_types": ["Egress"],
        "egress": [{"to": [servers, *on_node], "ports": ports}],
    }


def allow_own_namespace() -> NetworkPolicySpecArgsDict:
    """Pods of one namespace may talk to each other, in both directions, and by this rule to nobody else."""
    return {
        "pod_selector": {},
        "policy_types": ["Ingress", "Egress"],
        "ingress": [{"from_": [{"pod_selector": {}}]}],
        "egress": [{"to": [{"pod_selector": {}}]}],
    }


def allow_identity(endpoints: Sequence[IdentityEndpoint]) -> NetworkPolicySpecArgsDict:
    """Pods may fetch credentials of their cloud identity; without this, default-deny cuts them off."""
    rules: list[NetworkPolicyEgressRuleArgsDict] = [
        {
            "to": [{"ip_block": {"cidr": endpoint.cidr}}],
            "ports": [{"port": port, "protocol": "TCP"} for port in endpoint.ports],
        }
        for endpoint in endpoints
    ]
    return {"pod_selector": {}, "policy_types": ["Egress"], "egress": rules}
