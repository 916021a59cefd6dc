"""Stops and holds as rows and back: amounts in two integers and their currency, a scope without id as 0."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import RowMapping

from finops.holds import Hold, HoldState, HoldTrouble
from finops.levers import Json, Lever
from finops.money import Money, to_units
from finops.queries import ScopeKind
from finops.stops import ApprovalWay, Pending, Stop, StopEvent, StopEventKind, StopState
from storage.ledger import money
from storage.repository import NO_ID

_STOP_SAME = (
    "workspace_id",
    "incident_id",
    "channel_id",
    "reason",
    "requested_by",
    "requested_at",
    "updated_at",
    "turn",
    "approved_by",
    "approved_at",
    "allowed_until",
    "restops",
    "cause",
    "cause_by",
    "stopped_at",
    "restored_at",
    "closed_at",
)
_HOLD_SAME = (
    "workspace_id",
    "stop_id",
    "project_id",
    "connection_id",
    "provider_project_id",
    "name",
    "is_wanted",
    "requested_at",
    "updated_at",
    "next_at",
    "saved_at",
    "leak_unpriced",
    "set_at",
    "enforced_at",
    "proved_at",
    "last_request_at",
    "release_at",
    "released_at",
    "first_traffic_at",
    "checked_at",
    "trouble_since",
    "told_at",
    "attempts",
)


def stop_columns(stop: Stop) -> dict[str, Any]:
    """A stop as a row, but for its id."""
    same = {name: getattr(stop, name) for name in _STOP_SAME}
    kinds = {
        "scope_kind": stop.scope_kind.value,
        "scope_id": stop.scope_id or NO_ID,
        "lever": stop.lever.value,
        "state": stop.state.value,
    }
    return same | kinds | _amount("allowed_ceiling", stop.allowed_ceiling) | _pending_columns(stop.pending)


def stop_of(row: RowMapping) -> Stop:
    """The stop that a row tells."""
    same: dict[str, Any] = {name: row[name] for name in ("id", *_STOP_SAME)}
    return Stop(
        **same,
        scope_kind=ScopeKind(row["scope_kind"]),
        scope_id=row["scope_id"] or None,
        lever=Lever(row["lever"]),
        state=StopState(row["state"]),
        allowed_ceiling=_money(row, "allowed_ceiling"),
        pending=_pending(row),
    )


def hold_columns(hold: Hold) -> dict[str, Any]:
    """A hold as a row, but for its id and who looks after it."""
    same = {name: getattr(hold, name) for name in _HOLD_SAME}
    return (
        same
        | _amount("leak", hold.leak)
        | {
            "lever": hold.lever.value,
            "state": hold.state.value,
            "trouble": None if hold.trouble is None else hold.trouble.value,
            "former": None if hold.former is None else dict(hold.former),
            "target": None if hold.target is None else dict(hold.target),
        }
    )


def hold_of(row: RowMapping) -> Hold:
    """The hold that a row tells."""
    same: dict[str, Any] = {name: row[name] for name in ("id", *_HOLD_SAME)}
    return Hold(
        **same,
        lever=Lever(row["lever"]),
        state=HoldState(row["state"]),
        leak=_money(row, "leak"),
        trouble=None if row["trouble"] is None else HoldTrouble(row["trouble"]),
        former=_parts(row["former"]),
        target=_parts(row["target"]),
    )


def event_of(row: RowMapping) -> StopEvent:
    """The event that a row tells."""
    return StopEvent(
        kind=StopEventKind(row["kind"]),
        at=row["at"],
        key=row["key"],
        values=MappingProxyType(row["values"]),
        is_loud=row["is_loud"],
        is_said=row["is_said"],
    )


def unmoved(row: RowMapping, columns: Mapping[str, Any]) -> bool:
    """Whether a row stands exactly as these columns say."""
    return all(row[name] == value for name, value in columns.items())


def _parts(value: dict[str, Json] | None) -> Mapping[str, Json] | None:
    return None if value is None else MappingProxyType(value)


def _amount(name: str, amount: Money | None) -> dict[str, int | str | None]:
    nano, rest = (None, None) if amount is None else to_units(amount.amount)
    currency = None if amount is None else amount.currency
    return {f"{name}_nano": nano, f"{name}_rest": rest, f"{name}_currency": currency}


def _money(row: RowMapping, name: str) -> Money | None:
    if row[f"{name}_nano"] is None:
        return None
    return money(row[f"{name}_nano"], row[f"{name}_rest"], row[f"{name}_currency"])


def _pending_columns(pending: Pending | None) -> dict[str, Any]:
    if pending is None:
        names = ("pending_by", "pending_at", "pending_way", "pending_until", "pending_restops")
        return dict.fromkeys(names) | _amount("pending_amount", None)
    return {
        "pending_by": pending.by,
        "pending_at": pending.at,
        "pending_way": pending.way.value,
        "pending_until": pending.until,
        "pending_restops": pending.restops,
        **_amount("pending_amount", pending.amount),
    }


def _pending(row: RowMapping) -> Pending | None:
    if row["pending_by"] is None:
        return None
    return Pending(
        by=row["pending_by"],
        at=row["pending_at"],
        way=ApprovalWay(row["pending_way"]),
        until=row["pending_until"],
        amount=_money(row, "pending_amount"),
        restops=row["pending_restops"],
    )
