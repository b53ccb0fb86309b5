"""The engine's events become steps, violations, messages and counts."""

from __future__ import annotations

from typing import Any

from pulumi.automation.events import EngineEvent

from automation.events import Record, plain, resource_name

URN = "urn:pulumi:staging.aws-usw2::meridian::meridian:components:Cluster$aws:eks/cluster:Cluster::staging-aws-usw2"
STACK = "urn:pulumi:staging.aws-usw2::meridian::pulumi:pulumi:Stack::meridian-staging.aws-usw2"


def metadata(op: str, urn: str = URN, **more: Any) -> dict[str, Any]:
    return {"op": op, "urn": urn, "type": urn.split("::")[2].rpartition("$")[2], "provider": "p", **more}


def record(*events: dict[str, Any]) -> Record:
    made = Record()
    for event in events:
        made.feed(EngineEvent.from_json(event))
    return made


def state(outputs: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "t", "urn": URN, "id": "", "parent": "", "provider": "", "outputs": outputs or {}, **more}


def test_a_resource_is_named_by_type_and_name() -> None:
    assert resource_name(URN) == "aws:eks/cluster:Cluster staging-aws-usw2"
    assert resource_name("no urn") == "no urn"


def test_colours_are_removed() -> None:
    assert plain("<{%fg 13%}>bad<{%reset%}> \x1b[31mred\x1b[0m\n") == "bad red"


def test_steps_are_counted_while_they_run_and_when_they_are_done() -> None:
    made = record({"resourcePreEvent": {"metadata": metadata("create", new=state(inputs={"a": 1}, parent="up"))}})
    assert (made.done, list(made.running)) == (0, [URN])
    assert (made.longest() or ("",))[0] == URN
    made.feed(EngineEvent.from_json({"resOutputsEvent": {"metadata": metadata("create")}}))
    assert (made.done, made.running, made.longest()) == (1, {}, None)
    (step,) = made.steps
    assert (step.op, step.name, step.inputs, step.parent) == (
        "create", "aws:eks/cluster:Cluster staging-aws-usw2", {"a": 1}, "up",
    )  # fmt: skip


def test_unchanged_resources_are_no_steps() -> None:
    made = record({"resourcePreEvent": {"metadata": metadata("same")}})
    assert (made.steps, made.same) == ([], 1)


def test_a_replacement_says_what_forces_it_and_an_update_what_differs() -> None:
    made = record(
        {"resourcePreEvent": {"metadata": metadata("replace", keys=["version"], diffs=["version", "tags"])}},
        {"resourcePreEvent": {"metadata": metadata("update", keys=[], diffs=["tags"])}},
    )
    assert [step.keys for step in made.steps] == [("version",), ("tags",)]


def test_a_failed_step_runs_no_longer() -> None:
    made = record(
        {"resourcePreEvent": {"metadata": metadata("create")}},
        {"resOpFailedEvent": {"metadata": metadata("create"), "status": 0, "steps": 1}},
    )
    assert (made.running, made.done) == ({}, 0)


def test_the_summary_counts_changes_and_not_what_was_only_looked_at() -> None:
    made = record({"summaryEvent": {"resourceChanges": {"same": 5, "read": 1, "create": 2, "update": 1}}})
    assert made.changed == 3


def test_changed_outputs_alone_are_noticed() -> None:
    def told(before: dict[str, Any], after: dict[str, Any]) -> bool:
        step = metadata("same", STACK, old=state(before), new=state(after))
        return record({"resOutputsEvent": {"metadata": step}}).outputs_changed

    assert told({"a": 1}, {"a": 2})
    assert not told({"a": 1}, {"a": 1})


def test_a_changed_option_of_an_unchanged_resource_is_noticed() -> None:
    def told(**after: Any) -> bool:
        step = metadata("same", old=state(protect=None), new=state(**after))
        return record({"resourcePreEvent": {"metadata": step}}).unchanged

    assert told()
    assert told(protect=False)
    assert not told(protect=True)
    assert not told(parent="another")


def test_messages_are_kept_once_and_without_noise() -> None:
    def diagnostic(message: str, severity: str = "error", **more: Any) -> dict[str, Any]:
        return {"diagnosticEvent": {"message": message, "severity": severity, "color": "never", **more}}

    made = record(
        diagnostic("<{%reset%}>no such subnet\n", urn=URN),
        diagnostic("no such subnet", urn=URN),
        diagnostic("preview failed"),
        diagnostic("registering resource", "debug"),
        diagnostic("progress", ephemeral=True),
        diagnostic("using pulumi-language-python from $PATH at /x", "warning"),
    )
    (only,) = made.diagnostics
    assert (only.message, only.resource) == ("no such subnet", "aws:eks/cluster:Cluster staging-aws-usw2")


def test_violations_say_whether_they_block() -> None:
    def violation(level: str) -> dict[str, Any]:
        return {
            "policyEvent": {
                "message": "All rules.\nfix it",
                "policyName": "r",
                "resourceUrn": URN,
                "enforcementLevel": level,
            }
        }

    made = record(violation("mandatory"), violation("advisory"))
    assert [(one.mandatory, one.message) for one in made.violations] == [(True, "fix it"), (False, "fix it")]
