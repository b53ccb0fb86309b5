"""`meridian up staging` in an empty world: three clouds, real API servers, tenants inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import httpx
import pytest

from tests.sandbox.checkout import Checkout, Done

REGIONS = ("aws-usw2", "gcp-euw1", "azure-cin")
TENANTS = ("acme", "globex", "initech")
CORE, NETWORKING, RBAC = "/api/v1", "/apis/networking.k8s.io/v1", "/apis/rbac.authorization.k8s.io/v1"
OBJECTS: Mapping[tuple[str, str], set[str]] = {
    (CORE, "resourcequotas"): {"quota"},
    (CORE, "limitranges"): {"limits"},
    (CORE, "serviceaccounts"): {"workload"},
    (NETWORKING, "networkpolicies"): {"default-deny", "allow-dns", "allow-own-namespace", "allow-identity"},
    (RBAC, "roles"): {"tenant-developer"},
    (RBAC, "rolebindings"): {"tenant-developers"},
}
PRIVILEGED = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "intruder"},
    "spec": {"containers": [{"name": "c", "image": "busybox", "securityContext": {"privileged": True}}]},
}


@pytest.fixture(params=REGIONS)
def api(request: pytest.FixtureRequest, staging: Checkout) -> Iterator[httpx.Client]:
    with staging.api(f"staging.{request.param}") as client:
        yield client


def names(api: httpx.Client, path: str) -> set[str]:
    return {item["metadata"]["name"] for item in api.get(path).raise_for_status().json()["items"]}


def test_it_ends_with_a_summary_of_what_is_real_and_what_is_not(brought_up: Done) -> None:
    for region in REGIONS:
        row = next(line for line in brought_up.printed.splitlines() if line.startswith(f"{region} "))
        assert " 1.35." in row
        assert f"meridian-staging-{region}" in row
    assert "The clouds are simulated" in brought_up.printed
    assert "The Kubernetes API servers are real" in brought_up.printed
    assert "sandbox kubeconfig aws-usw2 > kubeconfig" in brought_up.printed
    assert "looking again: a second preview of every stack must find nothing to change" in brought_up.printed


def test_again_it_changes_nothing(staging: Checkout) -> None:
    with staging.world() as world:
        before = world.revision()
        again = staging.well("up", "staging")
        assert world.revision() == before
    assert "environment staging is up to date: nothing had to change" in again.printed
    assert again.printed.count("no changes") == 9


def test_each_api_server_holds_every_tenant_with_all_its_objects(api: httpx.Client) -> None:
    assert {f"tenant-{tenant}" for tenant in TENANTS} <= names(api, f"{CORE}/namespaces")
    for tenant in TENANTS:
        for (group, kind), wanted in OBJECTS.items():
            assert wanted <= names(api, f"{group}/namespaces/tenant-{tenant}/{kind}"), (tenant, kind)


def test_a_privileged_pod_is_refused_by_the_real_api_server(api: httpx.Client) -> None:
    answer = api.post(f"{CORE}/namespaces/tenant-acme/pods", params={"dryRun": "All"}, json=PRIVILEGED)
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert 'violates PodSecurity "restricted' in answer.json()["message"]


def test_a_tenants_service_account_reads_nobody_elses_secrets(api: httpx.Client) -> None:
    theirs = {"Impersonate-User": "system:serviceaccount:tenant-acme:workload"}
    answer = api.get(f"{CORE}/namespaces/tenant-globex/secrets", headers=theirs)
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert 'cannot list resource "secrets" in API group "" in the namespace "tenant-globex"' in answer.json()["message"]


def test_developers_work_in_their_own_namespace_only(api: httpx.Client) -> None:
    developer = {
        "Impersonate-User": "someone@meridian.example",
        "Impersonate-Group": "globex-engineering@meridian.example",
    }
    assert api.get(f"{CORE}/namespaces/tenant-globex/pods", headers=developer).status_code == httpx.codes.OK
    assert api.get(f"{CORE}/namespaces/tenant-acme/pods", headers=developer).status_code == httpx.codes.FORBIDDEN


def test_status_and_kubeconfig_show_the_clusters(staging: Checkout) -> None:
    status = staging.well("sandbox", "status").printed
    for region in REGIONS:
        assert f"meridian-staging-{region}" in status
    assert status.count(" ready") == 3
    assert "server: https://127.0.0.1:" in staging.well("sandbox", "kubeconfig", "gcp-euw1").out
    wrong = staging.meridian("sandbox", "kubeconfig", "gcp-euw2")
    assert (wrong.code, "did you mean gcp-euw1" in wrong.printed) == (2, True)


def test_plain_pulumi_works_in_the_shell_that_env_sets_up(staging: Checkout) -> None:
    done = staging.shell(
        "pulumi preview -s staging.gcp-euw1 --non-interactive\n"
        "pulumi up -s staging.gcp-euw1.platform --yes --non-interactive\n"
        "pulumi refresh -s staging.gcp-euw1.tenants-00 --yes --non-interactive\n"
        "pulumi stack output cluster_name -s staging.gcp-euw1"
    )
    assert done.code == 0, done.printed
    assert done.out.splitlines()[-1] == "meridian-staging-gcp-euw1"
    assert "error" not in done.printed
    assert " to create" not in done.printed
    assert staging.steps("staging.gcp-euw1.tenants-00") == {}
