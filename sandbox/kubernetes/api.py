"""A small client for Kubernetes API servers: discovery, server-side apply, read, delete."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

Object = dict[str, Any]

_TIMEOUT_SECONDS = 60.0
# An API server that the sandbox restarts after a crash is back within a few seconds.
_RETRY_PAUSES_SECONDS = (0.1, 0.3, 1.0, 2.0, 4.0)


class ApiError(Exception):
    """An answer that is no success. `reason` is Kubernetes' word for it, e.g. "NotFound", "Conflict", "Invalid"."""

    def __init__(self, code: int, reason: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = dict(details or {})


class NoSuchKind(Exception):
    """The API server serves no such apiVersion and kind: probably a CustomResourceDefinition is missing."""


@dataclass(frozen=True)
class Kind:
    """How the API server serves a kind. `path` is the prefix of its URLs, e.g. "/apis/apps/v1"."""

    path: str
    plural: str
    namespaced: bool


class Api:
    """One API server, spoken to as its administrator. Safe for many threads."""

    def __init__(self, *, url: str, ca_pem: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=url,
            verify=ssl.create_default_context(cadata=ca_pem),
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=_TIMEOUT_SECONDS,
            limits=httpx.Limits(max_connections=128, max_keepalive_connections=64, keepalive_expiry=60),
        )
        self._kinds: dict[tuple[str, str], Kind] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # --- discovery ---

    def kind(self, api_version: str, kind: str) -> Kind:
        """How a kind is served; asked again as long as it is unknown. Raises NoSuchKind, ApiError."""
        with self._lock:
            found = self._kinds.get((api_version, kind))
        if found:
            return found
        path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            listed = self._request("GET", path)["resources"]
        except ApiError as error:
            if error.code != httpx.codes.NOT_FOUND:
                raise
            listed = []
        kinds = {
            (api_version, item["kind"]): Kind(path, item["name"], item["namespaced"])
            for item in listed
            if "/" not in item["name"]  # Subresources repeat the kind.
        }
        with self._lock:
            self._kinds.update(kinds)
        if (api_version, kind) not in kinds:
            raise NoSuchKind(f"the API server serves no {kind} in {api_version}; is its definition installed?")
        return kinds[api_version, kind]

    def forget_kinds(self, group: str) -> None:
        """Ask again about a group whose CustomResourceDefinitions have changed."""
        with self._lock:
            self._kinds = {key: kind for key, kind in self._kinds.items() if not key[0].startswith(f"{group}/")}

    def _url(self, api_version: str, kind: str, namespace: str, name: str) -> str:
        served = self.kind(api_version, kind)
        scope = f"/namespaces/{namespace or 'default'}" if served.namespaced else ""
        return f"{served.path}{scope}/{served.plural}/{name}"

    # --- objects ---

    def get(self, api_version: str, kind: str, namespace: str, name: str) -> Object | None:
        """The live object, or None when it does not exist. Raises NoSuchKind, ApiError."""
        try:
            return self._request("GET", self._url(api_version, kind, namespace, name))
        except ApiError as error:
            if error.code == httpx.codes.NOT_FOUND:
                return None
            raise

    def apply(self, body: Object, *, manager: str, force: bool = False, dry_run: bool = False) -> tuple[Object, bool]:
        """Server-side apply, refusing unknown fields; the live object, and whether it was created.

        Raises NoSuchKind, ApiError (reason "Conflict" where another manager owns a field and `force` is off).
        """
        metadata = body["metadata"]
        url = self._url(body["apiVersion"], body["kind"], metadata.get("namespace", ""), metadata["name"])
        parameters = {"fieldManager": manager, "force": str(force).lower(), "fieldValidation": "Strict"}
        if dry_run:
            parameters["dryRun"] = "All"
        response = self._send(
            "PATCH",
            url,
            params=parameters,
            content=json.dumps(body).encode(),
            headers={"Content-Type": "application/apply-patch+yaml"},
        )
        return response.json(), response.status_code == httpx.codes.CREATED

    def delete(
        self, api_version: str, kind: str, namespace: str, name: str, propagation: str = "Foreground"
    ) -> str | None:
        """Begin to delete; the uid of what is being deleted ("" if not told), None when it was gone already.

        `propagation` says what becomes of dependents: Foreground (they go first), Background or Orphan.
        """
        url = self._url(api_version, kind, namespace, name)
        try:
            answer = self._request("DELETE", url, json={"propagationPolicy": propagation})
        except ApiError as error:
            if error.code == httpx.codes.NOT_FOUND:
                return None
            raise
        uid = answer.get("metadata", {}).get("uid") or answer.get("details", {}).get("uid")
        return str(uid or "")

    # --- requests ---

    def _request(self, method: str, url: str, **arguments: Any) -> Object:
        return self._send(method, url, **arguments).json()

    def _send(self, method: str, url: str, **arguments: Any) -> httpx.Response:
        for pause in (*_RETRY_PAUSES_SECONDS, None):
            try:
                response = self._http.request(method, url, **arguments)
            except httpx.TransportError as error:
                # Every request here may be sent twice: reads, applies and deletes are idempotent.
                if pause is None:
                    message = f"the API server at {self._http.base_url} does not answer: {error}"
                    raise ApiError(0, "Unreachable", message) from error
                time.sleep(pause)
                continue
            if response.status_code == httpx.codes.TOO_MANY_REQUESTS and pause is not None:
                time.sleep(float(response.headers.get("Retry-After", pause)))
                continue
            if response.is_success:
                return response
            raise _error(response)
        raise AssertionError("the last attempt returns or raises")


def _error(response: httpx.Response) -> ApiError:
    try:
        status = response.json()
    except ValueError:
        status = {}
    return ApiError(
        response.status_code,
        str(status.get("reason") or response.reason_phrase),
        str(status.get("message") or response.text or response.reason_phrase),
        status.get("details"),
    )
