"""Azure functions. Every `get<Type>` of a type that the sandbox has data for is answered from the world."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import yaml

from sandbox.clouds import clusters
from sandbox.clouds.errors import CloudError
from sandbox.clouds.functions.call import Call, Function
from sandbox.clouds.references import normal
from sandbox.clouds.templates import Context, render
from sandbox.wire import Object, plain
from sandbox.world import Resource

_CLUSTER = "azure-native:containerservice:ManagedCluster"
_SERVER_APPLICATION = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""Application id of "Azure Kubernetes Service AAD Server", the audience of tokens (AKS documentation, kubelogin)."""
_CLIENT_APPLICATION = "80faf920-1908-4b52-b5ef-a8e7bedfc67a"
"""Application id of "Azure Kubernetes Service AAD Client" (AKS documentation, kubelogin)."""


def client_config(call: Call) -> Object:
    """Who the provider is signed in as."""
    return {
        "clientId": _CLIENT_APPLICATION,
        "objectId": "00000000-0000-4000-8000-00000000000a",
        "subscriptionId": call.account.account,
        "tenantId": call.account.tenant,
    }


def look_up(token: str, call: Call) -> Object:
    """An existing resource by the parts of its path."""
    package, module, name = token.split(":")
    type_ = f"{package}:{module}:{name.removeprefix('get')}"
    found = _existing(type_, call)
    return {**found.outputs, "id": found.key.id}


def _existing(type_: str, call: Call) -> Resource:
    kind = call.catalogue.kind(type_)
    if kind.facts is None:
        raise CloudError(f"the sandbox has no data for {type_}, so it cannot look one up")
    id_ = render(kind.behaviour.id, Context(account=call.account, inputs=call.args))
    found = call.world.find(call.account.package, normal(call.account.package, str(id_)), [type_])
    resource = call.world.get(found[0]) if found else None
    if resource is None:
        raise CloudError(f"ResourceNotFound: The Resource '{id_}' was not found.")
    return resource


def user_credentials(call: Call) -> Object:
    """`az aks get-credentials`: a kubeconfig that signs in through kubelogin and holds no secret of its own."""
    cluster = _existing(_CLUSTER, call)
    link = call.catalogue.kind(_CLUSTER).behaviour.cluster
    key = clusters.key(link, Context(account=call.account, inputs=cluster.inputs)) if link else None
    endpoint = call.clusters.endpoint(key) if key else None
    if endpoint is None:
        raise CloudError(f"the API server of {cluster.key.id} is not running: start the sandbox again")
    name = str(call.args["resourceName"])
    authority = base64.b64encode(endpoint.ca_pem.encode()).decode()
    arguments = ["get-token", "--environment", "AzurePublicCloud", "--server-id", _SERVER_APPLICATION]
    arguments += ["--client-id", _CLIENT_APPLICATION, "--tenant-id", call.account.tenant, "--login", "devicecode"]
    user = f"clusterUser_{call.args['resourceGroupName']}_{name}"
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": name, "cluster": {"server": endpoint.url, "certificate-authority-data": authority}},
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
        "users": [
            {
                "name": user,
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        "command": "kubelogin",
                        "args": arguments,
                        "env": None,
                        "provideClusterInfo": False,
                    }
                },
            }
        ],
    }
    text = yaml.safe_dump(kubeconfig, sort_keys=False)
    return {"kubeconfigs": [{"name": "clusterUser", "value": base64.b64encode(text.encode()).decode()}]}


def admin_credentials(call: Call) -> Object:
    """`az aks get-credentials --admin`, which a cluster without local accounts refuses."""
    if plain(dict(_existing(_CLUSTER, call).outputs)).get("disableLocalAccounts"):
        refusal = "Getting static credential is not allowed because this cluster is set to disable local accounts."
        raise CloudError(f"BadRequest: {refusal}")
    raise CloudError("the sandbox has no static credentials of AKS clusters: use listManagedClusterUserCredentials")


FUNCTIONS: Mapping[str, Function] = {
    "azure-native:authorization:getClientConfig": client_config,
    "azure-native:containerservice:listManagedClusterUserCredentials": user_credentials,
    "azure-native:containerservice:listManagedClusterAdminCredentials": admin_credentials,
}
