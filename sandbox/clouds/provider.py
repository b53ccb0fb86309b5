"""The gRPC face of a simulated cloud: Pulumi's ResourceProvider service over a `ControlPlane`.

The engine opens one connection per provider instance and no later request names the instance, so calls are told apart
by their peer's address, remembered from Configure.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import provider_pb2_grpc as pbg

from sandbox.clouds import functions, places
from sandbox.clouds.account import Account, configure
from sandbox.clouds.check import CheckRequest
from sandbox.clouds.errors import CloudError
from sandbox.clouds.functions.call import Call
from sandbox.clouds.plane import ControlPlane, Target
from sandbox.faults import fail, struck
from sandbox.wire import Object, decode, encode, is_unknown, plain


class CloudProvider(pbg.ResourceProviderServicer):
    """Serves one package to any number of provider instances at once."""

    def __init__(self, plane: ControlPlane, version: str) -> None:
        self.plane = plane
        self.package = plane.catalogue.package
        self.version = version
        self._accounts: dict[str, Account] = {}

    # --- instances ---

    def Handshake(
        self, request: pb.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> pb.ProviderHandshakeResponse:
        """Agree on the dialect: secrets are understood, resource references and rich outputs are not."""
        return pb.ProviderHandshakeResponse(accept_secrets=True, accept_resources=False, accept_outputs=False)

    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """The engine is there; it need not be called."""
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """The version of the SDK that the facts describe."""
        return plugin_pb2.PluginInfo(version=self.version)

    def GetSchema(self, request: pb.GetSchemaRequest, context: grpc.ServicerContext) -> pb.GetSchemaResponse:
        """A schema with a name and a version and nothing in it: SDKs are generated from the real one."""
        return pb.GetSchemaResponse(schema=json.dumps({"name": self.package, "version": self.version}))

    def GetMapping(self, request: pb.GetMappingRequest, context: grpc.ServicerContext) -> pb.GetMappingResponse:
        """No mappings for converters."""
        return pb.GetMappingResponse()

    def GetMappings(self, request: pb.GetMappingsRequest, context: grpc.ServicerContext) -> pb.GetMappingsResponse:
        """No mappings for converters."""
        return pb.GetMappingsResponse()

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """One instance ends; the server and all other instances go on."""
        self._accounts.pop(context.peer(), None)
        return empty_pb2.Empty()

    # --- configuration ---

    def CheckConfig(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        """Refuse a region that does not exist, and on AWS a missing one, as the real provider does."""
        news = decode(request.news)
        argument = "location" if self.package == "azure-native" else "region"
        region = plain(news.get(argument))
        failures = []
        if region is None and self.package == "aws":
            failures.append(pb.CheckFailure(reason="missing region information: set the provider's 'region'"))
        elif (
            isinstance(region, str)
            and not is_unknown(region)
            and (problem := places.unknown_region(self.package, region))
        ):
            failures.append(pb.CheckFailure(property=argument, reason=problem))
        return pb.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        """Another region, account, subscription or project is another provider."""
        old, new = plain(decode(request.old_inputs or request.olds)), plain(decode(request.news))
        changed = sorted(k for k in {*old, *new} if k != "version" and old.get(k) != new.get(k))
        replaces = [k for k in changed if k in self.plane.catalogue.behaviour.config_replaces]
        kind = pb.DiffResponse.DIFF_SOME if changed else pb.DiffResponse.DIFF_NONE
        return pb.DiffResponse(changes=kind, diffs=changed, replaces=replaces)

    def Configure(self, request: pb.ConfigureRequest, context: grpc.ServicerContext) -> pb.ConfigureResponse:
        """Remember whom this connection speaks for."""
        with self._answering("configure", request.urn, context):
            self._accounts[context.peer()] = configure(self.package, decode(request.args))
        return pb.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    # --- resources ---

    def Check(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckResponse:
        """Arguments with defaults and names, and what is wrong with them."""
        target = self._target(request, context)
        with self._answering("check", request.urn, context):
            checked = self.plane.check(
                target,
                CheckRequest(
                    news=decode(request.news),
                    olds=plain(decode(request.olds)),
                    seed=request.randomSeed,
                    autonaming=request.autonaming if request.HasField("autonaming") else None,
                ),
            )
        failures = [pb.CheckFailure(property=f.property, reason=f.reason) for f in checked.failures]
        return pb.CheckResponse(inputs=encode(checked.inputs), failures=failures)

    def Diff(self, request: pb.DiffRequest, context: grpc.ServicerContext) -> pb.DiffResponse:
        """Property by property: nothing, an update, or a replacement."""
        target = self._target(request, context)
        with self._answering("diff", request.urn, context):
            olds, state = decode(request.old_inputs), decode(request.olds)
            found = self.plane.diff(target, olds, decode(request.news), state, list(request.ignoreChanges))
        detailed = {path: pb.PropertyDiff(kind=kind, inputDiff=True) for path, kind in found.changes.kinds.items()}
        return pb.DiffResponse(
            changes=pb.DiffResponse.DIFF_SOME if detailed else pb.DiffResponse.DIFF_NONE,
            diffs=found.changes.roots,
            replaces=found.changes.replaces,
            stables=found.stables,
            detailedDiff=detailed,
            hasDetailedDiff=True,
            deleteBeforeReplace=found.delete_before_replace,
        )

    def Create(self, request: pb.CreateRequest, context: grpc.ServicerContext) -> pb.CreateResponse:
        """Make a resource, or say what making it would give."""
        target = self._target(request, context)
        inputs = decode(request.properties)
        if request.preview:
            with self._guarded(context):
                return pb.CreateResponse(properties=encode(self.plane.preview_create(target, inputs)))
        with self._answering("create", request.urn, context):
            id_, outputs = self.plane.create(target, inputs)
        return pb.CreateResponse(id=id_, properties=encode(outputs))

    def Read(self, request: pb.ReadRequest, context: grpc.ServicerContext) -> pb.ReadResponse:
        """A resource as it is now: for refresh, import and get. No id in the answer means that it is gone."""
        target = self._target(request, context)
        with self._answering("read", request.urn, context):
            found = self.plane.read(target, request.id, decode(request.properties))
        if found is None:
            return pb.ReadResponse()
        inputs: Object = dict(found.inputs)
        if not request.inputs.fields:  # import: nothing was defaulted by us, the program must name it
            inputs = {name: value for name, value in inputs.items() if not name.startswith("__")}
            if self.plane.catalogue.behaviour.bridged:
                inputs["__defaults"] = []
        return pb.ReadResponse(id=request.id, inputs=encode(inputs), properties=encode(found.outputs))

    def Update(self, request: pb.UpdateRequest, context: grpc.ServicerContext) -> pb.UpdateResponse:
        """Change a resource, or say what changing it would give."""
        target = self._target(request, context)
        inputs = decode(request.news)
        if request.preview:
            with self._guarded(context):
                olds, state = decode(request.old_inputs), decode(request.olds)
                changed = self.plane.diff(target, olds, inputs, state, list(request.ignoreChanges)).changes.roots
                return pb.UpdateResponse(
                    properties=encode(self.plane.preview_update(target, request.id, inputs, state, changed))
                )
        with self._answering("update", request.urn, context):
            outputs = self.plane.update(target, request.id, inputs, decode(request.olds))
        return pb.UpdateResponse(properties=encode(outputs))

    def Delete(self, request: pb.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Delete a resource."""
        target = self._target(request, context)
        with self._answering("delete", request.urn, context):
            self.plane.delete(target, request.id, decode(request.properties))
        return empty_pb2.Empty()

    def Invoke(self, request: pb.InvokeRequest, context: grpc.ServicerContext) -> pb.InvokeResponse:
        """Call a function. A function without an answer is a failure with the list of those that have one."""
        args = plain(decode(request.args))
        account = self._accounts.get(context.peer()) or configure(self.package, {})
        try:
            with struck(self.plane.world, "invoke", request.tok, context):
                plane = self.plane
                call = Call(
                    account=account, args=args, world=plane.world, catalogue=plane.catalogue, clusters=plane.clusters
                )
                result = functions.invoke(request.tok, call)
        except CloudError as error:
            return pb.InvokeResponse(failures=[pb.CheckFailure(reason=str(error))])
        response = pb.InvokeResponse()
        getattr(response, "return").CopyFrom(encode(result))  # a keyword in Python
        return response

    # --- parts ---

    def _target(self, request: Any, context: grpc.ServicerContext) -> Target:
        account = self._accounts.get(context.peer())
        if account is None:
            fail(context, f"the {self.package} provider has not been configured", grpc.StatusCode.FAILED_PRECONDITION)
        token = request.type or request.urn.split("::")[2].rsplit("$", 1)[-1]
        return Target(token=token, urn=request.urn, account=account)

    @contextmanager
    def _answering(self, op: str, urn: str, context: grpc.ServicerContext) -> Generator[None]:
        """Run a call with the faults that tests injected, turning refusals into gRPC errors."""
        with struck(self.plane.world, op, urn, context), self._guarded(context):
            yield

    @contextmanager
    def _guarded(self, context: grpc.ServicerContext) -> Generator[None]:
        try:
            yield
        except CloudError as error:
            fail(context, str(error), error.code)
