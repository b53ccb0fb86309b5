"""The stand-in for the kubernetes provider: the engine's protocol on one side, real API servers on the other.

Facts about the genuine provider's behaviour are from pulumi-kubernetes 4, provider/pkg.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import grpc
import yaml
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from sandbox import wire
from sandbox.faults import fail, struck
from sandbox.kubernetes import operations, releases, requests
from sandbox.kubernetes.api import ApiError, NoSuchKind, Object
from sandbox.kubernetes.difference import compare
from sandbox.kubernetes.instance import UNCONFIGURED, Instance, Unreachable
from sandbox.kubernetes.objects import (
    HELM_RELEASE,
    MANAGER_OUTPUT,
    UnsupportedType,
    api_type,
    from_kubernetes,
    is_autonamed,
    manager_of,
    mark_secrets,
    metadata_of,
    object_id,
    propagation_of,
    set_autoname,
    text_of,
)
from sandbox.kubernetes.operations import NotReady, OperationError
from sandbox.kubernetes.plugin import Plugin
from sandbox.kubernetes.truth import imported, refreshed

# In the order of their numbers, so that difference.py need not know the protocol's classes.
_KINDS = (
    provider_pb2.PropertyDiff.ADD,
    provider_pb2.PropertyDiff.ADD_REPLACE,
    provider_pb2.PropertyDiff.DELETE,
    provider_pb2.PropertyDiff.DELETE_REPLACE,
    provider_pb2.PropertyDiff.UPDATE,
    provider_pb2.PropertyDiff.UPDATE_REPLACE,
)


class KubernetesProvider(Plugin):
    """Serves resources: every method is one call of the engine's protocol."""

    @contextmanager
    def _call(self, op: str, request: Any, context: grpc.ServicerContext) -> Generator[Instance]:
        """The calling instance, under injected faults; what a user can mend ends the call with its message.

        Previews are left alone by faults of "create" and "update": these mean the real thing.
        """
        try:
            if getattr(request, "preview", False):
                yield self.instance(context)
            else:
                with struck(self._faults, op, request.urn, context):
                    yield self.instance(context)
        except (OperationError, Unreachable, UnsupportedType, ApiError, NoSuchKind) as error:
            fail(context, str(error))

    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """Fill in what makes an object complete: type, name, namespace."""
        with self._call("check", request, context) as instance:
            news, olds = wire.decode(request.news), wire.decode(request.olds)
            if requests.type_of(request) == HELM_RELEASE:
                name = olds.get("name") or requests.generated_name(request)
                inputs = releases.check(news, name, instance.namespace)
            else:
                inputs = _checked(request, news, olds, instance)
        return provider_pb2.CheckResponse(inputs=wire.encode(inputs))

    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Compare inputs with inputs: what the cluster has is the business of a refresh."""
        with self._call("diff", request, context) as instance:
            old, new, ignored = wire.decode(request.old_inputs), wire.decode(request.news), list(request.ignoreChanges)
            if requests.type_of(request) == HELM_RELEASE:
                found = releases.compare(old, new, ignored)
            else:
                found = compare(old, new, instance.options, ignored)
        response = provider_pb2.DiffResponse
        return response(
            changes=response.DIFF_SOME if found.changes else response.DIFF_NONE,
            diffs=sorted({path.split(".")[0].split("[")[0] for path in found.changes}),
            replaces=found.replaces,
            detailedDiff={
                path: provider_pb2.PropertyDiff(kind=_KINDS[kind], inputDiff=True)
                for path, kind in found.changes.items()
            },
            hasDetailedDiff=True,
            deleteBeforeReplace=found.delete_first,
        )

    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        """Create and wait; in a preview, say what creating would give and find mistakes by a dry run."""
        inputs, identifier = wire.decode(request.properties), ""
        with self._call("create", request, context) as instance:
            if requests.type_of(request) == HELM_RELEASE:
                if request.preview:
                    shown = releases.preview(inputs)
                else:
                    identifier, shown = releases.create(instance, inputs)
            elif request.preview:
                shown = _previewed(instance, inputs)
            else:
                call = requests.call(instance, inputs, requests.manager({}, inputs), request.timeout)
                try:
                    live = operations.create(call)
                except NotReady as error:
                    shown = requests.outputs(error.live, inputs, call.manager)
                    requests.fail_not_ready(context, error, shown)
                identifier, shown = object_id(live), requests.outputs(live, inputs, call.manager)
        return provider_pb2.CreateResponse(id=identifier, properties=wire.encode(shown))

    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        """Apply new inputs; in a preview, what does not change stays known."""
        olds, inputs = wire.decode(request.olds), wire.decode(request.news)
        with self._call("update", request, context) as instance:
            if requests.type_of(request) == HELM_RELEASE:
                shown = releases.preview(inputs) if request.preview else releases.update(instance, inputs)
            elif request.preview and (instance is UNCONFIGURED or wire.has_unknown(inputs)):
                shown = requests.overlay(olds, inputs)
            else:
                call = requests.call(instance, inputs, requests.manager(olds, inputs), request.timeout)
                try:
                    live = operations.update(call, preview=request.preview)
                except NotReady as error:
                    shown = requests.outputs(error.live, inputs, call.manager)
                    requests.fail_not_ready(context, error, shown)
                shown = requests.outputs(live, inputs, call.manager)
        return provider_pb2.UpdateResponse(properties=wire.encode(shown))

    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        """The truth: for a refresh with the inputs as they are now, for an import with inputs made from the object."""
        inputs, state = wire.decode(request.inputs), wire.decode(request.properties)
        with self._call("read", request, context) as instance:
            if not instance.api and instance.delete_unreachable:
                return provider_pb2.ReadResponse()
            if requests.type_of(request) == HELM_RELEASE:
                found = releases.read(instance, request.id, inputs)
            else:
                api_version, kind = requests.identity(request, inputs, state)
                live = operations.read(instance, api_version, kind, request.id)
                found = _described(live, inputs, state) if live else None
        if not found:
            return provider_pb2.ReadResponse()
        now, shown = found
        return provider_pb2.ReadResponse(id=request.id, inputs=wire.encode(now), properties=wire.encode(shown))

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Delete and wait until it is gone."""
        inputs, state = wire.decode(request.old_inputs), wire.decode(request.properties)
        with self._call("delete", request, context) as instance:
            if not instance.api and instance.delete_unreachable:
                return empty_pb2.Empty()
            if requests.type_of(request) == HELM_RELEASE:
                releases.delete(instance, request.id)
            else:
                api_version, kind = requests.identity(request, inputs, state)
                propagation = propagation_of(wire.plain(inputs))
                operations.delete(instance, api_version, kind, request.id, request.timeout, propagation)
        return empty_pb2.Empty()

    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        """The one function that needs no cluster and no charts: reading YAML."""
        with struck(self._faults, "invoke", request.tok, context):
            if request.tok != "kubernetes:yaml:decode":
                fail(context, f"the sandbox's kubernetes provider has no function {request.tok}")
            arguments = wire.plain(wire.decode(request.args))
            try:
                documents = [item for item in yaml.safe_load_all(str(arguments.get("text", ""))) if item]
            except yaml.YAMLError as error:
                fail(context, f"no YAML: {error}")
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(wire.encode({"result": documents}))
        return response


