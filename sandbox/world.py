"""What exists in the simulated clouds: one SQLite file that survives restarts and is shared between processes.

The daemon serves it over gRPC; tests open the same file beside it to inject faults and drift, and to look. The file
holds what a cloud would hold, secrets included, and is readable by its owner only.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sandbox.world_faults import OPERATIONS, FaultBook
from sandbox.world_model import AddressRange, Entry, Fault, Key, Link, NameClaim, Resource, WorldError
from sandbox.world_store import bump

__all__ = [
    "OPERATIONS",
    "AddressRange",
    "Entry",
    "Fault",
    "Key",
    "Link",
    "NameClaim",
    "Resource",
    "World",
    "WorldError",
]

_PARTS = ("handle", "reference", "address_range")
_DELETE = {
    "resource": "delete from resource where (package,type,scope,id)=(?,?,?,?)",
    "handle": "delete from handle where (package,type,scope,id)=(?,?,?,?)",
    "reference": "delete from reference where (package,type,scope,id)=(?,?,?,?)",
    "address_range": "delete from address_range where (package,type,scope,id)=(?,?,?,?)",
}


class World(FaultBook):
    """The simulated clouds' contents. Safe to use from several threads and several processes."""

    # --- resources ---

    def save(self, entry: Entry, *, new: bool) -> Resource:
        """Write a resource. With `new`, raises WorldError when its id or its name is already taken."""
        r = entry.resource
        k = r.key
        where = (k.package, k.type, k.scope, k.id)
        with self._transaction() as db:
            revision = bump(db)
            row = db.execute("select created from resource where (package,type,scope,id)=(?,?,?,?)", where).fetchone()
            if new and row:
                raise WorldError(f"{k.id} already exists")
            if entry.name:
                _claim(db, k, entry.name)
            created = row[0] if row else time.time()
            db.execute(
                "insert or replace into resource values(?,?,?,?,?,?,?,?,?,?,?)",
                (*where, r.account, r.location, r.urn, json.dumps(r.inputs), json.dumps(r.outputs), created, revision),
            )
            if row:
                for table in _PARTS:
                    db.execute(_DELETE[table], where)
            db.executemany(
                "insert or ignore into handle values(?,?,?,?,?)",
                [(k.package, value, k.type, k.scope, k.id) for value in entry.handles],
            )
            db.executemany(
                "insert or ignore into address_range values(?,?,?,?,?,?,?)",
                [(k.package, k.type, taken.parent, taken.low, taken.high, k.scope, k.id) for taken in entry.ranges],
            )
            db.executemany(
                "insert or ignore into reference values(?,?,?,?,?,?,?,?)",
                [(*where, link.path, link.target.type, link.target.scope, link.target.id) for link in entry.links],
            )
        return r

    def get(self, key: Key) -> Resource | None:
        """The resource of this key, or None."""
        row = self._connection.execute(
            "select * from resource where (package,type,scope,id)=(?,?,?,?)", (key.package, key.type, key.scope, key.id)
        ).fetchone()
        return _resource(row) if row else None

    def remove(self, key: Key, *, keep_name: bool = False) -> None:
        """Remove a resource; `keep_name` leaves its name taken. Removing what is not there is no error."""
        where = (key.package, key.type, key.scope, key.id)
        with self._transaction() as db:
            bump(db)
            for table in ("resource", *_PARTS):
                db.execute(_DELETE[table], where)
            if keep_name:
                db.execute("update taken_name set reserved=1 where (package,type,scope,id)=(?,?,?,?)", where)
            else:
                db.execute("delete from taken_name where (package,type,scope,id)=(?,?,?,?) and reserved=0", where)

    def find(self, package: str, value: str, types: Iterable[str]) -> list[Key]:
        """Resources of these types that are known by `value`."""
        wanted = set(types)
        rows = self._connection.execute(
            "select type, scope, id from handle where package=? and value=?", (package, value)
        ).fetchall()
        return [Key(package=package, type=t, scope=s, id=i) for t, s, i in rows if t in wanted]

    def referrers(self, key: Key, type_: str | None = None) -> list[tuple[Key, str]]:
        """Who refers to a resource (of one type, if given), with the path of the property that does."""
        rows = self._connection.execute(
            "select type, scope, id, path from reference where (package,to_type,to_scope,to_id)=(?,?,?,?) "
            "and (? is null or type=?)",
            (key.package, key.type, key.scope, key.id, type_, type_),
        ).fetchall()
        return [(Key(package=key.package, type=t, scope=s, id=i), path) for t, s, i, path in rows]

    def overlapping(self, key: Key, wanted: AddressRange) -> tuple[str, AddressRange] | None:
        """Another resource of the type that has addresses of this range from the same parent, with its own range."""
        row = self._connection.execute(
            "select scope, id, low, high from address_range where package=? and type=? and parent=? "
            "and low<=? and high>=? and (scope,id)<>(?,?) limit 1",
            (key.package, key.type, wanted.parent, wanted.high, wanted.low, key.scope, key.id),
        ).fetchone()
        return (row[1], AddressRange(parent=wanted.parent, low=row[2], high=row[3])) if row else None

    def resources(self, package: str | None = None) -> list[Resource]:
        """Everything that exists, or everything of one package, oldest first."""
        sql, arguments = "select * from resource", ()
        if package is not None:
            sql, arguments = sql + " where package=?", (package,)
        return [_resource(row) for row in self._connection.execute(sql + " order by created", arguments)]

    def counts(self) -> dict[str, int]:
        """How many resources exist, by package."""
        return dict(self._connection.execute("select package, count(*) from resource group by package"))

    def revision(self) -> int:
        """A number that grows with every change."""
        return int(self._connection.execute("select value from counter where name='revision'").fetchone()[0])

    # --- types without data ---

    def note_generic(self, package: str, type_: str) -> None:
        """Remember that a type without data was used, so that a summary can name it."""
        row = (package, type_)
        if self._connection.execute("select 1 from generic_type where (package,type)=(?,?)", row).fetchone():
            return
        with self._transaction() as db:
            db.execute("insert or ignore into generic_type values(?,?)", row)

    def generic_types(self) -> list[str]:
        """Tokens of the types that were used without data of ours."""
        return [row[0] for row in self._connection.execute("select type from generic_type order by type")]

    # --- drift, for tests ---

    def drift(
        self, package: str, type_: str, id_: str, changes: Mapping[str, Any], *, remove: Sequence[str] = ()
    ) -> Resource:
        """Change a resource behind the engine's back: `changes` are merged deeply, names in `remove` disappear.

        Arguments and outputs change alike, as someone's click in a console changes both. Raises WorldError when no
        such resource exists, or more than one.
        """
        rows = self._connection.execute(
            "select * from resource where package=? and type=? and id=?", (package, type_, id_)
        ).fetchall()
        if len(rows) != 1:
            raise WorldError(f"{len(rows)} resources of type {type_} have the id {id_!r}")
        old = _resource(rows[0])
        inputs, outputs = _merge(old.inputs, changes), _merge(old.outputs, changes)
        for name in remove:
            inputs.pop(name, None)
            outputs.pop(name, None)
        k = old.key
        with self._transaction() as db:
            db.execute(
                "update resource set inputs=?, outputs=?, revision=? where (package,type,scope,id)=(?,?,?,?)",
                (json.dumps(inputs), json.dumps(outputs), bump(db), k.package, k.type, k.scope, k.id),
            )
        return replace(old, inputs=inputs, outputs=outputs)

    def vanish(self, package: str, type_: str, id_: str) -> None:
        """Delete a resource behind the engine's back, whatever refers to it. Raises WorldError when there is none."""
        rows = self._connection.execute(
            "select scope from resource where package=? and type=? and id=?", (package, type_, id_)
        ).fetchall()
        if not rows:
            raise WorldError(f"no resource of type {type_} has the id {id_!r}")
        for (scope,) in rows:
            self.remove(Key(package=package, type=type_, scope=scope, id=id_))


