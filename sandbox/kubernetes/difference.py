"""What changes between old and new inputs, and which changes need a new object.

The table of immutable fields restates facts of pulumi-kubernetes 4 (provider/pkg/provider/diff.go), which is what
decides in a real deployment. It is narrower than what API servers refuse: a field missing here fails at the update.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from sandbox.kubernetes.api import Object
from sandbox.kubernetes.objects import SERVER_METADATA, is_autonamed, metadata_of, text_of
from sandbox.kubernetes.quantities import holds_quantities, same_quantity
from sandbox.wire import has_unknown, plain

Path = tuple[str | int, ...]


class Change(IntEnum):
    """The protocol's kinds (`PropertyDiff.Kind`); one more than each is the same with replacement."""

    ADD = 0
    DELETE = 2
    UPDATE = 4


@dataclass(frozen=True)
class Options:
    """The provider's arguments that decide about replacement."""

    mutable_config_maps: bool = False
    mutable_secrets: bool = False


@dataclass
class Difference:
    """Changed paths with their kind, those among them that force replacement, and in which order to replace."""

    changes: dict[str, int] = field(default_factory=dict)
    replaces: list[str] = field(default_factory=list)
    delete_first: bool = False


_Names = tuple[str, ...]


def _words(text: str) -> _Names:
    return tuple(text.split())


_SELECTOR = ("spec.selector",)
_ALWAYS = ("metadata.name", "metadata.namespace")
_POD_SPEC = _words(
    "affinity automountServiceAccountToken dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC hostNetwork "
    "hostPID hostname imagePullSecrets nodeName nodeSelector overhead preemptionPolicy priority priorityClassName "
    "readinessGates restartPolicy runtimeClassName schedulerName securityContext serviceAccount serviceAccountName "
    "shareProcessNamespace subdomain terminationGracePeriodSeconds volumes"
)
_CONTAINER = _words(
    "args command env image imagePullPolicy lifecycle livenessProbe ports readinessProbe resources securityContext "
    "stdin stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts workingDir"
)
_VOLUME_SOURCES = _words(
    "awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk glusterfs "
    "hostPath iscsi local nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume"
)

_IMMUTABLE: Mapping[tuple[str, str], Sequence[str]] = {
    ("apps/v1", "DaemonSet"): _SELECTOR,
    ("apps/v1", "Deployment"): _SELECTOR,
    ("apps/v1", "StatefulSet"): (
        "spec.podManagementPolicy", "spec.revisionHistoryLimit", "spec.selector", "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("batch/v1", "Job"): ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): ("roleRef",),
    ("storage.k8s.io/v1", "StorageClass"): ("parameters", "provisioner"),
    ("v1", "PersistentVolume"): tuple(f"spec.{source}" for source in _VOLUME_SOURCES),
    ("v1", "PersistentVolumeClaim"): (
        "spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName",
    ),
    ("v1", "Pod"): (
        *(f"spec.{name}" for name in _POD_SPEC),
        *(f"spec.{group}.{name}" for group in ("containers", "initContainers") for name in _CONTAINER),
    ),
    ("v1", "ResourceQuota"): ("spec.scopes",),
    ("v1", "Secret"): ("type",),
    ("v1", "Service"): ("spec.clusterIP",),
}  # fmt: skip


def immutable_fields(inputs: Object, options: Options) -> tuple[str, ...]:
    """Paths (without list positions) whose change needs a new object of this kind."""
    kind = (text_of(inputs, "apiVersion"), text_of(inputs, "kind"))
    frozen = inputs.get("immutable") is True
    if kind == ("v1", "Secret") and (frozen or not options.mutable_secrets):
        return (*_ALWAYS, "type", "data", "stringData")
    if kind == ("v1", "ConfigMap") and (frozen or not options.mutable_config_maps):
        return (*_ALWAYS, "data", "binaryData")
    return (*_ALWAYS, *_IMMUTABLE.get(kind, ()))


def compare(old_inputs: Object, new_inputs: Object, options: Options, ignored: Sequence[str] = ()) -> Difference:
    """How new inputs differ from old ones, both as Check returned them."""
    old, new = _comparable(old_inputs), _comparable(new_inputs)
    immutable = [tuple(path.split(".")) for path in immutable_fields(new, options)]
    quantities = holds_quantities(text_of(new, "apiVersion"))
    result = Difference()
    for path, change, before, after in _changes(old, new, ()):
        text = path_text(path)
        if any(_within(text, prefix) for prefix in ignored):
            continue
        if quantities and same_quantity(path, before, after):
            continue
        names = tuple(part for part in path if isinstance(part, str))
        # Another apiVersion or kind is another object. So is one whose whole metadata went away.
        replaces = (
            path in (("apiVersion",), ("kind",))
            or (path == ("metadata",) and change is Change.DELETE)
            or any(_touches(names, where, before) or _touches(names, where, after) for where in immutable)
        )
        result.changes[text] = int(change) + int(replaces)
        if replaces:
            result.replaces.append(text)
    # A generated name can be given to the new object while the old one still exists; a chosen one cannot.
    result.delete_first = bool(
        result.replaces
        and text_of(metadata_of(new), "name")
        and not is_autonamed(new)
        and not has_unknown(metadata_of(new).get("name"))
        and all(metadata_of(new).get(key) == metadata_of(old).get(key) for key in ("name", "namespace"))
    )
    return result


def _comparable(inputs: Object) -> Object:
    """Plain inputs without what means nothing: server's metadata, the default namespace spelt out or not, nulls."""
    cleaned: Object = {key: value for key, value in plain(inputs).items() if not key.startswith("__")}
    metadata = cleaned.get("metadata")
    if isinstance(metadata, dict):
        kept = {key: value for key, value in metadata.items() if key not in SERVER_METADATA}
        if kept.get("namespace") == "default":
            del kept["namespace"]
        cleaned["metadata"] = kept
    return cleaned


def _touches(names: tuple[str, ...], immutable: tuple[str, ...], value: Any) -> bool:
    """Whether a change at `names`, of which `value` is one side, changes an immutable field."""
    if names[: len(immutable)] == immutable:
        return True
    return immutable[: len(names)] == names and _has(value, immutable[len(names) :])


def _has(value: Any, path: tuple[str, ...]) -> bool:
    if isinstance(value, list):
        return any(_has(item, path) for item in value)
    if not path:
        return value is not None
    return isinstance(value, dict) and _has(value.get(path[0]), path[1:])


def _changes(old: Any, new: Any, path: Path) -> Iterator[tuple[Path, Change, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _entry(old.get(key), new.get(key), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            yield from _entry(before, after, (*path, index))
    # Equality alone would take True for 1.
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield path, Change.UPDATE, old, new


def _entry(old: Any, new: Any, path: Path) -> Iterator[tuple[Path, Change, Any, Any]]:
    if old is None and new is not None:
        yield path, Change.ADD, old, new
    elif new is None and old is not None:
        yield path, Change.DELETE, old, new
    elif old is not None:
        yield from _changes(old, new, path)


def path_text(path: Path) -> str:
    """A property path as the engine writes it: `metadata.labels["app.kubernetes.io/name"]`, `spec.ports[0]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif any(character in part for character in '."[]'):
            escaped = part.replace('"', '\\"')
            text += f'["{escaped}"]'
        else:
            text += f".{part}" if text else part
    return text


def _within(text: str, prefix: str) -> bool:
    return text == prefix or text.startswith((f"{prefix}.", f"{prefix}["))
