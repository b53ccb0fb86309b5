"""Kubernetes objects as the provider sees them: types, names, ids, secrets, spelling on the wire."""

from __future__ import annotations

import re
import secrets
from typing import Any

from sandbox.kubernetes.api import Object
from sandbox.wire import UNKNOWN, has_secret, is_secret, secret

AUTONAMED = "pulumi.com/autonamed"
PATCH_FORCE = "pulumi.com/patchForce"
DELETION_PROPAGATION = "pulumi.com/deletionPropagationPolicy"
FIELD_MANAGER = "pulumi.com/patchFieldManager"

# Kept with the outputs, under the name that the genuine provider uses, so that an object keeps its manager when
# the resource is renamed.
MANAGER_OUTPUT = "__fieldManager"

# metadata that only the server writes.
SERVER_METADATA = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)

HELM_RELEASE = "kubernetes:helm.sh/v3:Release"

_TOKEN = re.compile(r"kubernetes:(?P<group>[^:/]+(?:/[^:/]+)?):(?P<kind>[A-Za-z0-9]+)")


class UnsupportedType(Exception):
    """A type token that the stand-in does not serve."""


def api_type(token: str) -> tuple[str, str]:
    """apiVersion and kind of a type token ("kubernetes:core/v1:Namespace"). Raises UnsupportedType."""
    match = _TOKEN.fullmatch(token)
    if not match or token.startswith(("kubernetes:helm.sh/", "kubernetes:yaml", "kubernetes:kustomize")):
        raise UnsupportedType(f"the sandbox's kubernetes provider does not serve {token}")
    api_version, kind = match["group"], match["kind"]
    if api_version == "core/v1":
        api_version = "v1"
    # Only Kubernetes' own groups have Patch and List variants; a custom kind may well be called so.
    group = api_version.split("/")[0]
    if "." not in group or group.endswith(".k8s.io"):
        if kind.endswith("Patch"):
            raise UnsupportedType(f"the sandbox's kubernetes provider does not serve Patch resources ({token})")
        if kind.endswith("List"):
            raise UnsupportedType(f"{token}: lists cannot be created; create the objects in it one by one")
    return api_version, kind


def metadata_of(value: Object) -> dict[str, Any]:
    """The metadata of an object or of inputs; empty where it is missing, unknown or a secret."""
    found = value.get("metadata")
    return found if isinstance(found, dict) and not is_secret(found) else {}


def text_of(mapping: dict[str, Any], key: str) -> str:
    """A string, or "" where there is none."""
    found = mapping.get(key)
    return found if isinstance(found, str) else ""


def annotations_of(value: Object) -> dict[str, Any]:
    """The annotations; empty where they are missing, unknown or secret."""
    found = metadata_of(value).get("annotations")
    return found if isinstance(found, dict) and not is_secret(found) else {}


def is_autonamed(value: Object) -> bool:
    """Whether the name was generated, and so may be generated anew."""
    return annotations_of(value).get(AUTONAMED) == "true"


def set_autoname(inputs: Object, name: str) -> None:
    """Give the inputs a generated name and say so, as the genuine provider does."""
    metadata = inputs.setdefault("metadata", {})
    metadata["name"] = name
    metadata["annotations"] = {**annotations_of(inputs), AUTONAMED: "true"}


def new_name(logical: str, seed: bytes) -> str:
    """`<logical name>-<8 hex digits>`; the same for one seed, which the engine gives so that a plan holds."""
    digits = seed.hex()[:8] if len(seed) >= 4 else secrets.token_hex(4)
    return f"{logical}-{digits}"


def new_manager(seed: str) -> str:
    """The name of a field manager of one resource: no two resources share one, or they would undo each other."""
    return f"pulumi-kubernetes-{seed}"


def manager_of(live: Object) -> str:
    """The provider's own manager that has applied a live object ("" if none): an import goes on with it."""
    for entry in metadata_of(live).get("managedFields") or ():
        name = str(entry.get("manager"))
        if entry.get("operation") == "Apply" and name.startswith("pulumi-kubernetes"):
            return name
    return ""


def propagation_of(inputs: Object) -> str:
    """What becomes of an object's dependents when it is deleted."""
    chosen = str(annotations_of(inputs).get(DELETION_PROPAGATION, "")).capitalize()
    return chosen if chosen in ("Orphan", "Background") else "Foreground"


def object_id(live: Object) -> str:
    """The resource's id: "namespace/name", or the name where the kind has no namespace."""
    metadata = live["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else metadata["name"]


def split_id(identifier: str) -> tuple[str, str]:
    """Namespace ("" for none) and name of an id."""
    namespace, _, name = identifier.rpartition("/")
    return namespace, name


def to_kubernetes(value: Any) -> Any:
    """As the API server spells it: SDKs write x_kubernetes_… for the x-kubernetes-… of schemas."""
    return _respell(value, "x_kubernetes_", "_", "-")


def from_kubernetes(value: Any) -> Any:
    """As the SDKs spell it."""
    return _respell(value, "x-kubernetes-", "-", "_")


def _respell(value: Any, prefix: str, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {
            key.replace(old, new) if key.startswith(prefix) else key: _respell(item, prefix, old, new)
            for key, item in value.items()
        }
    return [_respell(item, prefix, old, new) for item in value] if isinstance(value, list) else value


def mark_secrets(outputs: Any, inputs: Any) -> Any:
    """Outputs in which everything is secret that is secret in the inputs, and the data of every Secret.

    A list that holds a secret becomes secret as a whole: its items may change places.
    """
    if not isinstance(outputs, dict) or is_secret(outputs):
        return outputs
    marked = dict(outputs)
    if marked.get("kind") == "Secret" and marked.get("apiVersion") == "v1":
        for key in ("data", "stringData"):
            if key in marked:
                marked[key] = secret(marked[key])
    for key, given in inputs.items() if isinstance(inputs, dict) else ():
        if key not in marked or is_secret(marked[key]):
            continue
        if isinstance(given, dict) and not is_secret(given) and isinstance(marked[key], dict):
            marked[key] = mark_secrets(marked[key], given)
        elif has_secret(given):
            marked[key] = secret(marked[key])
    return marked


def preview_of(live: Object) -> Object:
    """A dry run's answer without what only the real run decides."""
    shown = {key: value for key, value in live.items() if key != "status"}
    if "status" in live:
        shown["status"] = UNKNOWN
    metadata = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
    for key in ("uid", "resourceVersion", "creationTimestamp"):
        metadata[key] = UNKNOWN
    return {**shown, "metadata": metadata}
