"""The world's SQLite file: its tables, and connections to it from any thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
create table if not exists resource(
  package text not null, type text not null, scope text not null, id text not null,
  account text not null, location text not null, urn text not null,
  inputs text not null, outputs text not null, created real not null, revision integer not null,
  primary key(package, type, scope, id)) without rowid;
create table if not exists handle(
  package text not null, value text not null, type text not null, scope text not null, id text not null,
  primary key(package, value, type, scope, id)) without rowid;
create index if not exists handle_owner on handle(package, type, scope, id);
create table if not exists reference(
  package text not null, type text not null, scope text not null, id text not null, path text not null,
  to_type text not null, to_scope text not null, to_id text not null,
  primary key(package, type, scope, id, path, to_type, to_scope, to_id)) without rowid;
create index if not exists reference_target on reference(package, to_type, to_scope, to_id, type);
create table if not exists address_range(
  package text not null, type text not null, parent text not null, low integer not null, high integer not null,
  scope text not null, id text not null,
  primary key(package, type, parent, low, scope, id)) without rowid;
create index if not exists address_range_owner on address_range(package, type, scope, id);
create table if not exists taken_name(
  package text not null, type text not null, space text not null, value text not null,
  scope text not null, id text not null, reserved integer not null default 0,
  primary key(package, type, space, value)) without rowid;
create table if not exists fault(
  number integer primary key autoincrement, op text not null, urn_pattern text not null, message text not null,
  times integer not null, after integer not null, hang_seconds real not null, kill integer not null);
create table if not exists generic_type(
  package text not null, type text not null, primary key(package, type)) without rowid;
create table if not exists counter(name text primary key, value integer not null) without rowid;
insert or ignore into counter values('revision', 0);
"""


class Store:
    """Opens the file with one connection a thread; writers wait for each other, in this process and in others."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch(mode=0o600)
        self.path.chmod(0o600)
        self._local = threading.local()
        self._write = threading.RLock()
        self._all: list[sqlite3.Connection] = []
        with self._write:
            self._connection.executescript(SCHEMA)

    @property
    def _connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
            connection.execute("pragma journal_mode=wal")
            # A machine that crashes may lose its last second; a process that is killed loses nothing.
            connection.execute("pragma synchronous=off")
            self._local.connection = connection
            with self._write:
                self._all.append(connection)
        return connection

    def close(self) -> None:
        """Close every thread's connection."""
        with self._write:
            while self._all:
                self._all.pop().close()
            self._local = threading.local()

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with self._write:
            connection = self._connection
            connection.execute("begin immediate")
            try:
                yield connection
            except BaseException:
                connection.execute("rollback")
                raise
            connection.execute("commit")


def bump(db: sqlite3.Connection) -> int:
    """Count a change; the new revision."""
    db.execute("update counter set value=value+1 where name='revision'")
    return int(db.execute("select value from counter where name='revision'").fetchone()[0])
