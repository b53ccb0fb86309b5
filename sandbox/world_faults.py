"""Faults that tests put into the world, for calls to come."""

from __future__ import annotations

import re

from sandbox.world_model import Fault, WorldError
from sandbox.world_store import Store

OPERATIONS = ("check", "diff", "create", "read", "update", "delete", "invoke", "configure")
"""Calls that a fault can be injected into; "*" means any of them."""


class FaultBook(Store):
    """Faults, kept in the world's file so that another process can inject them."""

    def inject_fault(
        self,
        op: str,
        urn_pattern: str,
        message: str,
        times: int = 1,
        *,
        after: bool = False,
        hang_seconds: float = 0.0,
        kill: bool = False,
    ) -> int:
        """Make the next `times` calls of `op` on matching resources fail with `message`.

        `urn_pattern` is a regular expression searched in the URN (in the function's token for "invoke"). With `after`
        the call fails after it has worked; `hang_seconds` delays it first; `kill` kills the engine that called
        (SIGKILL) instead of answering. An empty message with `hang_seconds` only delays. Returns the fault's number.
        """
        if op != "*" and op not in OPERATIONS:
            raise WorldError(f"no operation {op!r}; known: {', '.join(OPERATIONS)}, *")
        re.compile(urn_pattern)
        with self._transaction() as db:
            row = (op, urn_pattern, message, times, int(after), hang_seconds, int(kill))
            cursor = db.execute(
                "insert into fault(op,urn_pattern,message,times,after,hang_seconds,kill) values(?,?,?,?,?,?,?)", row
            )
            return int(cursor.lastrowid or 0)

    def faults(self) -> list[Fault]:
        """Faults that are still to strike."""
        rows = self._connection.execute("select * from fault where times > 0 order by number").fetchall()
        return [
            Fault(number=n, op=op, urn_pattern=u, message=m, times=t, after=bool(a), hang_seconds=h, kill=bool(k))
            for n, op, u, m, t, a, h, k in rows
        ]

    def clear_faults(self) -> None:
        """Forget all faults."""
        with self._transaction() as db:
            db.execute("delete from fault")

    def take_fault(self, op: str, urn: str) -> Fault | None:
        """The fault that strikes this call, if any; it counts as used."""
        for fault in self.faults():
            if fault.op in (op, "*") and re.search(fault.urn_pattern, urn):
                with self._transaction() as db:
                    done = db.execute("update fault set times=times-1 where number=? and times>0", (fault.number,))
                    if done.rowcount:
                        return fault
        return None
