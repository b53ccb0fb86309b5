"""Serves the pack to the engine: `pulumi preview --policy-pack policies`. Never imported: serving does not return."""

from pulumi_policy import PolicyPack

from rules.engine import policies

PolicyPack("meridian", policies())
