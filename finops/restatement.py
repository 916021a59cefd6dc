"""Restatements: what a provider says today about a day it had told differently before."""

from __future__ import annotations

from collections.abc import Mapping

from finops.frozen import frozen
from finops.money import Money


@frozen
class Restatement:
    """One project's cost of a day that was read before and has moved. Of a read day, no line means zero."""

    sub_account_id: str | None
    old: Money
    new: Money

    @property
    def difference(self) -> Money:
        """By how much the bill moved; negative when the provider took something back."""
        return self.new - self.old


def changes(old: Mapping[tuple[str, str], Money], new: Mapping[tuple[str, str], Money]) -> list[Restatement]:
    """What moved between two readings of one day, in order of project.

    Keys are (sub-account id, '' for none; currency). Adding every difference to the old total gives the new total.
    Only for days read before: a first reading restates nothing.
    """
    moved = []
    for key in sorted({*old, *new}):
        sub_account_id, currency = key
        was, now = old.get(key, Money.zero(currency)), new.get(key, Money.zero(currency))
        if was.amount != now.amount:
            moved.append(Restatement(sub_account_id or None, was, now))
    return moved
