"""Kubeconfigs that sign in by the cloud's own program, so that nothing in them expires."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from pulumi import Input, Output


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """A program that gives kubectl and the Kubernetes provider a token, by kubectl's exec protocol.

    https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
    """

    command: str
    args: Sequence[str] = ()
    needs_cluster: bool = False
    """Whether the program wants to be told about the cluster."""
    hint: str
    """What a person reads who has not installed the program."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where the API server is and how to know that it is the right one."""

    url: str
    authority: str | None = field(default=None, repr=False)
    """Certificate authority, PEM in base64; None where the server's certificate is one that everybody trusts."""


def render(name: str, server: Server, sign_in: SignIn) -> str:
    """The kubeconfig of a cluster; deterministic, so that nothing downstream changes when nothing did."""
    cluster: dict[str, Any] = {"server": server.url}
    if server.authority is not None:
        cluster["certificate-authority-data"] = server.authority
    program = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": sign_in.command,
        "args": list(sign_in.args),
        "env": None,
        "interactiveMode": "IfAvailable",
        "provideClusterInfo": sign_in.needs_cluster,
        "installHint": sign_in.hint,
    }
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": {"exec": program}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        },
        sort_keys=False,
    )


def kubeconfig(name: Input[str], server: Output[Server], sign_in: SignIn) -> Output[str]:
    """The same as a secret output: it holds no credential, but where a private API server is, is nobody's business."""
    return Output.secret(Output.all(name=name, server=server).apply(lambda known: _render(known, sign_in)))


def _render(known: Mapping[str, Any], sign_in: SignIn) -> str:
    return render(known["name"], known["server"], sign_in)
