"""What the doctor looks at of seeing a runaway: usage, estimates, prices, and whether alerts arrive in time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from bot import unwatched
from bot.desk import Desk
from bot.picture import Taught
from bot.results import Finding, FindingCode, Level
from bot.spending import Spending
from finops.estimates import MOST_RATIO
from finops.lateness import p95, percentile
from finops.money import EXACT
from finops.registry import Connection, Credential, CredentialState
from storage import Store
from storage.records_live import Clocks, UsageHealth

# The two promises: detected to delivered (P99), and available to delivered (P95).
DETECTED_SECONDS, AVAILABLE_SECONDS = 60.0, 300.0
OUTBOX_WARN = timedelta(minutes=1)
OUTBOX_FAIL = timedelta(minutes=10)
# Estimates this far from the bill are worth a look at the prices; beyond what is corrected they are wrong.
DRIFT_WARN = Decimal("0.2")
_CLOCKS_OF = timedelta(days=7)
_ASKED_WHY_FOR = timedelta(days=1)


async def findings(
    desk: Desk, spending: Spending, store: Store, connections: Sequence[Connection], credentials: Sequence[Credential]
) -> list[Finding]:
    """One finding for the usage and the drift of each connection that is read, and one each for all else."""
    now = desk.now()
    keyed = {one.connection_id for one in credentials if one.state is CredentialState.ENABLED}
    read = [one for one in connections if one.id in keyed]
    if not read:
        return []
    workspace_id = read[0].workspace_id
    healths = {one.connection_id: one for one in await store.healths.all(workspace_id)}
    taught = await spending.taught(store, workspace_id)
    waiting, oldest, dead = await store.outbox.standing(workspace_id, now - _CLOCKS_OF)
    names = [one.model or one.endpoint for one in await store.unpriced.since(workspace_id, desk.today())]
    patience = desk.policy.stale_after
    return [
        *(_usage(one, healths.get(one.id), now, patience) for one in read),
        *(_drift(one, taught.get(one.id)) for one in read),
        Finding(
            FindingCode.UNPRICED, Level.WARN if names else Level.OK, {"names": tuple(dict.fromkeys(sorted(names)))}
        ),
        _unwatched(await unwatched.last(store, workspace_id), now),
        _clocks(await store.incidents.clocks(workspace_id, now - _CLOCKS_OF)),
        _outbox(waiting, timedelta() if oldest is None else max(timedelta(), now - oldest), dead),
    ]


def _usage(one: Connection, health: UsageHealth | None, now: datetime, patience: timedelta) -> Finding:
    code = None if health is None else health.failing_code
    values: dict[str, object] = {"name": one.name, "age_minutes": None, "lateness_seconds": None, "code": code}
    if health is None or health.read_at is None:
        return Finding(FindingCode.USAGE, Level.WARN, values)
    age, lateness = now - health.read_at, p95(health.lateness_samples)
    values["age_minutes"] = int(age.total_seconds() // 60)
    values["lateness_seconds"] = None if lateness is None else lateness.total_seconds()
    level = Level.FAIL if age > patience else Level.WARN if health.failing_since is not None else Level.OK
    return Finding(FindingCode.USAGE, level, values)


def _unwatched(last: tuple[datetime, datetime] | None, now: datetime) -> Finding:
    """The last stretch in which nobody looked: for a day it is worth asking why."""
    since, until = last if last is not None else (None, None)
    level = Level.WARN if until is not None and now - until < _ASKED_WHY_FOR else Level.OK
    return Finding(FindingCode.UNWATCHED, level, {"since": since, "until": until})


def _drift(one: Connection, taught: Taught | None) -> Finding:
    drift = taught.drift if taught is not None else None
    if drift is None or drift.estimated <= 0:
        return Finding(FindingCode.DRIFT, Level.OK, {"name": one.name, "ratio": None, "days": 0})
    ratio = EXACT.divide(drift.billed, drift.estimated)
    level = Level.FAIL if ratio > MOST_RATIO else Level.WARN if abs(ratio - 1) > DRIFT_WARN else Level.OK
    return Finding(FindingCode.DRIFT, level, {"name": one.name, "ratio": ratio, "days": drift.days})


def _clocks(clocks: Sequence[Clocks]) -> Finding:
    # Two machines' clocks may differ by a little: nothing is delivered before it is known.
    detected = [max(0.0, (one.delivered_at - one.detected_at).total_seconds()) for one in clocks]
    available = [max(0.0, (one.delivered_at - one.available_at).total_seconds()) for one in clocks if one.available_at]
    values: dict[str, object] = {
        "count": len(clocks),
        "detected_seconds": percentile(detected, 99),
        "available_seconds": percentile(available, 95),
    }
    is_slow = (percentile(detected, 99) or 0.0) > DETECTED_SECONDS
    is_late = (percentile(available, 95) or 0.0) > AVAILABLE_SECONDS
    return Finding(FindingCode.ALERT_CLOCKS, Level.WARN if is_slow or is_late else Level.OK, values)


def _outbox(waiting: int, oldest: timedelta, dead: int) -> Finding:
    level = Level.FAIL if oldest > OUTBOX_FAIL else Level.WARN if dead or oldest > OUTBOX_WARN else Level.OK
    return Finding(
        FindingCode.OUTBOX, level, {"waiting": waiting, "oldest_seconds": oldest.total_seconds(), "dead": dead}
    )
