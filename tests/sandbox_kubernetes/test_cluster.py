"""What makes a cluster a real one: admission, RBAC, controllers; and how providers find theirs."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox import wire
from sandbox.cluster_host import ClusterHostError, ClusterKey
from sandbox.kubernetes.commands import ClusterFiles
from tests.sandbox_kubernetes.conftest import Sandbox
from tests.sandbox_kubernetes.engine import KEY, Engine, Refused, kubeconfig

NAMESPACE = "kubernetes:core/v1:Namespace"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def until(true: Callable[[], Any], seconds: float = 20) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return found


def _trust(ca_pem: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca_pem)


def impersonating(sandbox: Sandbox, user: str, *groups: str) -> httpx.Client:
    cluster = sandbox.clusters.find(sandbox.endpoint.url)
    assert cluster
    headers = [("Authorization", f"Bearer {cluster.admin_token}"), ("Impersonate-User", user)]
    headers += [("Impersonate-Group", group) for group in groups]
    return httpx.Client(base_url=cluster.url, verify=_trust(cluster.ca_pem), headers=headers, trust_env=False)


def test_a_pod_that_violates_restricted_is_refused(engine: Engine) -> None:
    name = engine.create(NAMESPACE, "restricted", {"metadata": {"name": "restricted", "labels": RESTRICTED}}).id
    pod = {"metadata": {"name": "p", "namespace": name}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    for attempt in (engine.preview, engine.create):
        with pytest.raises(Refused) as error:
            attempt("kubernetes:core/v1:Pod", "p", pod)
        assert 'violates PodSecurity "restricted:latest"' in str(error.value)


def test_a_tenant_reads_its_own_secrets_and_nobody_elses(engine: Engine, sandbox: Sandbox) -> None:
    for tenant in ("tenant-a", "tenant-b"):
        engine.create(NAMESPACE, tenant, {"metadata": {"name": tenant}})
        where = {"namespace": tenant}
        engine.create("kubernetes:core/v1:ServiceAccount", "w", {"metadata": {"name": "workload", **where}})
        rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}
        role = {"metadata": {"name": "reader", **where}, "rules": [rule]}
        engine.create("kubernetes:rbac.authorization.k8s.io/v1:Role", "r", role)
        binding = {
            "metadata": {"name": "reader", **where},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
            "subjects": [{"kind": "ServiceAccount", "name": "workload", "namespace": tenant}],
        }
        engine.create("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", "b", binding)
    with impersonating(sandbox, "system:serviceaccount:tenant-a:workload", "system:serviceaccounts") as client:

        def allowed(tenant: str) -> bool:
            return client.get(f"/api/v1/namespaces/{tenant}/secrets").is_success

        until(lambda: allowed("tenant-a"))  # The authorizer's own cache takes a moment.
        assert client.get("/api/v1/namespaces/tenant-b/secrets").status_code == httpx.codes.FORBIDDEN


def test_nobody_comes_in_without_a_token(sandbox: Sandbox) -> None:
    endpoint = sandbox.endpoint
    with httpx.Client(base_url=endpoint.url, verify=_trust(endpoint.ca_pem), trust_env=False) as client:
        assert client.get("/api/v1/namespaces").status_code == httpx.codes.UNAUTHORIZED


def test_namespaces_get_a_service_account_and_the_ca(sandbox: Sandbox, namespace: str) -> None:
    api = sandbox.api()
    until(lambda: api.get("v1", "ServiceAccount", namespace, "default"))
    bundle = until(lambda: api.get("v1", "ConfigMap", namespace, "kube-root-ca.crt"))
    assert bundle["data"]["ca.crt"] == sandbox.endpoint.ca_pem


def test_a_pod_counts_against_its_quota(engine: Engine, sandbox: Sandbox, namespace: str) -> None:
    quota = {"metadata": {"name": "quota", "namespace": namespace}, "spec": {"hard": {"pods": "1"}}}
    engine.create("kubernetes:core/v1:ResourceQuota", "quota", quota)
    until(lambda: sandbox.api().get("v1", "ServiceAccount", namespace, "default"))

    def pod(name: str) -> dict[str, Any]:
        return {
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        }

    made = engine.create("kubernetes:core/v1:Pod", "one", pod("one"))
    assert made.outputs["status"]["phase"] == "Pending"  # And stays so: nothing runs here.
    with pytest.raises(Refused) as error:
        engine.create("kubernetes:core/v1:Pod", "two", pod("two"))
    assert "exceeded quota: quota, requested: pods=1, used: pods=1, limited: pods=1" in str(error.value)


def test_what_an_owner_owns_goes_with_it(engine: Engine, sandbox: Sandbox, namespace: str) -> None:
    owner = engine.create("kubernetes:core/v1:ConfigMap", "owner", {"metadata": {"namespace": namespace}})
    reference = {
        "apiVersion": "v1", "kind": "ConfigMap", "name": owner.outputs["metadata"]["name"],
        "uid": owner.outputs["metadata"]["uid"],
    }  # fmt: skip
    owned = {"name": "owned", "namespace": namespace, "ownerReferences": [reference]}
    engine.create("kubernetes:core/v1:ConfigMap", "owned", {"metadata": owned})
    engine.delete(owner)
    until(lambda: sandbox.api().get("v1", "ConfigMap", namespace, "owned") is None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"server": "https://127.0.0.1:1"}, "https://127.0.0.1:1 is no cluster of the sandbox; it holds: staging-a"),
        ({"cluster": "staging-b"}, "tokens for 'staging-b'"),
    ],
)
def test_a_kubeconfig_that_means_no_cluster_is_refused_when_used(
    sandbox: Sandbox, changes: dict[str, str], message: str
) -> None:
    stray = Engine(sandbox.port, {"kubeconfig": kubeconfig(sandbox.endpoint, **changes)})
    for attempt in (stray.preview, stray.create):
        with pytest.raises(Refused) as error:
            attempt(NAMESPACE, "x", {})
        assert message in str(error.value)
    with pytest.raises(Refused) as error:
        stray.imported(NAMESPACE, "x", "x")
    assert "deleteUnreachable" in str(error.value)
    stray.channel.close()


def test_what_was_in_a_lost_cluster_can_be_forgotten(sandbox: Sandbox, engine: Engine) -> None:
    made = engine.create("kubernetes:core/v1:ConfigMap", "kept", {})
    text = kubeconfig(sandbox.endpoint, server="https://127.0.0.1:1")
    forgetful = Engine(sandbox.port, {"kubeconfig": text, "deleteUnreachable": "true"})
    assert forgetful.refresh(made) is None
    forgetful.delete(made)
    forgetful.channel.close()
    assert engine.refresh(made)


def test_a_kubeconfig_is_never_taken_from_the_surroundings(sandbox: Sandbox) -> None:
    bare = Engine(sandbox.port, {})
    with pytest.raises(Refused) as error:
        bare.create(NAMESPACE, "x", {})
    assert "got no kubeconfig" in str(error.value)
    bare.channel.close()


def test_instances_are_told_apart_by_their_connections(sandbox: Sandbox, engine: Engine) -> None:
    other = Engine(sandbox.port, {**(engine.arguments or {}), "namespace": "elsewhere"})
    assert other.check("kubernetes:core/v1:ConfigMap", "c", {})["metadata"]["namespace"] == "elsewhere"
    assert engine.check("kubernetes:core/v1:ConfigMap", "c", {})["metadata"]["namespace"] == "default"
    other.channel.close()


def test_another_cluster_replaces_what_is_inside_and_other_credentials_do_not(sandbox: Sandbox, engine: Engine) -> None:
    text = kubeconfig(sandbox.endpoint)

    def replaces(new: str) -> list[str]:
        answer = engine.ask(
            "DiffConfig",
            provider_pb2.DiffRequest(
                old_inputs=wire.encode({"kubeconfig": text}), news=wire.encode({"kubeconfig": new})
            ),
        )
        return list(answer.replaces)

    assert replaces(text) == []
    assert replaces(text.replace("v1beta1", "v1")) == []
    assert replaces(kubeconfig(sandbox.endpoint, server="https://127.0.0.1:2")) == ["kubeconfig"]
    assert replaces(wire.UNKNOWN) == ["kubeconfig"]


def test_a_cluster_is_made_again_from_nothing(sandbox: Sandbox) -> None:
    key = ClusterKey(package="gcp", account="p", location="europe-west1", name="A name_with.odd-parts")
    first = sandbox.clusters.create(key, "1.34", {"a": "b"})
    assert first.version == "1.35.4"  # What it is, not what was asked for.
    assert sandbox.clusters.create(key, "1.34") == first
    assert sandbox.clusters.upgrade(key, "1.35") == first
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}}
    api = sandbox.api(key)
    until(lambda: api.get("v1", "Namespace", "", "default"))
    api.apply(config_map, manager="m")
    (directory,) = [path for path in sandbox.home.clusters.iterdir() if path.name.startswith("gcp-a-name-with-odd")]
    for secret_file in (ClusterFiles(directory).tokens, ClusterFiles(directory).admin_token):
        assert secret_file.stat().st_mode & 0o077 == 0

    sandbox.clusters.delete(key)
    sandbox.clusters.delete(key)
    assert sandbox.clusters.endpoint(key) is None
    assert not directory.exists()
    assert not [record for record, _ in sandbox.table.running() if directory.name in record.name]
    with pytest.raises(ClusterHostError, match="there is no cluster"):
        sandbox.clusters.upgrade(key, "1.36")

    second = sandbox.clusters.create(key, "1.35")
    assert second.ca_pem != first.ca_pem
    assert sandbox.api(key).get("v1", "ConfigMap", "default", "c") is None
    sandbox.clusters.delete(key)


def test_an_api_server_that_dies_comes_back(sandbox: Sandbox, engine: Engine) -> None:
    (child,) = [child for child in sandbox.clusters.children() if child.name.startswith("kube-apiserver aws-")]
    child.stop()
    messages = sandbox.clusters.revive()
    assert messages == [f"kube-apiserver of {KEY} had ended and is started again"]
    # The provider's own patience bridges the gap.
    assert engine.create("kubernetes:core/v1:ConfigMap", "after", {"metadata": {"namespace": "default"}}).id
    assert sandbox.clusters.revive() == []
