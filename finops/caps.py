"""Caps: what one call and one user's day may cost, by segment. Observed and told, never enforced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from finops.money import Money

DEFAULT_SEGMENT = ""


@dataclass(frozen=True, slots=True)
class Cap:
    """What one call, and one user in one charge day, may cost in a segment ('' is every segment without its own)."""

    segment: str
    per_call: Money
    per_user_day: Money


# requirements 6.10: 0.05 a query and 5 a user's day; research spends more, sales less.
SEED_CAPS: Mapping[str, Cap] = MappingProxyType(
    {
        segment: Cap(segment, Money(Decimal(per_call)), Money(Decimal(per_user_day)))
        for segment, per_call, per_user_day in (
            (DEFAULT_SEGMENT, "0.05", "5"),
            ("rnd_engineer", "0.20", "50"),
            ("sales", "0.02", "1"),
        )
    }
)


@dataclass(frozen=True, slots=True)
class CapSeen:
    """How often a segment's caps were passed in a project and period, and the worst of it.

    `dearest_call` and `dearest_user_day` are the largest amounts seen; None where none was above its cap.
    """

    project_id: int
    cap: Cap
    users: int  # different people with a dearest call or a day above the cap
    user_days_over: int
    days_with_dear_calls: int
    dearest_call: Money | None
    dearest_user_day: Money | None
