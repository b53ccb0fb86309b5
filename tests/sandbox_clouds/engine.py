"""Talks to the simulated clouds as the engine does: one gRPC connection for each provider instance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import provider_pb2_grpc as pbg

from sandbox.cluster_host import ClusterEndpoint, ClusterHostError, ClusterKey
from sandbox.wire import UNKNOWN, Object, decode, encode

__all__ = ["UNKNOWN", "Clusters", "Instance", "Made", "Refused"]


class Refused(Exception):
    """Check or the cloud said no; `properties` are those that Check complained about."""

    def __init__(self, message: str, properties: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.properties = list(properties)


@dataclass
class Clusters:
    """A cluster host without processes."""

    running: dict[ClusterKey, ClusterEndpoint] = field(default_factory=dict)
    asked: dict[ClusterKey, str] = field(default_factory=dict)
    broken: str = ""

    def create(self, key: ClusterKey, version: str, tags: Mapping[str, str] | None = None) -> ClusterEndpoint:
        if self.broken:
            raise ClusterHostError(self.broken)
        port = 20000 + len(self.running)
        self.running[key] = ClusterEndpoint(url=f"https://127.0.0.1:{port}", ca_pem="CERTIFICATE", version="1.35.4")
        self.asked[key] = version
        return self.running[key]

    def delete(self, key: ClusterKey) -> None:
        self.running.pop(key, None)

    def endpoint(self, key: ClusterKey) -> ClusterEndpoint | None:
        return self.running.get(key)

    def upgrade(self, key: ClusterKey, version: str) -> ClusterEndpoint:
        self.asked[key] = version
        return self.running[key]


@dataclass
class Made:
    """A resource as the engine's state has it."""

    type: str
    name: str
    id: str
    inputs: Object
    outputs: Object


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:test::project::{type_}::{name}"


class Instance:
    """One configured provider instance."""

    def __init__(self, port: int, config: Mapping[str, Any]) -> None:
        # A pool of its own: otherwise gRPC shares one connection, and the instances could not be told apart.
        options = [("grpc.use_local_subchannel_pool", 1)]
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=options)
        self.stub = pbg.ResourceProviderStub(self.channel)
        self.stub.Handshake(pb.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
        self.stub.Attach(plugin_pb2.PluginAttach(address="127.0.0.1:1"))
        failures = self.stub.CheckConfig(pb.CheckRequest(news=encode(config))).failures
        if failures:
            raise Refused(failures[0].reason, [f.property for f in failures])
        self._call(self.stub.Configure, pb.ConfigureRequest(args=encode(config)))

    def _call(self, method: Any, request: Any) -> Any:
        try:
            return method(request)
        except grpc.RpcError as error:
            raise Refused(str(error)) from error

    def check(self, type_: str, name: str, news: Object, olds: Object | None = None, **more: Any) -> Object:
        """Arguments with defaults. Raises Refused."""
        seed = more.pop("seed", b"\1\2\3")
        request = pb.CheckRequest(
            urn=urn(type_, name), name=name, type=type_, news=encode(news), randomSeed=seed, **more
        )
        if olds is not None:
            request.olds.CopyFrom(encode(olds))
        response = self._call(self.stub.Check, request)
        if response.failures:
            reasons = "; ".join(f.reason for f in response.failures)
            raise Refused(reasons, [f.property for f in response.failures])
        return decode(response.inputs)

    def preview(self, type_: str, name: str, news: Object) -> Object:
        """Outputs that a preview of a create shows."""
        inputs = self.check(type_, name, news)
        request = pb.CreateRequest(urn=urn(type_, name), name=name, type=type_, properties=encode(inputs), preview=True)
        return decode(self._call(self.stub.Create, request).properties)

    def create(self, type_: str, name: str, news: Object | None = None, **more: Any) -> Made:
        """Check and create. Raises Refused."""
        inputs = self.check(type_, name, news or {}, **more)
        request = pb.CreateRequest(urn=urn(type_, name), name=name, type=type_, properties=encode(inputs))
        response = self._call(self.stub.Create, request)
        return Made(type_, name, response.id, inputs, decode(response.properties))

    def diff(self, made: Made, news: Object, ignore: Sequence[str] = ()) -> pb.DiffResponse:
        """What changing to `news` would do."""
        checked = self.check(made.type, made.name, news, made.inputs)
        request = pb.DiffRequest(
            id=made.id,
            urn=urn(made.type, made.name),
            name=made.name,
            type=made.type,
            old_inputs=encode(made.inputs),
            olds=encode(made.outputs),
            news=encode(checked),
            ignoreChanges=ignore,
        )
        return self._call(self.stub.Diff, request)

    def update(self, made: Made, news: Object, *, preview: bool = False) -> Made:
        """Check and update, or preview an update. Raises Refused."""
        checked = self.check(made.type, made.name, news, made.inputs)
        request = pb.UpdateRequest(
            id=made.id,
            urn=urn(made.type, made.name),
            name=made.name,
            type=made.type,
            old_inputs=encode(made.inputs),
            olds=encode(made.outputs),
            news=encode(checked),
            preview=preview,
        )
        outputs = decode(self._call(self.stub.Update, request).properties)
        return Made(made.type, made.name, made.id, checked, outputs)

    def refresh(self, made: Made) -> Made | None:
        """The resource as the cloud has it now."""
        request = pb.ReadRequest(
            id=made.id,
            urn=urn(made.type, made.name),
            name=made.name,
            type=made.type,
            inputs=encode(made.inputs),
            properties=encode(made.outputs),
        )
        response = self._call(self.stub.Read, request)
        if not response.id:
            return None
        return Made(made.type, made.name, response.id, decode(response.inputs), decode(response.properties))

    def import_(self, type_: str, name: str, id_: str) -> Made | None:
        """Read with only an id."""
        response = self._call(self.stub.Read, pb.ReadRequest(id=id_, urn=urn(type_, name), name=name, type=type_))
        if not response.id:
            return None
        return Made(type_, name, response.id, decode(response.inputs), decode(response.properties))

    def delete(self, made: Made) -> None:
        """Delete. Raises Refused."""
        request = pb.DeleteRequest(
            id=made.id,
            urn=urn(made.type, made.name),
            name=made.name,
            type=made.type,
            properties=encode(made.outputs),
            old_inputs=encode(made.inputs),
        )
        self._call(self.stub.Delete, request)

    def invoke(self, token: str, args: Object | None = None) -> Object:
        """Call a function. Raises Refused."""
        response = self._call(self.stub.Invoke, pb.InvokeRequest(tok=token, args=encode(args or {})))
        if response.failures:
            raise Refused(response.failures[0].reason)
        return decode(getattr(response, "return"))

    def cancel(self) -> None:
        """The engine is done with this instance."""
        self.stub.Cancel(empty_pb2.Empty())
        self.channel.close()
