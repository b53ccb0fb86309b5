"""An engine's end of the provider's protocol, without an engine."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import grpc
import yaml
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sandbox import wire
from sandbox.cluster_host import ClusterEndpoint, ClusterKey

KEY = ClusterKey(package="aws", account="111111111111", location="us-west-2", name="staging-a")

NAMESPACE = "kubernetes:core/v1:Namespace"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
QUOTA = "kubernetes:core/v1:ResourceQuota"
SECRET = "kubernetes:core/v1:Secret"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"


def kubeconfig(endpoint: ClusterEndpoint, *, cluster: str = KEY.name, server: str = "") -> str:
    """What our program would build for an EKS cluster."""
    authority = base64.b64encode(endpoint.ca_pem.encode()).decode()
    execution = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": ["eks", "get-token", "--cluster-name", cluster, "--region", KEY.location],
    }
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "clusters": [
                {"name": "it", "cluster": {"server": server or endpoint.url, "certificate-authority-data": authority}}
            ],
            "users": [{"name": "it", "user": {"exec": execution}}],
        }
    )


class Refused(Exception):
    """The provider's message."""


@dataclass
class Made:
    """A resource as the engine would keep it in its state."""

    type: str
    name: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


@dataclass
class Engine:
    """One provider instance as an engine has it: its own connection, configured or not."""

    port: int
    arguments: dict[str, Any] | None
    stub: Any = field(init=False)
    channel: grpc.Channel = field(init=False)

    def __post_init__(self) -> None:
        # As Go's gRPC does: a connection for each channel, not one shared by all channels of a process.
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", options=[("grpc.use_local_subchannel_pool", 1)])
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)
        if self.arguments is not None:
            self.stub.Configure(provider_pb2.ConfigureRequest(args=wire.encode(self.arguments)))

    def ask(self, method: str, request: Any) -> Any:
        """One call. Raises Refused."""
        try:
            return getattr(self.stub, method)(request)
        except grpc.RpcError as error:
            call: Any = error  # It is the call as well, and knows the message.
            raise Refused(call.details()) from error

    @staticmethod
    def _who(type_: str, name: str) -> dict[str, Any]:
        return {"urn": f"urn:pulumi:staging::meridian::{type_}::{name}", "type": type_, "name": name}

    def check(self, type_: str, name: str, news: dict[str, Any], olds: dict[str, Any] | None = None) -> dict[str, Any]:
        request = provider_pb2.CheckRequest(
            **self._who(type_, name), news=wire.encode(news), olds=wire.encode(olds or {}), randomSeed=b"\1\2\3\4" * 8
        )
        return wire.decode(self.ask("Check", request).inputs)

    def preview(self, type_: str, name: str, news: dict[str, Any]) -> dict[str, Any]:
        inputs = self.check(type_, name, news)
        request = provider_pb2.CreateRequest(**self._who(type_, name), properties=wire.encode(inputs), preview=True)
        return wire.decode(self.ask("Create", request).properties)

    def create(self, type_: str, name: str, news: dict[str, Any]) -> Made:
        inputs = self.check(type_, name, news)
        request = provider_pb2.CreateRequest(**self._who(type_, name), properties=wire.encode(inputs))
        answer = self.ask("Create", request)
        return Made(type_, name, answer.id, inputs, wire.decode(answer.properties))

    def diff(self, made: Made, news: dict[str, Any]) -> provider_pb2.DiffResponse:
        inputs = self.check(made.type, made.name, news, made.inputs)
        return self.ask("Diff",
            provider_pb2.DiffRequest(
                **self._who(made.type, made.name), id=made.id, olds=wire.encode(made.outputs),
                old_inputs=wire.encode(made.inputs), news=wire.encode(inputs),
            )
        )  # fmt: skip

    def update(self, made: Made, news: dict[str, Any], *, preview: bool = False) -> Made:
        inputs = self.check(made.type, made.name, news, made.inputs)
        answer = self.ask("Update",
            provider_pb2.UpdateRequest(
                **self._who(made.type, made.name), id=made.id, olds=wire.encode(made.outputs),
                old_inputs=wire.encode(made.inputs), news=wire.encode(inputs), preview=preview,
            )
        )  # fmt: skip
        return Made(made.type, made.name, made.id, inputs, wire.decode(answer.properties))

    def refresh(self, made: Made) -> Made | None:
        answer = self.ask("Read",
            provider_pb2.ReadRequest(
                **self._who(made.type, made.name), id=made.id, inputs=wire.encode(made.inputs),
                properties=wire.encode(made.outputs),
            )
        )  # fmt: skip
        if not answer.id:
            return None
        return Made(made.type, made.name, answer.id, wire.decode(answer.inputs), wire.decode(answer.properties))

    def imported(self, type_: str, name: str, identifier: str) -> Made | None:
        answer = self.ask("Read", provider_pb2.ReadRequest(**self._who(type_, name), id=identifier))
        if not answer.id:
            return None
        return Made(type_, name, answer.id, wire.decode(answer.inputs), wire.decode(answer.properties))

    def delete(self, made: Made, timeout_seconds: float = 0) -> None:
        self.ask("Delete",
            provider_pb2.DeleteRequest(
                **self._who(made.type, made.name), id=made.id, properties=wire.encode(made.outputs),
                old_inputs=wire.encode(made.inputs), timeout=timeout_seconds,
            )
        )  # fmt: skip


def quota(namespace: str, **hard: str) -> dict[str, Any]:
    """The arguments of a quota."""
    return {"metadata": {"name": "quota", "namespace": namespace}, "spec": {"hard": hard}}
