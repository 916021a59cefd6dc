"""Approvals: on which terms somebody lets spending go on, and whether one person's word is enough."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from bot.acts import budget_facts, changes_of, scope_name
from bot.audit import Act
from bot.errors import Refusal, RefusalCode
from bot.stop_scopes import Aim, is_closed, refuse_held
from finops.amounts import AmountUnusable, amount_typed
from finops.budgets import Budget, BudgetScope, changed_at
from finops.levers import Lever
from finops.money import Money
from finops.periods import charge_day, starts_at
from finops.queries import ScopeKind
from finops.registry import Person
from finops.stop_report import ApprovalWish
from finops.stop_second import declined, has_lapsed, raised, second_asked, second_of
from finops.stopping import Allowance, Ask, StopMistake, StopRefused, approved, asked, period_over
from finops.stops import OVER, UNDER_WAY, ApprovalWay, Pending, Stop, StopChange, StopState
from storage import Store

Decided = tuple[StopChange, Stop | None]


class Approvals:
    """Turns what a person chose and typed into terms, and terms into a change, or into a question to a second one."""

    async def approved(
        self, store: Store, actor: Person, aim: Aim, wish: ApprovalWish, now: datetime, acts: list[Act]
    ) -> Decided | None:
        """The change an approval makes; None where only the budget was changed. What is to be written down when all is
        kept is added to `acts`.
        """
        if is_closed(aim):
            raise Refusal(RefusalCode.INCIDENT_CLOSED)
        stop = aim.stop if aim.stop is not None and aim.stop.state not in OVER else None
        if wish.known is not None:
            _refuse_unseen(aim, stop, wish.known)
        if wish.way is ApprovalWay.RESTORE and (stop is None or stop.state not in UNDER_WAY):
            await refuse_held(store, aim)
            state = stop.state.value if stop else None
            raise Refusal(RefusalCode.STOP_NOT_HELD, state=state)
        pending = self._pending(actor, aim, wish, now)
        if aim.needs_two:
            if wish.way is not ApprovalWay.BUDGET:
                await refuse_held(store, aim)
            if stop is None:
                new = asked(self._ask(aim, actor), now)
                return second_asked(new, pending), None
            first = stop.pending
            if first is not None and first.by != actor.user_id and not first.is_past(now):
                # Two who press the same button agree; the second one's terms count for nothing.
                return await self._carried_out(store, actor, aim, stop, first, now, acts)
            return second_asked(stop, pending), stop
        return await self._carried_out(store, actor, aim, stop, pending, now, acts)

    async def agreed(self, store: Store, actor: Person, aim: Aim, now: datetime, acts: list[Act]) -> Decided | None:
        """The second person's word. Refused: nobody asks (any more, for its time is over), or it is the same person."""
        assert aim.stop is not None, "the target is a stop"
        if has_lapsed(aim.stop, now):
            raise Refusal(RefusalCode.APPROVAL_GONE)
        try:
            pending = second_of(aim.stop, actor.user_id)
        except StopRefused as refused:
            if refused.code is StopMistake.NOBODY_ASKS:
                raise Refusal(RefusalCode.APPROVAL_GONE) from refused
            admins = await store.people.admins(actor.workspace_id)
            others = tuple(one.user_id for one in admins if one.user_id != actor.user_id)
            raise Refusal(RefusalCode.APPROVAL_SAME_PERSON, admins=others) from refused
        return await self._carried_out(store, actor, aim, aim.stop, pending, now, acts)

    def declined(self, actor: Person, aim: Aim, now: datetime) -> Decided:
        """Nobody lets anything go on."""
        assert aim.stop is not None, "the target is a stop"
        try:
            return declined(aim.stop, actor.user_id, now), aim.stop
        except StopRefused as refused:
            raise Refusal(RefusalCode.APPROVAL_GONE) from refused

    def _pending(self, actor: Person, aim: Aim, wish: ApprovalWish, now: datetime) -> Pending:
        """The terms a person chose. Refused, field by field, where they make none."""
        # Of an alert that outlived its period only the terms given now count.
        incident = None if aim.incident is None or aim.incident.is_over(now) else aim.incident
        end = starts_at(incident.window.end) if incident is not None else None
        restops = wish.restops
        match wish.way:
            case ApprovalWay.RESTORE:
                return Pending(actor.user_id, now, wish.way)
            case ApprovalWay.END_OF_DAY:
                day_end = starts_at(charge_day(now) + timedelta(days=1))
                last = day_end if end is None else min(day_end, end)
                # Where nothing was stopped, nothing is at the end of the period: the next one has a limit of its own.
                was_stopped = aim.stop is not None and aim.stop.turn > 0 and aim.stop.state not in OVER
                return Pending(actor.user_id, now, wish.way, last, None, restops and (was_stopped or last != end))
            case ApprovalWay.BUDGET:
                if aim.budget is None:
                    raise Refusal(RefusalCode.UNKNOWN_BUDGET)
                amount = _amount(wish.amount)
                if incident is not None and amount.currency == incident.spent.currency and amount <= incident.spent:
                    raise Refusal(RefusalCode.APPROVAL_AMOUNT, mistake="below")
                return Pending(actor.user_id, now, wish.way, None, amount)
        until = wish.until
        if until is None or until <= now or (end is not None and end < until):
            raise Refusal(RefusalCode.APPROVAL_UNTIL, end=end)
        more = _amount(wish.amount) if aim.incident is not None or wish.amount.strip() else None
        ceiling = more if more is None or incident is None else incident.spent + more
        return Pending(actor.user_id, now, wish.way, until, ceiling, restops)

    async def _carried_out(
        self,
        store: Store,
        actor: Person,
        aim: Aim,
        stop: Stop | None,
        pending: Pending,
        now: datetime,
        acts: list[Act],
    ) -> Decided | None:
        terms = Allowance(pending.way, pending.until, pending.amount, pending.restops)
        asked_by = pending.by if pending.by != actor.user_id else None
        if pending.way is ApprovalWay.BUDGET:
            assert aim.budget is not None
            assert pending.amount is not None
            acts.append(await self._raise_limit(store, actor, aim, aim.budget, pending.amount, now))
            terms = Allowance(ApprovalWay.BUDGET)
            if stop is not None and asked_by is not None and stop.state not in UNDER_WAY:
                return raised(stop, actor.user_id, terms, now), stop
            if stop is None or stop.state is StopState.RESTORED:
                return None
            if stop.state in (StopState.ALLOWED, StopState.ASKED):
                return period_over(stop, now), stop  # the new limit takes the place of what was allowed, or asked for
        before = stop
        # Another alert may hold what this one is about: "allowed" would be said of a project that is stopped.
        await refuse_held(store, aim)
        if stop is None:
            stop = asked(self._ask(aim, actor), now)
        holds = await store.stops.holds(actor.workspace_id, stop.id) if stop.id is not None else []
        try:
            return approved(stop, holds, actor.user_id, terms, now, asked_by), before
        except StopRefused as refused:
            raise Refusal(RefusalCode.STOP_NOT_HELD, state=refused.stop.state.value) from refused

    async def _raise_limit(
        self, store: Store, actor: Person, aim: Aim, budget: Budget, amount: Money, now: datetime
    ) -> Act:
        """The new limit; of a default for every project, one for this project alone."""
        workspace_id, at = actor.workspace_id, changed_at(budget, now)
        if await store.budgets.get(workspace_id, budget.id) is None:
            raise Refusal(RefusalCode.UNKNOWN_BUDGET)
        if budget.scope_kind is BudgetScope.EVERY_PROJECT and aim.scope.kind is ScopeKind.PROJECT:
            own = replace(budget.terms, scope_kind=BudgetScope.PROJECT, scope_id=aim.scope.id, amount=amount)
            made = await store.budgets.create(workspace_id, own, by=actor.user_id, at=now)
            facts = budget_facts(own, aim.scope.name)
            return Act("budget.created", f"budget:{made.id}", facts)
        terms = replace(budget.terms, amount=amount)
        await store.budgets.update(workspace_id, budget.id, terms=terms, by=actor.user_id, at=at)
        name = await scope_name(store, workspace_id, terms)
        facts = budget_facts(terms, name)
        facts |= changes_of(budget_facts(budget.terms, name), facts)
        return Act("budget.changed", f"budget:{budget.id}", facts)

    def _ask(self, aim: Aim, actor: Person) -> Ask:
        """What an approval that stops nothing hangs on: the incident, whatever its scope."""
        incident_id = aim.incident.id if aim.incident is not None else None
        scope = aim.scope
        return Ask(actor.workspace_id, incident_id, scope.kind, scope.id, aim.channel_id, Lever.STOP, "", actor.user_id)


def _refuse_unseen(aim: Aim, stop: Stop | None, known: Collection[datetime]) -> None:
    """Refuse, naming who, where somebody decided about the budget or the stop what the window did not know."""
    budget = aim.budget
    if budget is not None and budget.updated_at not in known:
        raise Refusal(RefusalCode.BUDGET_CHANGED, person=budget.updated_by, at=budget.updated_at)
    if stop is None:
        return
    if stop.approved_at is not None and stop.approved_at not in known:
        raise Refusal(RefusalCode.STOP_CHANGED, person=stop.approved_by, at=stop.approved_at, state=stop.state)
    if stop.requested_at not in known:
        raise Refusal(RefusalCode.STOP_CHANGED, person=stop.requested_by, at=stop.requested_at, state=stop.state)


def _amount(typed: str) -> Money:
    try:
        return amount_typed(typed)
    except AmountUnusable as error:
        raise Refusal(RefusalCode.APPROVAL_AMOUNT, mistake=error.mistake.value) from error
