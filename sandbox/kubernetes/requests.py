"""From the engine's requests to calls about objects, and from live objects to the engine's answers."""

from __future__ import annotations

import secrets
from typing import Any, NoReturn

import grpc
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2

from sandbox import wire
from sandbox.faults import fail
from sandbox.kubernetes.api import Object
from sandbox.kubernetes.instance import Instance
from sandbox.kubernetes.objects import (
    FIELD_MANAGER,
    MANAGER_OUTPUT,
    annotations_of,
    api_type,
    from_kubernetes,
    mark_secrets,
    new_manager,
    new_name,
    object_id,
    text_of,
    to_kubernetes,
)
from sandbox.kubernetes.operations import Call, NotReady, OperationError


def type_of(request: Any) -> str:
    """The type token of a resource's request, from the request itself or from its URN."""
    return request.type or request.urn.split("::")[2].rsplit("$", 1)[-1]


def logical_name(request: provider_pb2.CheckRequest) -> str:
    """The resource's name in the program."""
    return request.name or request.urn.rsplit("::", 1)[-1]


def identity(request: Any, inputs: Object, state: Object) -> tuple[str, str]:
    """The object's apiVersion and kind: as it was made with, else by the type token. Raises UnsupportedType."""
    for source in (inputs, state):
        if text_of(source, "apiVersion") and text_of(source, "kind"):
            return source["apiVersion"], source["kind"]
    return api_type(type_of(request))


def generated_name(request: provider_pb2.CheckRequest) -> str:
    """A name for an object that has none, as the engine's auto-naming settings want it. Raises OperationError."""
    if request.HasField("autonaming"):
        if request.autonaming.mode == provider_pb2.CheckRequest.AutonamingOptions.DISABLE:
            raise OperationError("autonaming is disabled: set metadata.name")
        if request.autonaming.proposed_name:
            return request.autonaming.proposed_name
    return new_name(logical_name(request), request.randomSeed)


def manager(state: Object, inputs: Object) -> str:
    """The field manager: as annotated, else the one that the state remembers, else a new one."""
    chosen = annotations_of(inputs).get(FIELD_MANAGER)
    if isinstance(chosen, str) and chosen:
        return chosen
    return text_of(state, MANAGER_OUTPUT) or new_manager(secrets.token_hex(4))


def call(instance: Instance, inputs: Object, field_manager: str, timeout_seconds: float = 0) -> Call:
    """The call that applies these inputs."""
    body = {key: value for key, value in wire.plain(inputs).items() if not key.startswith("__")}
    return Call(instance, to_kubernetes(body), field_manager, timeout_seconds)


def outputs(live: Object, inputs: Object, field_manager: str) -> Object:
    """The live object as outputs. managedFields are left out: long, and of no use to a program."""
    metadata = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
    shown = from_kubernetes({**live, "metadata": metadata})
    return {**mark_secrets(shown, inputs), MANAGER_OUTPUT: field_manager}


def overlay(old: Any, new: Any) -> Any:
    """Old outputs with new inputs on top: what stays the same stays known in a preview."""
    if isinstance(old, dict) and isinstance(new, dict) and not wire.is_secret(old) and not wire.is_secret(new):
        return {**old, **{key: overlay(old.get(key), value) for key, value in new.items()}}
    return new


def fail_not_ready(context: grpc.ServicerContext, error: NotReady, shown: Object) -> NoReturn:
    """Fail so that the engine keeps the object in its state: it exists."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=object_id(error.live), properties=wire.encode(shown), reasons=[str(error)]
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    fail(context, str(error))
