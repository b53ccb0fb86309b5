"""The part of a provider that is about the plugin, not about resources: greeting, version, configuration."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox import wire
from sandbox.faults import FaultSource, struck
from sandbox.kubernetes.instance import UNCONFIGURED, Apis, Instance, cluster_of

# Connections of engines that have ended are never told; the oldest are forgotten beyond this number.
_MAX_INSTANCES = 4096


class Plugin(provider_pb2_grpc.ResourceProviderServicer):
    """Knows every provider instance of every engine that connects.

    Requests do not say which instance they belong to. The engine opens one connection per instance, so the peer's
    address tells.
    """

    def __init__(self, faults: FaultSource, apis: Apis, version: str) -> None:
        self._faults = faults
        self._apis = apis
        self._version = version
        self._instances: OrderedDict[str, Instance] = OrderedDict()
        self._lock = threading.Lock()

    def instance(self, context: grpc.ServicerContext) -> Instance:
        """The instance that calls."""
        with self._lock:
            return self._instances.get(context.peer(), UNCONFIGURED)

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Ask for secrets, and for nothing else that would make values richer."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Accept any engine."""
        return empty_pb2.Empty()

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """One engine cancels: the server goes on for the others, and this one's calls end in their own time."""
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """The version of the SDK that programs here use."""
        return plugin_pb2.PluginInfo(version=self._version)

    def GetSchema(
        self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        """Only name and version: the API servers have the schemas."""
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": "kubernetes", "version": self._version}))

    def GetMapping(
        self, request: provider_pb2.GetMappingRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetMappingResponse:
        """Nothing to convert from other tools."""
        return provider_pb2.GetMappingResponse()

    def GetMappings(
        self, request: provider_pb2.GetMappingsRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetMappingsResponse:
        """Nothing to convert from other tools."""
        return provider_pb2.GetMappingsResponse()

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Take the arguments as they are. Like the genuine provider, one without a usable cluster fails when used."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Another cluster replaces everything inside; other credentials for the same one do not."""
        olds = wire.plain(wire.decode(request.old_inputs if request.old_inputs.fields else request.olds))
        news = wire.plain(wire.decode(request.news))
        changed = sorted(key for key in {*olds, *news} - {"version"} if olds.get(key) != news.get(key))
        where = [key for key in ("kubeconfig", "context", "cluster") if key in changed]
        unknown = any(wire.has_unknown(news.get(key)) for key in where)
        replaces = where if unknown or (where and cluster_of(olds) != cluster_of(news)) else []
        kind = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=kind, diffs=changed, replaces=replaces)

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Remember what this connection's instance means. The engine does not call while an argument is unknown."""
        with struck(self._faults, "configure", request.urn, context):
            instance = self._apis.configure(wire.plain(wire.decode(request.args)))
            with self._lock:
                self._instances[context.peer()] = instance
                self._instances.move_to_end(context.peer())
                while len(self._instances) > _MAX_INSTANCES:
                    self._instances.popitem(last=False)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)