def _checked(request: provider_pb2.CheckRequest, news: Object, olds: Object, instance: Instance) -> Object:
    """Inputs with apiVersion, kind, a name (generated where there is none) and the namespace."""
    api_version, kind = api_type(requests.type_of(request))
    inputs = {"apiVersion": api_version, "kind": kind, **news}
    given = inputs.get("metadata", {})
    if not isinstance(given, dict) or wire.is_secret(given):
        return inputs  # Not known yet; the engine checks again when it is.
    metadata = inputs["metadata"] = dict(given)
    if "generateName" in metadata and "name" not in metadata:
        raise OperationError("metadata.generateName is not supported with server-side apply: leave the name out")
    if "name" not in metadata:
        kept = text_of(metadata_of(olds), "name") if is_autonamed(olds) else ""
        set_autoname(inputs, kept or requests.generated_name(request))
    if "namespace" not in metadata and _is_namespaced(instance, inputs["apiVersion"], inputs["kind"]):
        metadata["namespace"] = instance.namespace
    return mark_secrets(inputs, news)


def _is_namespaced(instance: Instance, api_version: str, kind: str) -> bool:
    try:
        return bool(instance.api and instance.api.kind(api_version, kind).namespaced)
    except NoSuchKind:
        return False  # A custom kind that does not exist yet: the API server will say what it is.


def _previewed(instance: Instance, inputs: Object) -> Object:
    """What a creation would give, as far as it is known now. Raises what the dry run finds."""
    if instance is UNCONFIGURED or wire.has_unknown(inputs):
        return inputs
    live = operations.preview_create(requests.call(instance, inputs, requests.manager({}, inputs)))
    return mark_secrets(from_kubernetes(live), inputs) if live else inputs


def _described(live: Object, inputs: Object, state: Object) -> tuple[Object, Object]:
    """Inputs and outputs of a live object, given what the state knows of it (nothing, for an import)."""
    if inputs:
        now = refreshed(wire.plain(inputs), wire.plain(state), from_kubernetes(live))
    else:
        now = from_kubernetes(imported(live))
        state = {MANAGER_OUTPUT: manager_of(live), **state}
    marked = mark_secrets(now, inputs)
    return marked, requests.outputs(live, inputs or now, requests.manager(state, now))
