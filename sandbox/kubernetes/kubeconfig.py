"""Kubeconfigs: those we write for people and controllers, and those that a program gives to its provider.

A program's kubeconfig names the cloud's credential plugin, as it would for a real cluster. The sandbox never runs
the plugin; it checks that the plugin is the one which that cloud documents, and that it means this very cluster.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from sandbox.cluster_host import ClusterKey

# The application id of "Azure Kubernetes Service AAD Server", the same in every tenant: kubelogin's --server-id.
AKS_SERVER_ID = "6dae42f8-4368-4678-94ff-3960e28e3630"


class KubeconfigError(Exception):
    """A kubeconfig that would not work; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a kubeconfig's context means. `ca` is PEM, empty when the file has none."""

    server: str
    ca: str
    namespace: str
    user: Mapping[str, Any]


def token_kubeconfig(*, name: str, url: str, ca_pem: str, token: str) -> str:
    """A kubeconfig with a static token. The text is secret."""
    authority = base64.b64encode(ca_pem.encode()).decode()
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "clusters": [{"name": name, "cluster": {"server": url, "certificate-authority-data": authority}}],
            "users": [{"name": name, "user": {"token": token}}],
        },
        sort_keys=False,
    )


def parse(text: str, *, context: str = "", cluster: str = "") -> Target:
    """The server, CA and user that a kubeconfig (YAML or JSON) means. Raises KubeconfigError."""
    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise KubeconfigError(f"the kubeconfig is no YAML: {error}") from error
    if not isinstance(config, dict):
        raise KubeconfigError("the kubeconfig is empty or a file name; the sandbox takes its content")
    chosen = context or config.get("current-context") or ""
    found = _named(config, "contexts", "context", chosen)
    if not chosen or not found:
        raise KubeconfigError(f"the kubeconfig has no context {chosen!r}")
    server = _named(config, "clusters", "cluster", cluster or str(found.get("cluster", "")))
    if not server or not isinstance(server.get("server"), str):
        raise KubeconfigError(f"the kubeconfig has no server for context {chosen!r}")
    return Target(
        server=_normal(server["server"]),
        ca=_decode(server.get("certificate-authority-data")),
        namespace=str(found.get("namespace") or ""),
        user=_named(config, "users", "user", str(found.get("user", ""))) or {},
    )


def _named(config: Mapping[str, Any], group: str, key: str, name: str) -> dict[str, Any] | None:
    entries = config.get(group)
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get(key), dict):
            return entry[key]
    return None


def _normal(server: str) -> str:
    """Without what does not change the address: a trailing slash, AKS' explicit ":443" after a port."""
    trimmed = server.strip().rstrip("/")
    host = trimmed.removeprefix("https://")
    return trimmed.removesuffix(":443") if host.count(":") > 1 else trimmed


def _decode(data: Any) -> str:
    if not data:
        return ""
    try:
        return base64.b64decode(str(data), validate=True).decode("ascii").strip()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise KubeconfigError("the kubeconfig's certificate-authority-data is no base64 of a certificate") from error


def verify(target: Target, key: ClusterKey, *, ca_pem: str, admin_token: str) -> None:
    """Check that the CA and the user of a kubeconfig would be accepted by this cluster. Raises KubeconfigError."""
    if target.ca and target.ca != ca_pem.strip():
        raise KubeconfigError(f"the kubeconfig's certificate authority is not that of cluster {key.name}")
    execution = target.user.get("exec")
    if isinstance(execution, dict):
        _verify_plugin(execution, key)
    elif target.user.get("token") != admin_token:
        raise KubeconfigError(
            f"the kubeconfig for cluster {key.name} has neither the cloud's credential plugin (exec) nor a token "
            "that the cluster knows"
        )


def _verify_plugin(execution: Mapping[str, Any], key: ClusterKey) -> None:
    command = str(execution.get("command", "")).rsplit("/", 1)[-1].removesuffix(".exe")
    arguments = [str(argument) for argument in execution.get("args") or ()]
    expected = {"aws": "aws", "azure-native": "kubelogin", "gcp": "gke-gcloud-auth-plugin"}[key.package]
    if command != expected:
        raise KubeconfigError(
            f"the kubeconfig for cluster {key.name} runs {command or 'nothing'!r} for credentials; "
            f"a cluster of {key.package} needs {expected!r}"
        )
    version = str(execution.get("apiVersion", ""))
    if version not in ("client.authentication.k8s.io/v1beta1", "client.authentication.k8s.io/v1"):
        raise KubeconfigError(f"the kubeconfig's exec apiVersion {version!r} is not one that kubectl accepts")
    if key.package == "aws":
        _verify_aws(arguments, key)
    elif key.package == "azure-native":
        _verify_azure(arguments, key)


def _verify_aws(arguments: Sequence[str], key: ClusterKey) -> None:
    """`aws [--region R] eks get-token --cluster-name NAME [--region R] …` (EKS user guide, "kubeconfig")."""
    if "eks" not in arguments or "get-token" not in arguments:
        raise KubeconfigError(f"the kubeconfig for cluster {key.name} does not call `aws eks get-token`")
    named = _option(arguments, "--cluster-name") or _option(arguments, "--cluster-id")
    if named != key.name:
        raise KubeconfigError(f"the kubeconfig's server is cluster {key.name}, but it gets tokens for {named!r}")
    region = _option(arguments, "--region")
    if region and region != key.location:
        raise KubeconfigError(
            f"the kubeconfig's server is cluster {key.name} in {key.location}, but it gets tokens in region {region!r}"
        )


def _verify_azure(arguments: Sequence[str], key: ClusterKey) -> None:
    """`kubelogin get-token --server-id ID …` (AKS documentation, "Use kubelogin to authenticate users")."""
    if "get-token" not in arguments:
        raise KubeconfigError(f"the kubeconfig for cluster {key.name} does not call `kubelogin get-token`")
    server = _option(arguments, "--server-id")
    if server != AKS_SERVER_ID:
        raise KubeconfigError(
            f"the kubeconfig for cluster {key.name} gets tokens for --server-id {server!r}; AKS has {AKS_SERVER_ID!r}"
        )


def _option(arguments: Sequence[str], name: str) -> str:
    """The value of `name VALUE` or `name=VALUE`, "" when it is absent."""
    for index, argument in enumerate(arguments):
        if argument == name and index + 1 < len(arguments):
            return arguments[index + 1]
        if argument.startswith(f"{name}="):
            return argument.removeprefix(f"{name}=")
    return ""
