"""The walls of a tenant's namespace, as our program registers it, on a real API server."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import httpx
import pytest
from pulumi.runtime.proto import provider_pb2

from components.spec import Cloud, Tier
from tests.contract import test_tenants_on_three_clouds as program
from tests.processes import until
from tests.sandbox_kubernetes.conftest import Sandbox
from tests.sandbox_kubernetes.engine import Engine, Made, Refused
from tests.sandbox_kubernetes.test_cluster import impersonating

TENANTS = {"walls-free": Tier.FREE, "walls-standard": Tier.STANDARD, "walls-enterprise": Tier.ENTERPRISE}
FREE, STANDARD = "tenant-walls-free", "tenant-walls-standard"
DEVELOPER = ("dev@example.org", "walls-free-developers", "system:authenticated")


@pytest.fixture(scope="module")
def made(engine: Engine, sandbox: Sandbox) -> list[Made]:
    """Three tenants, one of each tier, as each cloud has them, in the order in which the engine would make them."""
    found: list[Made] = []
    for cloud, (id_, tier) in zip(Cloud, TENANTS.items(), strict=True):
        spec = program.tenant(id=id_, tier=tier, developers=[f"{id_}-developers"])
        found += [
            engine.create(one.type, one.name, deepcopy(dict(one.props)))
            for one in program.register(cloud, spec)
            if one.type.startswith("kubernetes:")
        ]
    for id_ in TENANTS:
        until(lambda id_=id_: sandbox.api().get("v1", "ServiceAccount", f"tenant-{id_}", "default") is not None)
        until(lambda id_=id_: used(sandbox, f"tenant-{id_}", "quota") is not None)
    return found


def used(sandbox: Sandbox, namespace: str, name: str) -> Mapping[str, str] | None:
    quota = sandbox.api().get("v1", "ResourceQuota", namespace, name)
    return quota and quota.get("status", {}).get("used")


def test_what_is_registered_comes_back_as_it_was_written(made: list[Made], engine: Engine) -> None:
    assert len(made) == 3 * 11
    for one in made:
        read = engine.refresh(one)
        assert read is not None
        assert engine.diff(read, deepcopy(one.inputs)).changes == provider_pb2.DiffResponse.DIFF_NONE, one.id


def pod(name: str, **spec: Any) -> dict[str, Any]:
    """A pod that keeps to the restricted standard and asks for no resources."""
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "app", "image": "registry.example/app", "securityContext": security}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": FREE},
        "spec": {"containers": [container], "serviceAccountName": "workload", **spec},
    }


@contextmanager
def developer(sandbox: Sandbox) -> Generator[httpx.Client]:
    user, *groups = DEVELOPER
    with impersonating(sandbox, user, *groups) as client:
        yield client


@pytest.mark.usefixtures("made")
def test_a_pod_that_asks_for_nothing_runs_within_the_quota(engine: Engine, sandbox: Sandbox) -> None:
    before = used(sandbox, FREE, "quota")
    one = engine.create("kubernetes:core/v1:Pod", "plain", pod("plain"))
    (container,) = one.outputs["spec"]["containers"]
    assert container["resources"]["requests"].items() >= {"cpu": "50m", "memory": "64Mi"}.items()
    assert container["resources"]["limits"].items() >= {"cpu": "200m", "memory": "256Mi"}.items()
    assert not any(volume["name"].startswith("kube-api-access") for volume in one.outputs["spec"].get("volumes", []))
    until(lambda: used(sandbox, FREE, "quota") != before)
    engine.delete(one)


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"hostNetwork": True}, "violates PodSecurity"),
        ({"priorityClassName": "system-node-critical"}, "no-platform-priority"),
        ({"priorityClassName": "platform-critical"}, "no-platform-priority"),
    ],
)
def test_a_pod_that_reaches_over_the_walls_is_refused(engine: Engine, spec: dict[str, Any], says: str) -> None:
    if spec.get("priorityClassName") == "platform-critical":
        engine.create(
            "kubernetes:scheduling.k8s.io/v1:PriorityClass",
            "critical",
            {"metadata": {"name": "platform-critical"}, "value": 1_000_000},
        )
    with pytest.raises(Refused, match=says):
        engine.create("kubernetes:core/v1:Pod", "bad", pod("bad", **spec))


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("requests", "says"),
    [
        ({"cpu": "3"}, "requests.cpu"),
        ({"memory": "9Gi"}, "requests.memory"),
        ({"nvidia.com/gpu": "1"}, "requests.nvidia.com/gpu"),
        ({"ephemeral-storage": "3Gi"}, "ephemeral-storage"),
    ],
)
def test_more_than_the_quota_is_refused(engine: Engine, requests: dict[str, str], says: str) -> None:
    big = pod("big")
    big["spec"]["containers"][0]["resources"] = {"requests": requests, "limits": requests}
    with pytest.raises(Refused, match=says):
        engine.create("kubernetes:core/v1:Pod", "big", big)


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("type_", ["LoadBalancer", "NodePort"])
def test_no_service_leads_past_the_entry(engine: Engine, type_: str) -> None:
    spec = {"type": type_, "ports": [{"port": 80}], "selector": {"app": "x"}}
    with pytest.raises(Refused, match="exceeded quota: quota"):
        engine.create("kubernetes:core/v1:Service", "s", {"metadata": {"name": "s", "namespace": FREE}, "spec": spec})


@pytest.mark.usefixtures("made")
def test_developers_work_in_their_own_namespace_and_leave_its_walls_alone(sandbox: Sandbox) -> None:
    with developer(sandbox) as client:

        def may(verb: str, group: str, resource: str, namespace: str = FREE, subresource: str = "") -> bool:
            attributes = {"verb": verb, "group": group, "resource": resource, "namespace": namespace}
            review = {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes | ({"subresource": subresource} if subresource else {})},
            }
            answer = client.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", json=review)
            return answer.json()["status"]["allowed"]

        until(lambda: may("create", "apps", "deployments"))
        assert may("create", "", "pods")
        assert may("get", "", "pods", subresource="log")
        assert may("get", "", "resourcequotas")
        for verb, group, resource, subresource in [
            ("get", "", "secrets", ""),
            ("list", "", "secrets", ""),
            ("create", "", "serviceaccounts", "token"),
            ("patch", "", "serviceaccounts", ""),
            ("patch", "", "resourcequotas", ""),
            ("delete", "", "limitranges", ""),
            ("create", "networking.k8s.io", "networkpolicies", ""),
            ("patch", "rbac.authorization.k8s.io", "roles", ""),
            ("create", "rbac.authorization.k8s.io", "rolebindings", ""),
            ("update", "", "endpoints", ""),
            ("update", "discovery.k8s.io", "endpointslices", ""),
            ("patch", "", "namespaces", ""),
            ("impersonate", "", "serviceaccounts", ""),
            ("create", "apps", "daemonsets", ""),
        ]:
            assert not may(verb, group, resource, subresource=subresource), (verb, resource, subresource)
        for resource in ("pods", "configmaps", "secrets"):
            assert not may("get", "", resource, STANDARD), resource
            assert not may("get", "", resource, "kube-system"), resource


@pytest.mark.usefixtures("made")
def test_a_developers_own_deployment_is_taken(sandbox: Sandbox) -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": FREE},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod("web")["spec"]},
        },
    }
    with developer(sandbox) as client:
        for namespace, wanted in [(FREE, httpx.codes.CREATED), (STANDARD, httpx.codes.FORBIDDEN)]:
            body = deployment | {"metadata": {"name": "web", "namespace": namespace}}
            answer = client.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", json=body)
            assert answer.status_code == wanted, answer.text


@pytest.mark.usefixtures("made")
def test_the_workloads_own_account_may_nothing(sandbox: Sandbox) -> None:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{FREE}", "system:authenticated")
    with impersonating(sandbox, f"system:serviceaccount:{FREE}:workload", *groups) as client:
        for namespace in (FREE, STANDARD):
            for resource in ("pods", "secrets", "configmaps"):
                answer = client.get(f"/api/v1/namespaces/{namespace}/{resource}")
                assert answer.status_code == httpx.codes.FORBIDDEN, (namespace, resource)
