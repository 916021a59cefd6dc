"""Caps: what one call and one user's day may cost, by segment. Observed and told, never enforced."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from finops.amounts import as_typed
from finops.frozen import frozen
from finops.money import Money

DEFAULT_SEGMENT = ""


@frozen
class Cap:
    """What one call, and one user in one charge day, may cost in a segment ('' is every segment without its own)."""

    segment: str
    per_call: Money
    per_user_day: Money


# Until an admin says otherwise: research spends more than others, sales less.
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


@frozen
class UserDay:
    """What one user's calls of one charge day cost, as estimated, and the dearest of them."""

    project_id: int
    day: date
    user_key: str
    segment: str
    cost: Money
    dearest_call: Money


@frozen
class CapSeen:
    """How often the caps of a segment were passed in a project and period, and the worst of it.

    `users` are different people. `dearest_call` and `dearest_user_day` are the largest above their caps, None without.
    """

    project_id: int
    segment: str
    cap: Cap
    users: int
    dearest_call: Money | None
    dearest_user_day: Money | None


class CapsUnreadable(ValueError):
    """What was typed is no list of caps; `line` (from 1) is the first that cannot be read."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line} is no cap")
        self.line = line


_LINE = re.compile(
    r"(?P<segment>\*|[^\s:*][^:*]{0,63}?)\s*:\s*\$?(?P<call>\d{1,9}(?:\.\d{1,9})?)\s*/\s*\$?(?P<day>\d{1,9}(?:\.\d{1,9})?)"
)
_EVERYBODY = "*"
MOST_CAPS = 50


def written(caps: Iterable[Cap]) -> str:
    """Caps as a person reads and changes them: `segment: a call / a user's day`, one a line, `*` for all others."""
    return "\n".join(
        f"{cap.segment or _EVERYBODY}: {as_typed(cap.per_call)} / {as_typed(cap.per_user_day)}" for cap in caps
    )


def read_caps(text: str) -> list[Cap]:
    """The caps that `written` wrote or a person typed, in dollars. Raises CapsUnreadable.

    Both amounts are above zero, and no segment stands there twice.
    """
    found: dict[str, Cap] = {}
    for number, line in enumerate(unicodedata.normalize("NFKC", text).splitlines(), start=1):
        if not line.strip():
            continue
        read = _LINE.fullmatch(line.strip())
        if read is None or number > MOST_CAPS:
            raise CapsUnreadable(number)
        segment = "" if read["segment"] == _EVERYBODY else read["segment"]
        cap = Cap(segment, Money(Decimal(read["call"])), Money(Decimal(read["day"])))
        if segment in found or not cap.per_call or not cap.per_user_day:
            raise CapsUnreadable(number)
        found[segment] = cap
    return list(found.values())


def cap_of(segment: str, caps: Mapping[str, Cap]) -> Cap:
    """What holds for a segment: its own cap, else the default one."""
    return caps.get(segment) or caps.get(DEFAULT_SEGMENT) or SEED_CAPS[DEFAULT_SEGMENT]


def seen(days: Iterable[UserDay], caps: Mapping[str, Cap] = SEED_CAPS) -> list[CapSeen]:
    """Where caps were passed: one entry for each project and segment, the worst first.

    Reaching a cap is within it. Amounts of another currency than the cap's are compared with nothing.
    """
    over: dict[tuple[int, str], list[UserDay]] = {}
    for day in days:
        cap = cap_of(day.segment, caps)
        if _passes(day.cost, cap.per_user_day) or _passes(day.dearest_call, cap.per_call):
            over.setdefault((day.project_id, day.segment), []).append(day)
    found = [_seen(project_id, segment, rows, cap_of(segment, caps)) for (project_id, segment), rows in over.items()]
    return sorted(found, key=_worst)


def _seen(project_id: int, segment: str, rows: list[UserDay], cap: Cap) -> CapSeen:
    days = [row.cost for row in rows if _passes(row.cost, cap.per_user_day)]
    calls = [row.dearest_call for row in rows if _passes(row.dearest_call, cap.per_call)]
    return CapSeen(
        project_id=project_id,
        segment=segment,
        cap=cap,
        users=len({row.user_key for row in rows}),
        dearest_call=max(calls, key=_amount, default=None),
        dearest_user_day=max(days, key=_amount, default=None),
    )


def _passes(amount: Money, cap: Money) -> bool:
    return amount.currency == cap.currency and cap < amount


def _amount(money: Money) -> Decimal:
    return money.amount


def _worst(one: CapSeen) -> tuple[Decimal, Decimal, int, str]:
    day = one.dearest_user_day.amount if one.dearest_user_day is not None else Decimal(0)
    call = one.dearest_call.amount if one.dearest_call is not None else Decimal(0)
    return (-day, -call, one.project_id, one.segment)
