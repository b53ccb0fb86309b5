"""Runs an async piece of the program against a backend that holds stacks, without an engine."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc
import pulumi
from pulumi import Output
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.stack import run_pulumi_func

T = TypeVar("T")
ORGANIZATION = "organization"
REFERENCE = "pulumi:pulumi:StackReference"

_KUBECONFIG = """
clusters: [{name: aks, cluster: {server: "https://10.18.0.4:443", certificate-authority-data: Y2E=}}]
"""

COMPUTED: Mapping[str, Mapping[str, Any]] = {
    "aws:ec2/eip:Eip": {"publicIp": "192.0.2.1"},
    "aws:ec2/subnet:Subnet": {"availabilityZone": "us-west-2a"},
    "aws:eks/cluster:Cluster": {
        "endpoint": "https://1234.gr7.us-west-2.eks.amazonaws.com",
        "certificateAuthority": {"data": "Y2E="},
        "identities": [{"oidcs": [{"issuer": "https://oidc.eks.us-west-2.amazonaws.com/id/1234"}]}],
    },
    "azure-native:containerservice:ManagedCluster": {
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {"control": {"principalId": "p"}}},
        "oidcIssuerProfile": {"enabled": True, "issuerURL": "https://centralindia.oic.prod-aks.azure.com/1/2/"},
        "currentKubernetesVersion": "1.35.4",
    },
    "gcp:container/cluster:Cluster": {
        "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"endpoint": "gke-1234.europe-west1.gke.goog"}},
        "masterVersion": "1.35.4-gke.1",
    },
    "gcp:projects/serviceIdentity:ServiceIdentity": {
        "email": "service-123456789012@container-engine-robot.iam.gserviceaccount.com"
    },
}
"""What clouds add to what they were asked for, as far as the program looks at it."""

ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "azure-native:containerservice:listManagedClusterUserCredentials": {
        "kubeconfigs": [{"name": "clusterUser", "value": b64encode(_KUBECONFIG.encode()).decode()}]
    },
    "azure-native:managedidentity:getUserAssignedIdentity": {
        "clientId": "0b6c1f0e-6c2e-4a53-8f5e-000000000001",
        "principalId": "0b6c1f0e-6c2e-4a53-8f5e-000000000002",
        "tenantId": "0b6c1f0e-6c2e-4a53-8f5e-000000000003",
    },
}


@dataclass(frozen=True)
class Made:
    """One resource as the engine is asked to register it."""

    type: str
    name: str
    urn: str
    parent: str
    provider: str
    providers: Mapping[str, str]
    protect: bool
    props: Mapping[str, Any]


class Refused(grpc.RpcError):
    """An engine's answer that something is wrong."""

    def __init__(self, details: str) -> None:
        super().__init__(details)
        self._details = details

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return self._details


@dataclass
class Backend(Mocks):
    """Stacks by name with their outputs. What is registered comes back as it was asked for, with COMPUTED on top."""

    stacks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    broken: str = ""
    """What the backend answers to everything, if anything."""

    def outputs(self, stack: str) -> dict[str, Any]:
        if self.broken:
            raise Refused(self.broken)
        organization, project, name = stack.split("/")
        if (organization, project) != (ORGANIZATION, "meridian") or name not in self.stacks:
            raise Refused(f'unknown stack "{stack}"')
        return {"name": stack, "outputs": self.stacks[name], "secretOutputNames": list(self.secrets)}

    def call(self, args):
        if args.token == "pulumi:pulumi:readStackOutputs":
            return self.outputs(args.args["name"])
        return {**args.args, **ANSWERS.get(args.token, {})}

    def new_resource(self, args: MockResourceArgs):
        if args.typ == REFERENCE:
            return args.resource_id, self.outputs(args.inputs["name"])
        return f"{args.name}-id", {**args.inputs, **COMPUTED.get(args.typ, {})}


class _Monitor(MockMonitor):
    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self.made: list[Made] = []

    def Invoke(self, request):
        return _with_loop(lambda: super(_Monitor, self).Invoke(request))

    def ReadResource(self, request):
        response = _with_loop(lambda: super(_Monitor, self).ReadResource(request))
        self._note(request, response.urn, {"id": request.id})
        return response

    def RegisterResource(self, request):
        response = _with_loop(lambda: super(_Monitor, self).RegisterResource(request))
        props = _with_loop(lambda: rpc.deserialize_properties(request.object, keep_unknowns=True))
        self._note(request, response.urn, {key: rpc.unwrap_rpc_secret(value) for key, value in props.items()})
        return response

    def _note(self, request, urn: str, props: Mapping[str, Any]) -> None:
        self.made.append(
            Made(
                type=request.type,
                name=request.name,
                urn=urn,
                parent=request.parent,
                provider=request.provider,
                providers=dict(getattr(request, "providers", {})),
                protect=getattr(request, "protect", False),
                props=props,
            )
        )


def _with_loop(work: Callable[[], T]) -> T:
    """The SDK gives each of its worker threads an event loop and never closes it; warnings are errors here."""
    if threading.current_thread() is threading.main_thread():
        return work()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return work()
    finally:
        asyncio.set_event_loop(None)
        loop.close()


@dataclass(frozen=True)
class Value:
    """An Output that has settled."""

    value: Any
    secret: bool
    known: bool


def run(
    backend: Backend, program: Callable[[], Awaitable[Mapping[str, Any]]], *, preview: bool = False
) -> tuple[dict[str, Any], list[Made]]:
    """What the program returns, its Outputs settled, and everything that it registers but the stack itself."""
    monitor = _Monitor(backend)
    results: dict[str, Any] = {}

    async def main() -> None:
        for name, value in (await program()).items():
            results[name] = await _settled(value)

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        pulumi.runtime.set_mocks(
            backend,
            project="meridian",
            stack="test",
            organization=ORGANIZATION,
            preview=preview,
            monitor=monitor,
        )
        loop.run_until_complete(run_pulumi_func(main))
    finally:
        left = asyncio.all_tasks(loop)  # of a program that failed
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()
    return results, [made for made in monitor.made if made.type != "pulumi:pulumi:Stack"]


async def _settled(value: Any) -> Any:
    if not isinstance(value, Output):
        return value
    known = await value.is_known()
    return Value(await value.future() if known else None, await value.is_secret(), known)
