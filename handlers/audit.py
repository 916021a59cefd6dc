"""The audit trail: seen by admins in a window, and taken along as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from blocks import audit, ids, kit
from blocks.audit import AuditAsked
from finops.audit import AuditFilter, AuditKind, filter_of
from finops.audit_files import encoded
from handlers.filing import sent
from handlers.teams import number
from handlers.visit import Visit


async def show(visit: Visit, words: str = "") -> None:
    """`/finops audit`, and the way to it from a direct message: the newest acts, of everybody, about everything."""
    del words
    await visit.in_place()
    await _page(visit, AuditAsked())


async def filtered(visit: Visit, value: str) -> None:
    """Another kind, person or period was chosen: from the newest on."""
    del value
    await visit.in_place()
    await _page(visit, replace(_asked(visit.view or {}), trail=()))


async def everybody(visit: Visit) -> None:
    """No longer one person alone."""
    await visit.in_place()
    asked = _asked(visit.view or {})
    await _page(visit, replace(asked, person="", trail=(), turn=asked.turn + 1))


async def older(visit: Visit, value: str) -> None:
    """The next page; the value names the row it begins before."""
    await visit.in_place()
    asked = _asked(visit.view or {})
    await _page(visit, replace(asked, trail=(*asked.trail, max(1, number(value)))))


async def newer(visit: Visit) -> None:
    """The page before."""
    await visit.in_place()
    asked = _asked(visit.view or {})
    await _page(visit, replace(asked, trail=asked.trail[:-1]))


async def export(visit: Visit, form: str) -> None:
    """Every row of this choice as a file, sent where only this person sees it; `form` as in finops.audit_files."""
    await visit.in_place()
    asked, person, t = _asked(visit.view or {}), await visit.person(), await visit.words()
    rows = await visit.bot.audit.export(person, _filter(visit, asked), form)
    if not rows:
        await _page(visit, asked, audit.nothing_to_send(t))
        return
    verdict = await visit.bot.audit.verify(visit.workspace_id)
    name, content = f"finops-audit-{visit.bot.clock():%Y-%m-%d}.{form}", encoded(rows, visit.workspace_id, form)
    is_sent = await sent(visit, name, content, audit.file_words(len(rows), verdict, t))
    await _page(visit, asked, audit.file_sent(len(rows), t) if is_sent else audit.file_not_allowed(t))


async def _page(visit: Visit, asked: AuditAsked, notice: kit.Block | None = None) -> None:
    person = await visit.person(asks_setup=True)
    before = asked.trail[-1] if asked.trail else None
    page = await visit.bot.audit.page(person, _filter(visit, asked), before)
    await visit.show(audit.listed(page, asked, await visit.words(), notice))


def _filter(visit: Visit, asked: AuditAsked) -> AuditFilter:
    since = None if asked.days is None else visit.bot.clock() - timedelta(days=asked.days)
    return filter_of(asked.kind, asked.person or None, since)


def _asked(view: Mapping[str, Any]) -> AuditAsked:
    """What stands in the window: as chosen there, else as it was drawn. Anything else counts as not chosen."""
    known = kit.metadata(view)
    turn = known.get("turn") if type(known.get("turn")) is int else 0
    assert isinstance(turn, int)
    held = view.get("state", {}).get("values", {}).get(audit.filters_block(turn), {})
    kind = _chosen(held, ids.AUDIT_KIND) or known.get("kind")
    days = _chosen(held, ids.AUDIT_PERIOD) or known.get("days") or audit.ALL_TIME
    person = (held.get(ids.AUDIT_PERSON) or {}).get("selected_user") or known.get("person") or ""
    trail = known.get("trail")
    return AuditAsked(
        kind=AuditKind(kind) if kind in set(AuditKind) else AuditKind.ALL,
        person=str(person) if str(person).isalnum() else "",
        days=int(str(days)) if str(days) in map(str, audit.PERIODS) else None,
        trail=tuple(seq for seq in trail if type(seq) is int) if isinstance(trail, list) else (),
        turn=turn,
    )


def _chosen(held: Mapping[str, Any], name: str) -> str:
    return str(((held.get(name) or {}).get("selected_option") or {}).get("value") or "")
