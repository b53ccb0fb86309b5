"""A tenant's place in one cluster: its namespace and the walls around it, the same on every cloud.

Refuses to do: databases, buckets and other stores of the tenant, and what runs inside the namespace.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi_kubernetes as kubernetes
from pulumi import ComponentResource, Output, Resource, ResourceOptions

from components import network_policies, tenant_objects
from components.clouds import CLOUDS
from components.kubernetes_labels import GROUPS, OWNER, metadata
from components.labels import Labels
from components.outputs import ClusterOutputs, TenantOutputs
from components.pod_security import RESTRICTED
from components.spec import Place, TenantSpec
from components.tiers import grant

SERVICE_ACCOUNT = "workload"
DEVELOPER_ROLE = "tenant-developer"
_RBAC = "rbac.authorization.k8s.io"

CLOUD_SPECIFIC: Mapping[tuple[str, str], str] = {
    ("NetworkPolicy", "allow-identity"): "spec.egress",
    ("ServiceAccount", SERVICE_ACCOUNT): "metadata.annotations",
}
"""The whole of what may differ between clouds in a tenant's namespace: (kind, name) -> path of the field. A contract
test registers one tenant on each cloud and compares everything else."""


def namespace_of(tenant: TenantSpec) -> str:
    """The name of the tenant's namespace, the same in every cluster."""
    return f"tenant-{tenant.id}"


def _once_made(resource: Resource, name: str) -> Output[str]:
    """`name`, known in a preview already, but handed out only after `resource` exists.

    The name in the resource's own outputs would say the same, but is unknown in the first preview of a cluster that
    does not exist yet; then neither people nor policies could see which namespace an object is for.
    """
    return resource.urn.apply(lambda _: name)


class TenantNamespace(ComponentResource):
    """Namespace `tenant-<id>` with quota, limits, network policies, a service account and the developers' rights.

    The objects' names are contracts: `quota`, `no-platform-priority`, `limits`, `default-deny`, `allow-dns`,
    `allow-own-namespace`, `allow-identity`, `workload`, `tenant-developer`, `tenant-developers`.
    """

    outputs: TenantOutputs

    def __init__(
        self,
        name: str,
        *,
        tenant: TenantSpec,
        cluster: ClusterOutputs,
        place: Place,
        labels: Labels,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("meridian:components:TenantNamespace", name, None, opts)
        self._prefix = name
        self._inside = ResourceOptions(parent=self)
        self._tenant_labels = labels.of_tenant(
            tenant.id, owner=tenant.owner, cost_center=tenant.cost_center, tier=tenant.tier.value
        )

        namespace = kubernetes.core.v1.Namespace(
            name,
            metadata=metadata(
                namespace_of(tenant),
                labels=self._tenant_labels,
                component=name,
                extra_labels=RESTRICTED,
                annotations={OWNER: tenant.owner, GROUPS: ",".join(tenant.developers)},
            ),
            opts=self._inside,
        )
        self._prefixspace = _once_made(namespace, namespace_of(tenant))

        self._bound(tenant)
        self._closed(cluster)
        self._shared_with(tenant.developers)

        identity = CLOUDS[place.cloud].workload_identity(
            name,
            cluster=cluster,
            namespace=namespace_of(tenant),
            service_account=SERVICE_ACCOUNT,
            place=place,
            labels=self._tenant_labels,
            opts=self._inside,
        )
        workload = kubernetes.core.v1.ServiceAccount(
            f"{name}-workload",
            metadata=metadata(
                SERVICE_ACCOUNT,
                labels=self._tenant_labels,
                component=f"{name}-workload",
                namespace=self._prefixspace,
                annotations=identity.annotations,
            ),
            # Each cloud projects the token that it exchanges for an identity by itself; the API server's is not needed.
            automount_service_account_token=False,
            opts=self._inside,
        )

        self.outputs = TenantOutputs(
            namespace=self._prefixspace,
            service_account=_once_made(workload, SERVICE_ACCOUNT),
            principal=identity.principal,
            pod_labels=identity.pod_labels,
        )
        self.register_outputs(vars(self.outputs))

    def _metadata(self, name: str) -> kubernetes.meta.v1.ObjectMetaArgsDict:
        return metadata(
            name, labels=self._tenant_labels, component=f"{self._prefix}-{name}", namespace=self._prefixspace
        )

    def _bound(self, tenant: TenantSpec) -> None:
        """How much the tenant may use."""
        granted = grant(tenant)
        for name, spec in (
            ("quota", tenant_objects.quota(granted)),
            ("no-platform-priority", tenant_objects.reserved_priorities()),
        ):
            kubernetes.core.v1.ResourceQuota(
                f"{self._prefix}-{name}", metadata=self._metadata(name), spec=spec, opts=self._inside
            )
        kubernetes.core.v1.LimitRange(
            f"{self._prefix}-limits",
            metadata=self._metadata("limits"),
            spec=tenant_objects.limits(granted),
            opts=self._inside,
        )

    def _closed(self, cluster: ClusterOutputs) -> None:
        """Whom the tenant's pods may talk to: resolvers, each other, and whoever hands out their identity."""
        for name, spec in (
            ("default-deny", network_policies.default_deny()),
            ("allow-dns", network_policies.allow_dns()),
            ("allow-own-namespace", network_policies.allow_own_namespace()),
            ("allow-identity", cluster.identity_endpoints.apply(network_policies.allow_identity)),
        ):
            kubernetes.networking.v1.NetworkPolicy(
                f"{self._prefix}-{name}", metadata=self._metadata(name), spec=spec, opts=self._inside
            )

    def _shared_with(self, groups: tuple[str, ...]) -> None:
        """What the tenant's developers may do. Who is in their groups is the identity provider's to say."""
        role = kubernetes.rbac.v1.Role(
            f"{self._prefix}-developer",
            metadata=self._metadata(DEVELOPER_ROLE),
            rules=tenant_objects.developer_rules(),
            opts=self._inside,
        )
        kubernetes.rbac.v1.RoleBinding(
            f"{self._prefix}-developers",
            metadata=self._metadata("tenant-developers"),
            # The API server looks at the role's rules when a binding is made, so the role comes first. Later changes of
            # the role need no change here; a change of roleRef would replace the binding.
            role_ref={"api_group": _RBAC, "kind": "Role", "name": _once_made(role, DEVELOPER_ROLE)},
            subjects=[{"api_group": _RBAC, "kind": "Group", "name": group} for group in groups],
            opts=self._inside,
        )
