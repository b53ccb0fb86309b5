"""Who a resource belongs to and who pays for it: one vocabulary, encoded per cloud.

Each cloud's folder has a `labels.py` with one function, `encode`, for its own rules of keys and values.
"""

from __future__ import annotations

from components.spec import Model, Slug


class Labels(Model):
    """Labels that everything taggable bears. Stack and component also identify an orphan, without any state."""

    project: Slug = "meridian"
    environment: Slug
    stack: Slug
    """The slice that registered the resource, such as staging.aws-usw2."""
    owner: str
    """An address or team name; clouds that cannot carry it as it is get a slug."""
    cost_center: Slug
    managed_by: Slug = "pulumi"
    tenant: Slug | None = None
    tier: Slug | None = None

    def canonical(self, component: str) -> dict[str, str]:
        """All labels of the resource with the logical name `component`, under their canonical lower-snake keys."""
        pairs = {**self.model_dump(exclude_none=True), "component": component}
        return dict(sorted(pairs.items()))

    def of_tenant(self, tenant: str, *, owner: str, cost_center: str, tier: str) -> Labels:
        """The same labels for what belongs to a tenant, which pays for it."""
        return Labels.model_validate(
            {**self.model_dump(), "tenant": tenant, "owner": owner, "cost_center": cost_center, "tier": tier}
        )
