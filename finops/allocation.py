"""Allocation: whose cost a charge is. By provider project alone, no tags; what nobody registered stays visible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from finops.figures import UNALLOCATED, Share
from finops.frozen import frozen
from finops.money import Money, total
from finops.registry import Project


@frozen
class SubAccountCost:
    """What one provider project of one connection cost; `sub_account_id` None is cost the provider names nobody for."""

    connection_id: int
    sub_account_id: str | None
    amount: Money


@frozen
class Allocation:
    """A total taken apart by owner: projects and unallocated add up to `total` exactly."""

    total: Money
    by_project: dict[int, Money]
    unallocated: tuple[SubAccountCost, ...]

    @property
    def unallocated_total(self) -> Money:
        """What no registered project answers for."""
        return total((cost.amount for cost in self.unallocated), self.total.currency)


def in_currency(costs: Iterable[SubAccountCost], currency: str) -> list[SubAccountCost]:
    """The costs billed in one currency: currencies are told side by side, never added."""
    return [cost for cost in costs if cost.amount.currency == currency]


def main_currency(amounts: Iterable[Money], default: str = "USD") -> str:
    """The currency a report speaks in: `default` where it occurs (or nothing does), else the first by name."""
    found = {amount.currency for amount in amounts if amount}
    return default if default in found or not found else min(found)


def totals_by_currency(amounts: Iterable[Money]) -> dict[str, Money]:
    """One exact total per currency, in order of name."""
    sums: dict[str, Money] = {}
    for amount in amounts:
        before = sums.get(amount.currency)
        sums[amount.currency] = amount if before is None else before + amount
    return dict(sorted(sums.items()))


def in_other_currencies(amounts: Iterable[Money], currency: str) -> tuple[Money, ...]:
    """What there is besides one currency, a sum for each: never converted, and never left out in silence."""
    sums = totals_by_currency(amounts)
    return tuple(amount for name, amount in sums.items() if name != currency and amount)


def allocate(costs: Iterable[SubAccountCost], projects: Iterable[Project], currency: str = "USD") -> Allocation:
    """Give every cost to the project registered for it, or to nobody. All costs are in `currency`."""
    owners = {(project.connection_id, project.provider_project_id): project for project in projects}
    whole = zero = Money.zero(currency)
    by_project: dict[int, Money] = {}
    unallocated: dict[tuple[int, str], Money] = {}
    for cost in costs:
        whole = whole + cost.amount
        owner = owners.get((cost.connection_id, cost.sub_account_id)) if cost.sub_account_id else None
        if owner is None:
            key = (cost.connection_id, cost.sub_account_id or "")
            unallocated[key] = unallocated.get(key, zero) + cost.amount
        else:
            by_project[owner.id] = by_project.get(owner.id, zero) + cost.amount
    return Allocation(
        whole,
        by_project,
        tuple(SubAccountCost(key[0], key[1] or None, unallocated[key]) for key in sorted(unallocated)),
    )


def project_shares(allocation: Allocation, projects: Iterable[Project], team_names: Mapping[int, str]) -> list[Share]:
    """One share per project that cost anything, and one for all that nobody owns (its name is left to the speaker)."""
    shares = [
        Share(
            name=project.name,
            key=f"project:{project.id}",
            amount=allocation.by_project[project.id],
            team_name=team_names.get(project.team_id),
            project_id=project.id,
        )
        for project in projects
        if project.id in allocation.by_project
    ]
    return [*shares, *_unallocated_share(allocation)]


def _unallocated_share(allocation: Allocation) -> list[Share]:
    amount = allocation.unallocated_total
    return [Share(name="", key=UNALLOCATED, amount=amount, is_unallocated=True)] if amount else []
