"""Create, update, read and delete ordinary objects: all kinds that an API server serves."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes.api import Api, ApiError, NoSuchKind, Object
from sandbox.kubernetes.instance import Instance
from sandbox.kubernetes.objects import PATCH_FORCE, annotations_of, metadata_of, preview_of, split_id, text_of

# As long as the genuine provider waits where a resource sets no timeout of its own.
DEFAULT_TIMEOUT_SECONDS = 600.0
_CONFLICT = re.compile(r'conflict with "([^"]+)"')
_TAKEN_OVER = frozenset({"kubectl", "before-first-apply", "pulumi-kubernetes"})
_POLL_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5)


class OperationError(Exception):
    """The API server refused, or did not get ready in time; the message is for users."""


class NotReady(OperationError):
    """The object exists, but has not become what it should: it must be kept in the state."""

    def __init__(self, message: str, live: Object) -> None:
        super().__init__(message)
        self.live = live


@dataclass(frozen=True)
class Call:
    """One request of the engine about an object."""

    instance: Instance
    body: Object
    manager: str
    timeout_seconds: float = 0.0

    @property
    def where(self) -> tuple[str, str, str, str]:
        """apiVersion, kind, namespace, name."""
        metadata = metadata_of(self.body)
        return (
            self.body["apiVersion"], self.body["kind"], text_of(metadata, "namespace"), text_of(metadata, "name"),
        )  # fmt: skip

    @property
    def force(self) -> bool:
        """Whether to take over fields that others manage."""
        return self.instance.force or annotations_of(self.body).get(PATCH_FORCE) == "true"


def create(call: Call) -> Object:
    """Create and wait. Raises OperationError, also when the object exists already: adopting it is `pulumi import`."""
    api = call.instance.require()
    api_version, kind, namespace, name = call.where
    already = OperationError(
        f"{kind} {namespace + '/' if namespace else ''}{name} exists already in the cluster; "
        "use `pulumi import` to manage it, or upsertExistingObjects on the provider"
    )
    try:
        if not call.instance.upsert and api.get(api_version, kind, namespace, name):
            raise already
        live, created = _apply(api, call)
    except (ApiError, NoSuchKind) as error:
        raise OperationError(explain(error, call)) from error
    if not created and not call.instance.upsert and not _managed_alone(live, call.manager):
        raise already  # Somebody made it between our question and our answer.
    return _wait_ready(api, live, call)


def preview_create(call: Call) -> Object | None:
    """What creating would give, by a dry run; None where it cannot be known yet. Raises OperationError."""
    api = call.instance.require()
    api_version, kind, namespace, name = call.where
    try:
        # A replacement's new object may bear the name of the old one, which still exists.
        if not call.instance.upsert and api.get(api_version, kind, namespace, name):
            return None
        live, _ = _apply(api, call, dry_run=True)
    except NoSuchKind:
        return None  # Its CustomResourceDefinition may be made in the same run.
    except ApiError as error:
        if is_missing_namespace(error):
            return None
        raise OperationError(explain(error, call)) from error
    return preview_of(live)


def update(call: Call, *, preview: bool) -> Object:
    """Apply new inputs to an object that exists. Raises OperationError."""
    api = call.instance.require()
    try:
        if not api.get(*call.where):
            _, kind, namespace, name = call.where
            raise OperationError(
                f"{kind} {namespace + '/' if namespace else ''}{name} is gone from the cluster; "
                "run `pulumi refresh`, then it is created again"
            )
        live, _ = _apply(api, call, dry_run=preview)
    except (ApiError, NoSuchKind) as error:
        raise OperationError(explain(error, call)) from error
    return live if preview else _wait_ready(api, live, call)


def _apply(api: Api, call: Call, *, dry_run: bool = False) -> tuple[Object, bool]:
    """Apply; fields that kubectl set are taken over, as the genuine provider does. Raises ApiError, NoSuchKind."""
    try:
        return api.apply(call.body, manager=call.manager, force=call.force, dry_run=dry_run)
    except ApiError as error:
        others = _CONFLICT.findall(" ".join(str(cause.get("message")) for cause in error.details.get("causes") or ()))
        if error.reason != "Conflict" or not others or not set(others) <= _TAKEN_OVER:
            raise
        return api.apply(call.body, manager=call.manager, force=True, dry_run=dry_run)


def _managed_alone(live: Object, manager: str) -> bool:
    """Whether nobody else has set any field: then we made it, though an interrupted answer was asked for again."""
    entries = live["metadata"].get("managedFields") or ()
    return all(entry.get("manager") == manager for entry in entries if not entry.get("subresource"))


def read(instance: Instance, api_version: str, kind: str, identifier: str) -> Object | None:
    """The live object of an id; None when it, or even its kind, is gone. Raises OperationError."""
    namespace, name = split_id(identifier)
    try:
        return instance.require().get(api_version, kind, namespace, name)
    except NoSuchKind:
        return None
    except ApiError as error:
        raise OperationError(str(error)) from error


def delete(
    instance: Instance,
    api_version: str,
    kind: str,
    identifier: str,
    timeout_seconds: float,
    propagation: str = "Foreground",
) -> None:
    """Delete and wait until it is gone; what is gone already is no error. Raises OperationError."""
    api = instance.require()
    namespace, name = split_id(identifier)
    try:
        uid = api.delete(api_version, kind, namespace, name, propagation)
        if uid is None:
            return

        def gone(live: Object | None) -> bool:
            # Another object of that name is somebody else's.
            return live is None or bool(uid and live["metadata"].get("uid") != uid)

        live = _poll(lambda: api.get(api_version, kind, namespace, name), gone, timeout_seconds)
    except NoSuchKind:
        return
    except ApiError as error:
        raise OperationError(str(error)) from error
    finally:
        if kind == "CustomResourceDefinition":
            api.forget_kinds(name.partition(".")[2])
    if not gone(live):
        raise OperationError(f"{kind} {identifier} is still being deleted: {_why_left(live or {})}")


def _why_left(live: Object) -> str:
    metadata = live.get("metadata") or {}
    waits = [f"finalizer {finalizer}" for finalizer in metadata.get("finalizers") or ()]
    waits += [f"finalizer {finalizer}" for finalizer in (live.get("spec") or {}).get("finalizers") or ()]
    conditions = (live.get("status") or {}).get("conditions") or ()
    waits += [str(item.get("message")) for item in conditions if item.get("status") == "True"]
    return "; ".join(waits) or "the API server gives no reason"


def _poll(
    ask: Callable[[], Object | None], done: Callable[[Object | None], bool], timeout_seconds: float
) -> Object | None:
    """Ask, ever less often, until it is done or the time is over; the last answer."""
    deadline = time.monotonic() + (timeout_seconds or DEFAULT_TIMEOUT_SECONDS)
    attempt = 0
    while True:
        live = ask()
        if done(live) or time.monotonic() > deadline:
            return live
        time.sleep(_POLL_SECONDS[min(attempt, len(_POLL_SECONDS) - 1)])
        attempt += 1


# --- waiting ---
#
# Like the genuine provider, we wait where something in a cluster without nodes can become ready: quotas, token
# Secrets, definitions. Workloads, Services, Ingresses and volumes never would (no scheduler, kubelet or cloud
# controller runs here), so they count as ready once the API server has accepted them.


def _quota_ready(live: Object) -> bool:
    wanted = (live.get("spec") or {}).get("hard") or {}
    return wanted == ((live.get("status") or {}).get("hard") or {})


def _definition_ready(live: Object) -> bool:
    conditions = (live.get("status") or {}).get("conditions") or ()
    return any(item.get("type") == "Established" and item.get("status") == "True" for item in conditions)


def _secret_ready(live: Object) -> bool:
    return live.get("type") != "kubernetes.io/service-account-token" or "token" in (live.get("data") or {})


_READY: dict[tuple[str, str], tuple[Callable[[Object], bool], str]] = {
    ("v1", "Namespace"): (lambda live: (live.get("status") or {}).get("phase") == "Active", "Active"),
    ("v1", "ResourceQuota"): (_quota_ready, "counted by the quota controller"),
    ("v1", "Secret"): (_secret_ready, "given a token"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): (_definition_ready, "Established"),
}


def _wait_ready(api: Api, live: Object, call: Call) -> Object:
    api_version, kind, namespace, name = call.where
    if kind == "CustomResourceDefinition":
        api.forget_kinds(str((call.body.get("spec") or {}).get("group", "")))
    ready, word = _READY.get((api_version, kind), (None, ""))
    if not ready or ready(live):
        return live
    check = ready
    try:
        found = _poll(
            lambda: api.get(api_version, kind, namespace, name),
            lambda answer: answer is None or check(answer),
            call.timeout_seconds,
        )
    except ApiError as error:
        raise NotReady(str(error), live) from error
    if found is None:
        raise OperationError(f"{kind} {name} was deleted by somebody else just after it was created")
    if not check(found):
        raise NotReady(f"{kind} {name} exists, but has not become {word}", found)
    return found


# --- messages ---

# What server-side apply says before it comes to the point; the object is named already.
_PREAMBLE = re.compile(
    r"^failed to (create typed patch object|create typed live object|convert new object) \([^)]*\)"
    r"( to proper version: unable to convert unstructured object to [^:]*)?: "
)


def is_missing_namespace(error: ApiError) -> bool:
    """Whether an object was refused because its namespace does not exist."""
    return error.code == 404 and error.details.get("kind") == "namespaces"


def explain(error: Exception, call: Call) -> str:
    """What the API server said, with the object it speaks of and what to do about conflicts."""
    _, kind, namespace, name = call.where
    subject = f"{kind} {namespace + '/' if namespace else ''}{name}"
    if isinstance(error, ApiError) and error.reason == "Conflict":
        return (
            f"{subject}: another field manager has set fields of this object ({_causes(error)}). Remove them from "
            f'the program or there, or take them over with the annotation {PATCH_FORCE}: "true"'
        )
    return f"{subject}: {_PREAMBLE.sub('', str(error))}"


def _causes(error: ApiError) -> str:
    causes: list[dict[str, Any]] = error.details.get("causes") or []
    return "; ".join(f"{cause.get('field')}: {cause.get('message')}" for cause in causes) or str(error)
