"""The audit trail: every act written down in the transaction that does it, every refusal for lack of rights as well."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.desk import Desk
from finops.audit import AuditEntry, AuditFilter, AuditPage, AuditRow, AuditVerdict, Outcome, Verifying
from finops.frozen import frozen
from finops.incidents import Fact
from finops.keys import redacted
from finops.registry import Person
from storage import Store

if TYPE_CHECKING:
    from bot.people import People  # who records appointments here

log = logging.getLogger(__name__)

PAGE = 10
_LONGEST_FACT = 500
# As long as a look at a whole chain is believed by the window; the command of the operator looks each time.
_CHECKED_FOR = timedelta(minutes=1)
_BREATH = 200
_MAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+\.[^\s@<>\"']+")


@frozen
class Act:
    """Something that was done, to be recorded with others (`record_all`)."""

    action: str
    subject: str
    details: Mapping[str, Fact]


async def record(
    desk: Desk,
    store: Store,
    workspace_id: str,
    actor: str | None,
    action: str,
    subject: str = "",
    details: Mapping[str, Fact] | None = None,
    outcome: str = Outcome.DONE,
) -> AuditRow:
    """Write an act down, within the transaction that does it: kept together or not at all.

    Call it last in the transaction: from then on the workspace's other acts wait for its end. Secrets and e-mail
    addresses that somebody typed into a fact are left out of it.
    """
    who = None if actor is None else _told(actor)
    entry = AuditEntry(desk.now(), who, action, subject, outcome, _discreet(details or {}))
    return await store.audit.append(workspace_id, entry)


async def record_all(desk: Desk, store: Store, workspace_id: str, actor: str | None, acts: Iterable[Act]) -> None:
    """`record` for all acts of one transaction at once, in their order."""
    now, who = desk.now(), None if actor is None else _told(actor)
    entries = [AuditEntry(now, who, one.action, one.subject, details=_discreet(one.details)) for one in acts]
    await store.audit.extend(workspace_id, entries)


class Audit:
    """Writes acts and refusals down, and shows them to admins."""

    def __init__(self, desk: Desk, people: People) -> None:
        self._desk = desk
        self._people = people
        self._checked: dict[str, tuple[AuditVerdict, datetime]] = {}

    async def refused(
        self,
        workspace_id: str,
        actor: str | None,
        action: str,
        code: str,
        subject: str = "",
        details: Mapping[str, Fact] | None = None,
    ) -> None:
        """Write down, in a transaction of its own, that somebody wanted what they may not.

        `action` is the button's or command's id, `code` why it was refused.
        """
        async with self._desk.storage.writing() as store:
            facts = {**(details or {}), "code": code}
            await record(self._desk, store, workspace_id, actor, action, subject, facts, Outcome.REFUSED)
        log.info("refused", extra={"workspace_id": workspace_id, "user_id": actor, "action": action, "code": code})

    async def page(self, actor: Person, wanted: AuditFilter, before_seq: int | None = None) -> AuditPage:
        """The newest ten rows before one, as the filter wants them. For admins."""
        await self._people.require_admin(actor)
        workspace_id = actor.workspace_id
        async with self._desk.storage.reading() as store:
            rows = await store.audit.page(workspace_id, wanted, before_seq, PAGE + 1)
        verdict, at = await self._recently_verified(workspace_id)
        return AuditPage(tuple(rows[:PAGE]), len(rows) > PAGE, verdict, at)

    async def export(self, actor: Person, wanted: AuditFilter, form: str) -> tuple[AuditRow, ...]:
        """Every row the filter wants, oldest first; that somebody took them is written down. For admins."""
        await self._people.require_admin(actor)
        async with self._desk.storage.reading() as store:
            found = tuple([row async for row in store.audit.all(actor.workspace_id, wanted)])
        if not found:
            return found
        async with self._desk.storage.writing() as store:
            told: dict[str, Fact] = {"form": form, "rows": len(found)}
            await record(self._desk, store, actor.workspace_id, actor.user_id, "audit.exported", "audit", told)
        return found

    async def everything(self, workspace_id: str) -> AsyncGenerator[AuditRow, None]:
        """Every row, oldest first, for the operator at the machine."""
        async with self._desk.storage.reading() as store:
            async for row in store.audit.all(workspace_id):
                yield row

    async def verify(self, workspace_id: str) -> AuditVerdict:
        """Whether the whole chain of a workspace is as it was written. Looks at every row."""
        verifying = Verifying(workspace_id)
        async with self._desk.storage.reading() as store:
            count = 0
            async for row in store.audit.all(workspace_id):
                verifying.look(row)
                count += 1
                if count % _BREATH == 0:
                    await asyncio.sleep(0)  # a long trail keeps nobody's click waiting
            head = await store.audit.head(workspace_id)
        verdict = verifying.verdict(head)
        if not verdict.ok:
            told = {"workspace_id": workspace_id, "problem": verdict.problem, "seq": verdict.first_bad_seq}
            log.error("the audit trail is broken", extra=told)
        return verdict

    async def _recently_verified(self, workspace_id: str) -> tuple[AuditVerdict, datetime]:
        now, known = self._desk.now(), self._checked.get(workspace_id)
        if known is None or now - known[1] > _CHECKED_FOR:
            known = await self.verify(workspace_id), now
            self._checked[workspace_id] = known
        return known


def _discreet(details: Mapping[str, Fact]) -> dict[str, Fact]:
    return {name: _told(value) if isinstance(value, str) else value for name, value in details.items()}


def _told(words: str) -> str:
    """Words a person may have typed: no secret, no address, nothing a database cannot keep, and not without end."""
    plain = _MAIL.sub("…@…", redacted(str(words).replace("\0", "")))
    return plain if len(plain) <= _LONGEST_FACT else plain[: _LONGEST_FACT - 1] + "…"
