"""Objects in the sandbox's clusters that a run has made and not recorded.

The engine cannot tell them from somebody else's and refuses to create them again. Here they can be told: each was
applied by a field manager of the engine, in the very place where this stack is about to create it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from automation.adoption import Made, reconcile
from automation.engine import Outcome
from automation.events import Step, resource_name
from automation.session import Session
from components.spec import Cloud
from sandbox.kubernetes.api import Api, ApiError, NoSuchKind, Object
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.objects import (
    MANAGER_OUTPUT,
    UnsupportedType,
    api_type,
    from_kubernetes,
    mark_secrets,
    new_manager,
    object_id,
)
from sandbox.kubernetes.truth import imported
from sandbox.paths import Home
from sandbox.status import recorded_clusters
from stacks.slices import Slice

PACKAGES: Mapping[Cloud, str] = {Cloud.AWS: "aws", Cloud.AZURE: "azure-native", Cloud.GCP: "gcp"}
"""The provider package that serves each cloud: how the sandbox names the clouds."""

_TYPES = "kubernetes:"


def cluster_of(home: Home, outputs: Mapping[str, Any]) -> Cluster | None:
    """The sandbox's cluster that a region slice's outputs mean; None when it is not there (yet)."""
    region, name = outputs.get("region"), outputs.get("cluster_name")
    if not isinstance(region, Mapping) or not name:
        return None
    for cluster in recorded_clusters(home):
        key = cluster.record.key
        # On Azure two resource groups may hold clusters of one name: there the account goes on with the group.
        same_account = key.account == region.get("account") or key.account.startswith(f"{region.get('account')}/")
        wanted = (PACKAGES[Cloud(str(region["cloud"]))], region.get("location"), name)
        if same_account and (key.package, key.location, key.name) == wanted:
            return cluster
    return None


def adopt_objects(session: Session, part: Slice, preview: Outcome) -> bool:
    """Put what the preview wants to create, and is there already, into the stack's state; whether there was any."""
    wanted = [step for step in preview.record.steps if step.op == "create" and step.type.startswith(_TYPES)]
    if not wanted or not part.upstream:
        return False
    region = session.states.read(part.upstream[0].stack_name)
    cluster = cluster_of(Home.at(session.setting.sandbox), region.outputs)
    if cluster is None:
        return False
    api = Api(url=cluster.url, ca_pem=cluster.ca_pem, token=cluster.admin_token)
    try:
        found = list(_existing(api, wanted))
    finally:
        api.close()
    if not found:
        return False
    exported = session.engine.export(part.stack_name)
    edit = reconcile(exported["deployment"], found)
    session.engine.replace_state(part.stack_name, exported | {"deployment": edit.deployment})
    for urn in edit.adopted:
        what = "was in the cluster already, made by an interrupted run; now in the state"
        session.progress.say(f"{part}: {resource_name(urn)} {what}")
    return bool(edit.adopted)


def _existing(api: Api, steps: list[Step]) -> Iterator[Made]:
    for step in steps:
        metadata = step.inputs.get("metadata")
        name = metadata.get("name") if isinstance(metadata, Mapping) else None
        if not isinstance(metadata, Mapping) or not isinstance(name, str):
            continue
        try:
            api_version, kind = api_type(step.type)
            live = api.get(api_version, kind, str(metadata.get("namespace") or ""), name)
        except (ApiError, NoSuchKind, UnsupportedType):
            continue  # not there, as far as anybody can tell: the run itself will say what is wrong
        if live is not None and not live["metadata"].get("deletionTimestamp") and (made := _made(live, step)):
            yield made


def _made(live: Object, step: Step) -> Made | None:
    managers = [
        entry["manager"]
        for entry in live["metadata"].get("managedFields") or ()
        if entry.get("operation") == "Apply" and entry.get("manager", "").startswith(new_manager(""))
    ]
    if not managers:
        return None
    shown = from_kubernetes(live)
    made = Made(
        urn=step.urn,
        id=object_id(live),
        package="kubernetes",
        inputs=mark_secrets(from_kubernetes(imported(live)), {}),
        outputs={**mark_secrets(shown, {}), MANAGER_OUTPUT: managers[0]},
    )
    return replace(made, parent=step.parent, provider=step.provider)
