"""Kubeconfigs hold an address and a way to sign in, and nothing that expires."""

from __future__ import annotations

import yaml

from components.kubeconfig import Server, SignIn, render

SIGN_IN = SignIn(command="kubelogin", args=["get-token", "--server-id", "6dae"], hint="Install kubelogin")


def test_it_names_the_cluster_once_and_points_at_it() -> None:
    found = yaml.safe_load(render("meridian-prod", Server(url="https://example.com:443", authority="Q0E="), SIGN_IN))
    assert found["current-context"] == found["contexts"][0]["name"] == "meridian-prod"
    assert found["contexts"][0]["context"] == {"cluster": "meridian-prod", "user": "meridian-prod"}
    assert found["clusters"] == [
        {
            "name": "meridian-prod",
            "cluster": {"server": "https://example.com:443", "certificate-authority-data": "Q0E="},
        }
    ]


def test_it_signs_in_by_a_program_and_holds_no_credential() -> None:
    user = yaml.safe_load(render("c", Server(url="https://example.com"), SIGN_IN))["users"][0]["user"]
    assert set(user) == {"exec"}
    assert user["exec"]["apiVersion"] == "client.authentication.k8s.io/v1beta1"
    assert user["exec"]["command"] == "kubelogin"
    assert user["exec"]["args"] == ["get-token", "--server-id", "6dae"]


def test_a_server_that_everybody_trusts_needs_no_authority() -> None:
    assert "certificate-authority-data" not in render("c", Server(url="https://example.com"), SIGN_IN)


def test_the_same_cluster_gives_the_same_text() -> None:
    server = Server(url="https://example.com", authority="Q0E=")
    assert render("c", server, SIGN_IN) == render("c", server, SIGN_IN)
