"""What a kubeconfig means, and which ones a cluster of each cloud would refuse."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml

from sandbox.cluster_host import ClusterKey
from sandbox.kubernetes.kubeconfig import AKS_SERVER_ID, KubeconfigError, parse, token_kubeconfig, verify

CA = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
EKS = ClusterKey(package="aws", account="111111111111", location="us-west-2", name="prod-a")
AKS = ClusterKey(package="azure-native", account="sub/rg", location="centralindia", name="prod-b")
GKE = ClusterKey(package="gcp", account="project", location="europe-west1", name="prod-c")
GOOD: dict[ClusterKey, tuple[str, list[str]]] = {
    EKS: ("aws", ["--region", "us-west-2", "eks", "get-token", "--cluster-name", "prod-a"]),
    AKS: ("kubelogin", ["get-token", "--login", "workloadidentity", "--server-id", AKS_SERVER_ID]),
    GKE: ("gke-gcloud-auth-plugin", []),
}


def config(command: str, args: list[str], **changes: Any) -> str:
    server = changes.get("server", "https://127.0.0.1:21000")
    authority = base64.b64encode(changes.get("ca", CA).encode()).decode()
    execution = {
        "apiVersion": changes.get("api_version", "client.authentication.k8s.io/v1beta1"),
        "command": command,
        "args": args,
    }
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
            "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority-data": authority}}],
            "users": [{"name": "u", "user": changes.get("user", {"exec": execution})}],
        }
    )


def check(key: ClusterKey, text: str) -> None:
    verify(parse(text), key, ca_pem=CA, admin_token="t")


@pytest.mark.parametrize("key", GOOD, ids=str)
def test_the_clouds_own_plugins_are_accepted(key: ClusterKey) -> None:
    check(key, config(*GOOD[key]))


@pytest.mark.parametrize("key", GOOD, ids=str)
@pytest.mark.parametrize("other", GOOD, ids=str)
def test_another_clouds_plugin_is_refused(key: ClusterKey, other: ClusterKey) -> None:
    if key != other:
        with pytest.raises(KubeconfigError, match="needs"):
            check(key, config(*GOOD[other]))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["eks", "get-token", "--cluster-name", "prod-x"], "tokens for 'prod-x'"),
        (["eks", "get-token", "--cluster-name=prod-a", "--region=eu-west-1"], "region 'eu-west-1'"),
        (["sts", "get-caller-identity"], "does not call `aws eks get-token`"),
    ],
)
def test_tokens_for_something_else_are_refused(args: list[str], message: str) -> None:
    with pytest.raises(KubeconfigError, match=message):
        check(EKS, config("aws", args))


def test_another_server_id_is_refused() -> None:
    with pytest.raises(KubeconfigError, match="--server-id"):
        check(AKS, config("kubelogin", ["get-token", "--server-id", "x"]))


def test_another_certificate_authority_is_refused() -> None:
    with pytest.raises(KubeconfigError, match="certificate authority"):
        check(GKE, config("gke-gcloud-auth-plugin", [], ca=CA.replace("A", "B")))


def test_an_old_exec_version_is_refused() -> None:
    with pytest.raises(KubeconfigError, match="v1alpha1"):
        check(GKE, config("gke-gcloud-auth-plugin", [], api_version="client.authentication.k8s.io/v1alpha1"))


def test_a_token_must_be_the_clusters() -> None:
    check(GKE, token_kubeconfig(name="x", url="https://127.0.0.1:21000", ca_pem=CA, token="t"))
    with pytest.raises(KubeconfigError, match="neither"):
        check(GKE, token_kubeconfig(name="x", url="https://127.0.0.1:21000", ca_pem=CA, token="u"))


@pytest.mark.parametrize("server", ["https://127.0.0.1:21000/", "https://127.0.0.1:21000:443"])
def test_spellings_of_one_server_are_one(server: str) -> None:
    assert parse(config("x", [], server=server)).server == "https://127.0.0.1:21000"


def test_context_and_namespace_are_read() -> None:
    target = parse(config("x", []))
    assert (target.namespace, target.ca) == ("n", CA.strip())


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "no YAML"), ("~/.kube/config", "takes its content"), ("{}", "no context"), ("current-context: x", "'x'")],
)
def test_what_is_no_kubeconfig_is_said(text: str, message: str) -> None:
    with pytest.raises(KubeconfigError, match=message):
        parse(text)
