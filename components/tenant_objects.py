"""What stands in a tenant's namespace, as plain data: quota, limits and rights. No resource is registered here."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_kubernetes.core.v1 import LimitRangeSpecArgsDict, ResourceQuotaSpecArgsDict
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgsDict

from components import quantity
from components.priorities import RESERVED_PRIORITIES
from components.tiers import Grant

_READ = ("get", "list", "watch")
_WRITE = (*_READ, "create", "update", "patch", "delete")
_SMALLEST_VOLUME = "1Gi"


def quota(grant: Grant) -> ResourceQuotaSpecArgsDict:
    """Everything that one tenant's namespace may use or hold."""
    most, count = grant.quota, grant.objects
    memory = quantity.canonical(most.memory)
    hard = {
        "requests.cpu": quantity.canonical(most.cpu),
        "limits.cpu": quantity.times(most.cpu, grant.cpu_burst),
        "requests.memory": memory,
        "limits.memory": memory,
        "requests.storage": quantity.canonical(most.storage),
        "requests.nvidia.com/gpu": str(most.gpus),
        "pods": str(most.pods),
        "services": str(count.services),
        # A load balancer or a port on every node would lead past the regional entry and its firewall.
        "services.loadbalancers": "0",
        "services.nodeports": "0",
        "configmaps": str(count.configmaps),
        "secrets": str(count.secrets),
        "persistentvolumeclaims": str(count.persistentvolumeclaims),
        "count/deployments.apps": str(count.deployments),
        "count/statefulsets.apps": str(count.deployments),
        "count/cronjobs.batch": str(count.deployments),
        "count/jobs.batch": str(count.jobs),
    }
    return {"hard": {resource: quantity.canonical(amount) for resource, amount in hard.items()}}


def reserved_priorities() -> ResourceQuotaSpecArgsDict:
    """No pod at a priority that would push the platform's own pods off their nodes.

    Any namespace may name any PriorityClass unless a quota says otherwise
    (https://kubernetes.io/docs/concepts/policy/resource-quotas/#resource-quota-per-priorityclass).
    """
    return {
        "hard": {"pods": "0"},
        "scope_selector": {
            "match_expressions": [
                {"scope_name": "PriorityClass", "operator": "In", "values": list(RESERVED_PRIORITIES)},
            ],
        },
    }


def limits(grant: Grant) -> LimitRangeSpecArgsDict:
    """What a container gets that asks for nothing, so that it fits the quota; and the most that one may take."""
    most, container = grant.quota, grant.container
    scratch = quantity.canonical(grant.scratch)
    limit = {
        "cpu": quantity.smaller(container.limit.cpu, quantity.times(most.cpu, grant.cpu_burst)),
        "memory": quantity.smaller(container.limit.memory, most.memory),
        "ephemeral-storage": scratch,
    }
    request = {
        "cpu": quantity.smaller(container.request.cpu, most.cpu),
        "memory": quantity.smaller(container.request.memory, most.memory),
        "ephemeral-storage": quantity.smaller("100Mi", scratch),
    }
    storage = quantity.canonical(most.storage)
    return {
        "limits": [
            {"type": "Container", "default": limit, "default_request": request, "max": {"ephemeral-storage": scratch}},
            {
                "type": "PersistentVolumeClaim",
                "min": {"storage": quantity.smaller(_SMALLEST_VOLUME, storage)},
                "max": {"storage": storage},
            },
        ]
    }


def _rule(group: str, resources: Sequence[str], verbs: Sequence[str]) -> PolicyRuleArgsDict:
    return {"api_groups": [group], "resources": list(resources), "verbs": list(verbs)}


def developer_rules() -> list[PolicyRuleArgsDict]:
    """What a tenant's developers may do in their own namespace: run their workloads and look at what binds them.

    Left out, on purpose:

    - Secrets: their contents come from the secret manager. This keeps them from passing eyes only; whoever may create
      pods in a namespace can mount any Secret of it
      (https://kubernetes.io/docs/concepts/security/rbac-good-practices/#workload-creation).
    - Writing to quotas, limits, network policies, roles, bindings and service accounts, and asking for tokens of
      service accounts: these are the walls of the namespace.
    - Writing to Endpoints and EndpointSlices: they can point a Service at another namespace's pods (CVE-2021-25740).
    - DaemonSets: a pod on every node is the platform's business.
    - Wildcards, and the verbs escalate, bind and impersonate.
    """
    return [
        _rule("", ["pods", "services", "configmaps", "persistentvolumeclaims"], _WRITE),
        _rule("", ["pods/log", "pods/status", "events", "endpoints", "serviceaccounts"], _READ),
        _rule("", ["pods/exec", "pods/attach", "pods/portforward"], ["get", "create"]),
        _rule("", ["resourcequotas", "limitranges"], _READ),
        _rule("apps", ["deployments", "statefulsets"], _WRITE),
        _rule("apps", ["deployments/scale", "statefulsets/scale"], ["get", "update", "patch"]),
        _rule("apps", ["replicasets"], _READ),
        _rule("batch", ["jobs", "cronjobs"], _WRITE),
        _rule("autoscaling", ["horizontalpodautoscalers"], _WRITE),
        _rule("policy", ["poddisruptionbudgets"], _WRITE),
        _rule("networking.k8s.io", ["networkpolicies"], _READ),
        _rule("discovery.k8s.io", ["endpointslices"], _READ),
        _rule("events.k8s.io", ["events"], _READ),
    ]
