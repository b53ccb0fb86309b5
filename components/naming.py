"""Physical names within every cloud's limits, from one pure function.

Most resources leave their physical name to Pulumi, which appends something random, so that a replacement can be created
before the old one goes. A name is written out only where it is a contract (people and other tools type it, or another
name is derived from it) or where a limit is so tight that the random part must be given room.
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

_DIGEST = 8
"""Characters of the hash: 40 bits, so a million names have one chance in two of a single collision."""

AUTONAME = 8
"""Room that Pulumi's random suffix takes, separator included
(https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming)."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a service accepts as a name. We use lower-case letters, digits and single hyphens only, wherever they do."""

    longest: int
    shortest: int = 1
    letter_first: bool = False
    hyphens: bool = True

    @property
    def pattern(self) -> re.Pattern[str]:
        """What a legal name looks like, its length aside."""
        first = "[a-z]" if self.letter_first else "[a-z0-9]"
        return re.compile(rf"{first}[a-z0-9]*(-[a-z0-9]+)*" if self.hyphens else rf"{first}[a-z0-9]*")

    def accepts(self, name: str) -> bool:
        """Whether the service takes this name as it is."""
        return self.shortest <= len(name) <= self.longest and self.pattern.fullmatch(name) is not None


RULES: Mapping[str, Rule] = {
    # AWS: limits in each service's API reference (CreateCluster, CreateRole, CreateReplicationGroup, …)
    "aws/eks-cluster": Rule(longest=100),
    "aws/eks-node-group": Rule(longest=63),
    "aws/iam-role": Rule(longest=64),
    "aws/s3-bucket": Rule(longest=63, shortest=3),
    "aws/elasticache-group": Rule(longest=40, letter_first=True),
    "aws/rds-instance": Rule(longest=63, letter_first=True),
    "aws/load-balancer": Rule(longest=32),
    "aws/sqs-queue": Rule(longest=80),
    "aws/backup-vault": Rule(longest=50, shortest=2),
    # Azure: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
    "azure/resource-group": Rule(longest=90),
    "azure/aks-cluster": Rule(longest=63),
    "azure/log-workspace": Rule(longest=63, shortest=4),
    "azure/dns-prefix": Rule(longest=54, letter_first=True),
    # AKS refuses longer ones, its own default MC_<group>_<cluster>_<location> among them:
    # https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/create-upgrade-delete/aks-common-issues-faq
    "azure/node-resource-group": Rule(longest=80),
    "azure/node-pool": Rule(longest=12, letter_first=True, hyphens=False),
    "azure/key-vault": Rule(longest=24, shortest=3, letter_first=True),
    "azure/storage-account": Rule(longest=24, shortest=3, hyphens=False),
    "azure/container-registry": Rule(longest=50, shortest=5, hyphens=False),
    "azure/user-identity": Rule(longest=128, shortest=3),
    "azure/federated-credential": Rule(longest=120, shortest=3),
    "azure/postgres": Rule(longest=63, shortest=3),
    "azure/event-hubs-namespace": Rule(longest=50, shortest=6, letter_first=True),
    "azure/redis-enterprise": Rule(longest=60),
    # GCP: https://cloud.google.com/iam/docs/service-accounts-create, RFC 1035 for compute, API references otherwise
    "gcp/gke-cluster": Rule(longest=40, letter_first=True),
    "gcp/node-pool": Rule(longest=40, letter_first=True),
    "gcp/compute": Rule(longest=63, letter_first=True),
    "gcp/service-account": Rule(longest=30, shortest=6, letter_first=True),
    "gcp/identity-pool": Rule(longest=32, shortest=4, letter_first=True),
    "gcp/bucket": Rule(longest=63, shortest=3),
    "gcp/sql-instance": Rule(longest=98, letter_first=True),
    "gcp/kms": Rule(longest=63),
    "gcp/log-bucket": Rule(longest=100),
    "gcp/memorystore": Rule(longest=63, shortest=4, letter_first=True),
}


def physical(kind: str, name: str, *, incarnation: int = 1, room: int = 0) -> str:
    """The physical name of what we call `name`, within the limits of `kind` (a key of RULES).

    A legal name stays as it is. Anything else becomes a slug, is cut, and ends in a hash of the full name, so that two
    names never become one. `incarnation`: raise it to leave a name behind that outlives its resource (Key Vaults, Cloud
    SQL instances and log buckets stay reserved for days or months after their deletion). `room`: characters to leave
    free for a suffix of Pulumi's (`AUTONAME`).
    """
    rule = RULES[kind]
    longest = rule.longest - room
    if incarnation == 1 and len(name) <= longest and rule.accepts(name):
        return name
    joint = "-" if rule.hyphens else ""
    digest = _digest(f"{name}\0{incarnation}")
    slug = re.sub(r"[^a-z0-9]+", joint, name.lower()).strip("-")
    if rule.letter_first and not slug[:1].isalpha():
        slug = f"x{slug}"
    slug = slug[: longest - _DIGEST - len(joint)].rstrip("-")
    return f"{slug}{joint}{digest}" if slug else digest


def stem(kind: str, name: str) -> str:
    """A logical name of which Pulumi's physical name keeps within the limits of `kind`, random suffix included."""
    return physical(kind, name, room=AUTONAME)


def brief(name: str) -> str:
    """A short word for something with a long name of its own (an ARN, an address), for use in logical names: how it
    ends or begins, for people, and a hash of the whole."""
    word = re.sub(r"[^a-z0-9]+", "-", re.split(r"[@]", name.lower())[0].rpartition("/")[2]).strip("-")
    return f"{word[:24].rstrip('-')}-{_digest(name)}".lstrip("-")


def _digest(text: str) -> str:
    return b32encode(sha256(text.encode()).digest()).decode().lower()[:_DIGEST]