def _claim(db: sqlite3.Connection, key: Key, claim: NameClaim) -> None:
    """Take a name, giving back the one that the resource had before. Raises WorldError when another has it."""
    owner = db.execute(
        "select scope, id, reserved from taken_name where (package,type,space,value)=(?,?,?,?)",
        (key.package, key.type, claim.space, claim.value),
    ).fetchone()
    if owner and (owner[2] or (owner[0], owner[1]) != (key.scope, key.id)):
        raise WorldError(f"name {claim.value} is taken")
    db.execute(
        "delete from taken_name where (package,type,scope,id)=(?,?,?,?) and reserved=0",
        (key.package, key.type, key.scope, key.id),
    )
    db.execute(
        "insert into taken_name values(?,?,?,?,?,?,0)",
        (key.package, key.type, claim.space, claim.value, key.scope, key.id),
    )


def _merge(old: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(old)
    for name, value in changes.items():
        before = out.get(name)
        out[name] = _merge(before, value) if isinstance(before, dict) and isinstance(value, Mapping) else value
    return out


def _resource(row: Sequence[Any]) -> Resource:
    package, type_, scope, id_, account, location, urn, inputs, outputs, created, revision = row
    return Resource(
        key=Key(package=package, type=type_, scope=scope, id=id_),
        account=account,
        location=location,
        urn=urn,
        inputs=json.loads(inputs),
        outputs=json.loads(outputs),
        created=created,
        revision=revision,
    )
