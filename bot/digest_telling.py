"""Digest telling: a week or a day put in the outbox, in the transaction that takes it, so that it is told once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from bot.digest_channels import DueDay, DueWeek
from bot.digest_codec import decoded, encoded
from bot.pulse import ask_pulse
from bot.telling import ROUTINE, recipients
from finops.digest import Digest, DigestChannel, DigestShown
from finops.digest_thread import thread_keys
from finops.periods import Period, starts_at
from finops.queries import ScopeKind
from finops.registry import CredentialState, Person, Team
from storage import Store

# What the outbox holds: a root and the lines of its thread, the daily card. Their subjects hold the digest's id (for
# the card: scope and day), the version, the language ('' is the reader's), and for a line its key.
DIGEST, DIGEST_LINE, DAILY = "digest", "digest_line", "daily"
_ADMINS = "admins"


def root_key(row: DigestChannel, monday: date, channel_id: str | None) -> str:
    """The name of a digest's root message in the outbox: one for each week, scope and place."""
    return f"digest:{monday.isoformat()}:{row.scope}:{row.scope_id or 0}:{channel_id or _ADMINS}"


async def tell_week(
    store: Store, due: DueWeek, digest: Digest, teams: Mapping[int, Team], admins: Sequence[Person], at: datetime
) -> bool:
    """Keep the week and have it told, in one transaction: whoever takes it tells it, and nobody else."""
    row, scope = due.channel, digest.scope
    digest_id = await store.digests.keep(
        row.workspace_id, scope.kind, scope.id, due.week.start, encoded(digest), digest.computed_at
    )
    if not await store.digest_channels.take_week(row.workspace_id, row.id, due.week.start):
        return False
    kept = await store.digests.get(row.workspace_id, digest_id)
    assert kept is not None
    shown = DigestShown(decoded(kept.facts), row.version)  # another may have kept it a moment before us
    channel_id, people = _place(row, teams, admins)
    key = root_key(row, due.week.start, channel_id)
    if await store.outbox.get(row.workspace_id, key) is not None:
        return False  # the same channel by another way: the team's usual one, and named
    subject: dict[str, Any] = {"digest_id": digest_id, "version": row.version.value, "locale": row.locale}
    if row.scope is ScopeKind.TEAM:
        subject["team_id"] = row.scope_id
    await store.outbox.want(row.workspace_id, key, DIGEST, subject, channel_id, people, urgency=ROUTINE, at=at)
    for name in thread_keys(shown):
        await store.outbox.want(
            row.workspace_id,
            f"{key}:{name}",
            DIGEST_LINE,
            subject | {"key": name},
            channel_id,
            people,
            thread_key=key,
            urgency=ROUTINE,
            at=at,
        )
    locale = row.locale or _language(row, teams, channel_id)
    await ask_pulse(store, row.workspace_id, due.week.start, channel_id, key, locale, people, at)
    return True


async def tell_day(
    store: Store, due: DueDay, teams: Mapping[int, Team], admins: Sequence[Person], at: datetime
) -> bool:
    row = due.channel
    if row.scope is ScopeKind.TEAM and row.scope_id not in teams:
        return False
    if not await store.digest_channels.take_day(row.workspace_id, row.id, due.day):
        return False
    channel_id, people = _place(row, teams, admins)
    key = f"daily:{due.day.isoformat()}:{row.scope}:{row.scope_id or 0}:{channel_id or _ADMINS}"
    subject: dict[str, Any] = {
        "scope_kind": row.scope.value,
        "scope_id": row.scope_id,
        "day": due.day.isoformat(),
        "locale": row.locale,
    }
    await store.outbox.want(row.workspace_id, key, DAILY, subject, channel_id, people, urgency=ROUTINE, at=at)
    return True


def _place(
    row: DigestChannel, teams: Mapping[int, Team], admins: Sequence[Person]
) -> tuple[str | None, tuple[str, ...]]:
    """Where it is told, and who is told directly where that is closed: the lead and the administrators."""
    team = teams.get(row.scope_id or 0) if row.scope is ScopeKind.TEAM else None
    channel_id = row.channel_id or (team.channel_id if team is not None else "")
    return channel_id or None, recipients(None, team, admins)


def _language(row: DigestChannel, teams: Mapping[int, Team], channel_id: str | None) -> str:
    """The language of a team's digest in a channel no team has; '' where the channel's own holds."""
    team = teams.get(row.scope_id or 0) if row.scope is ScopeKind.TEAM else None
    if team is None or any(one.channel_id == channel_id for one in teams.values()):
        return ""
    return team.locale


async def is_read(store: Store, workspace_id: str, last: date) -> bool:
    """Whether every connection that can be read was read since that day ended."""
    ended = last + timedelta(days=1)
    usable = {
        one.connection_id for one in await store.credentials.all(workspace_id) if one.state is CredentialState.ENABLED
    }
    readings = await store.charges.readings(workspace_id, Period(last, ended))
    for one in await store.connections.all(workspace_id):
        reading = readings.get(one.id, {}).get(last)
        if one.id in usable and not one.costs_blind and (reading is None or reading.read_at < starts_at(ended)):
            return False
    return True
