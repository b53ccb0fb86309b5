"""Helm releases: recorded in the cluster, not rendered.

The sandbox has no Helm and fetches no charts. A release becomes one Secret in its namespace that holds the inputs,
so that it lives and dies with the cluster and a refresh reads the truth. Its status says "recorded", not "deployed".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from sandbox import wire
from sandbox.kubernetes import difference, operations
from sandbox.kubernetes.api import ApiError, Object
from sandbox.kubernetes.difference import Difference, Options
from sandbox.kubernetes.instance import Instance
from sandbox.kubernetes.objects import mark_secrets, split_id
from sandbox.kubernetes.operations import OperationError

RECORD_TYPE = "meridian.dev/recorded-release"
_MANAGER = "meridian-sandbox-releases"
_IDENTITY = ("name", "namespace")


def check(inputs: Object, generated_name: str, namespace: str) -> Object:
    """Inputs with a name and a namespace, as the genuine provider fills them in."""
    return {**inputs, "name": inputs.get("name", generated_name), "namespace": inputs.get("namespace", namespace)}


def compare(old: Object, new: Object, ignored: Sequence[str]) -> Difference:
    """Another name or namespace is another release; everything else is an upgrade."""
    found = difference.compare(old, new, Options(), ignored)
    found.replaces = [name for name in _IDENTITY if name in found.changes]
    for name in found.replaces:
        found.changes[name] |= 1
    found.delete_first = False
    return found


def preview(inputs: Object) -> Object:
    """Outputs before a release is made or upgraded."""
    return {**inputs, "status": wire.UNKNOWN}


def create(instance: Instance, inputs: Object) -> tuple[str, Object]:
    """Record a new release; its id and outputs. Raises OperationError."""
    plain = wire.plain(inputs)
    identifier = f"{plain['namespace']}/{plain['name']}"
    if _load(instance, identifier):
        raise OperationError(f"release {identifier}: cannot re-use a name that is still in use")
    return identifier, _save(instance, identifier, inputs, revision=1)


def update(instance: Instance, inputs: Object) -> Object:
    """Record an upgrade; the outputs. Raises OperationError."""
    plain = wire.plain(inputs)
    identifier = f"{plain['namespace']}/{plain['name']}"
    found = _load(instance, identifier)
    if not found:
        raise OperationError(f"release {identifier} is gone from the cluster; run `pulumi refresh`")
    return _save(instance, identifier, inputs, revision=found[1] + 1)


def read(instance: Instance, identifier: str, inputs: Object) -> tuple[Object, Object] | None:
    """Recorded inputs and outputs, or None; what is secret in `inputs` stays so. Raises OperationError."""
    found = _load(instance, identifier)
    if not found:
        return None
    shown = mark_secrets(found[0], inputs)
    return shown, _outputs(shown, found[1])


def delete(instance: Instance, identifier: str) -> None:
    """Forget a release; one that is gone is no error. Raises OperationError."""
    namespace, name = split_id(identifier)
    operations.delete(instance, "v1", "Secret", f"{namespace}/{_record_name(name)}", 0)


def _outputs(inputs: Object, revision: int) -> Object:
    status = {
        "name": inputs["name"],
        "namespace": inputs["namespace"],
        "chart": inputs.get("chart"),
        "version": inputs.get("version", ""),
        "revision": revision,
        "status": "recorded",
    }
    return {**inputs, "status": status}


def _load(instance: Instance, identifier: str) -> tuple[Object, int] | None:
    namespace, name = split_id(identifier)
    try:
        live = instance.require().get("v1", "Secret", namespace, _record_name(name))
    except ApiError as error:
        raise OperationError(f"release {identifier}: {error}") from error
    if not live:
        return None
    record: dict[str, Any] = json.loads(base64.b64decode(live["data"]["record"]))
    return record["inputs"], int(record["revision"])


def _save(instance: Instance, identifier: str, inputs: Object, *, revision: int) -> Object:
    api, plain = instance.require(), wire.plain(inputs)
    if not isinstance(plain.get("chart"), str):
        raise OperationError(f"release {identifier}: `chart` is required")
    namespace, name = split_id(identifier)
    try:
        if plain.get("createNamespace") is True and not api.get("v1", "Namespace", "", namespace):
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
            api.apply(body, manager=_MANAGER)
        api.apply(_record(namespace, name, plain, revision), manager=_MANAGER, force=True)
    except ApiError as error:
        raise OperationError(f"release {identifier}: {error}") from error
    return _outputs(inputs, revision)


def _record_name(release: str) -> str:
    return f"recorded-release.{release}"


def _record(namespace: str, name: str, inputs: Object, revision: int) -> Object:
    record = json.dumps({"inputs": inputs, "revision": revision, "rendered": False})
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": RECORD_TYPE,
        "metadata": {
            "name": _record_name(name),
            "namespace": namespace,
            "annotations": {"meridian.dev/note": "recorded by the sandbox, not rendered: no chart was fetched"},
        },
        "data": {"record": base64.b64encode(record.encode()).decode()},
    }
