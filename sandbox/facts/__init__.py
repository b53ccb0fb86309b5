"""Generates the facts that the simulated clouds judge by, from the installed Pulumi SDKs and schema folders.

`python -m sandbox.facts --from DIR` rewrites `sandbox/data/facts/<package>.json` for every resource type that
`sandbox/data/behaviour/` names. DIR holds `providers/{aws,google}.json` (arguments and forced replacement, asked from
the genuine Terraform providers), `terraform/{aws,gcp}.json` (Pulumi token -> Terraform type) and `azure/*.json` (ARM's
types). Regenerating from the same sources gives the same files.
"""
