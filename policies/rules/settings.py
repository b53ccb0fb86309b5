"""What users of the pack can set, with defaults; everything else is in the rules.

In `--policy-pack-config` a JSON file names it per policy of the pack, such as
`{"resources-mandatory": {"requiredLabels": ["team"]}, "stack-mandatory": {"tenantNamespacePrefix": "customer-"}}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

_TEXTS = {"type": "array", "items": {"type": "string"}}
_TEXT = {"type": "string"}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of the pack."""

    required_labels: tuple[str, ...] = (
        "project",
        "environment",
        "stack",
        "component",
        "owner",
        "cost_center",
        "managed_by",
    )
    """Keys that everything taggable must bear, lower-snake. Kubernetes: see `kubernetes_key`."""
    label_domain: str = "meridian.dev"
    """Prefix of the labels and annotations of ours on Kubernetes objects."""
    tenant_namespace_prefix: str = "tenant-"
    """What the names of tenants' namespaces begin with. By it a rule knows a tenant that lives in another stack."""
    platform_namespaces: tuple[str, ...] = ("kube-system", "platform-*")
    """Namespaces whose service accounts may be bound in a tenant's namespace; a * stands for anything."""

    pod_ranges: tuple[str, ...] = ("100.64.0.0/10",)
    """Where pods have their addresses. A network policy that admits addresses of these admits other tenants' pods."""

    reserved_priorities: tuple[str, ...] = ("platform-critical", "system-cluster-critical", "system-node-critical")
    """PriorityClasses that tenants may not use."""

    @property
    def tenant_label(self) -> str:
        """Label by which a namespace is known to be a tenant's; its value says whose."""
        return f"{self.label_domain}/tenant"

    @property
    def groups_annotation(self) -> str:
        """Annotation on a tenant's namespace: its groups of people, joined by commas."""
        return f"{self.label_domain}/groups"

    def kubernetes_key(self, key: str) -> str:
        """A required key as Kubernetes objects bear it."""
        known = {"project": "app.kubernetes.io/part-of", "managed_by": "app.kubernetes.io/managed-by"}
        return known.get(key, f"{self.label_domain}/{key.replace('_', '-')}")

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Settings:
        """Settings as the engine hands them over; what is missing has its default."""
        return replace(cls(), **{_NAMES[key]: _frozen(value) for key, value in config.items() if key in _NAMES})

    @classmethod
    def schema(cls) -> dict[str, dict[str, Any]]:
        """JSON schema of each setting, with its default."""
        defaults = cls()
        return {
            key: {**(_TEXTS if isinstance(default, tuple) else _TEXT), "default": _plain(default)}
            for key, name in _NAMES.items()
            for default in [getattr(defaults, name)]
        }


_NAMES = {
    "requiredLabels": "required_labels",
    "labelDomain": "label_domain",
    "tenantNamespacePrefix": "tenant_namespace_prefix",
    "platformNamespaces": "platform_namespaces",
    "podRanges": "pod_ranges",
    "reservedPriorities": "reserved_priorities",
}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _plain(default: object) -> object:
    return list(default) if isinstance(default, tuple) else default
