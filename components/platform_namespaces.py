"""What every cluster holds for everyone before any tenant: priority classes and the platform's own namespace."""

from __future__ import annotations

import pulumi_kubernetes as kubernetes
from pulumi import ComponentResource, Output, ResourceOptions

from components import network_policies
from components.kubernetes_labels import OWNER, metadata
from components.labels import Labels
from components.outputs import ClusterOutputs, PlatformOutputs
from components.pod_security import RESTRICTED
from components.priorities import PRIORITIES

SYSTEM_NAMESPACE = "platform-system"


class PlatformNamespaces(ComponentResource):
    """PriorityClasses, and the closed namespace `platform-system` for what runs there on behalf of everyone.

    It starts as closed as a tenant's: whatever moves in opens what it needs, and no more.
    """

    outputs: PlatformOutputs

    def __init__(
        self, name: str, *, cluster: ClusterOutputs, labels: Labels, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("meridian:components:PlatformNamespaces", name, None, opts)
        child = ResourceOptions(parent=self)

        for priority in PRIORITIES:
            logical = f"{name}-{priority.name}"
            kubernetes.scheduling.v1.PriorityClass(
                logical,
                metadata=metadata(priority.name, labels=labels, component=logical),
                value=priority.value,
                global_default=False,
                preemption_policy="PreemptLowerPriority" if priority.preempts else "Never",
                description=priority.description,
                opts=child,
            )

        system = kubernetes.core.v1.Namespace(
            f"{name}-system",
            metadata=metadata(
                SYSTEM_NAMESPACE,
                labels=labels,
                component=f"{name}-system",
                extra_labels=RESTRICTED,
                annotations={OWNER: labels.owner},
            ),
            opts=child,
        )
        # Known in a preview already, see TenantNamespace.
        namespace = system.urn.apply(lambda _: SYSTEM_NAMESPACE)
        for policy, spec in (
            ("default-deny", network_policies.default_deny()),
            ("allow-dns", network_policies.allow_dns()),
        ):
            logical = f"{name}-system-{policy}"
            kubernetes.networking.v1.NetworkPolicy(
                logical,
                metadata=metadata(policy, labels=labels, component=logical, namespace=namespace),
                spec=spec,
                opts=child,
            )

        self.outputs = PlatformOutputs(
            system_namespace=namespace,
            priority_classes=Output.from_input([priority.name for priority in PRIORITIES]),
        )
        self.register_outputs(vars(self.outputs))
