"""Stopping: what people decide about spending itself: stop it, let it go on, put it back, and say why it happened.

Who may is asked of the database at the moment of the click; of what a button carries only ids are believed, and those
are looked up in the workspace of whoever clicks.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from bot import stop_facts
from bot.approvals import Approvals
from bot.audit import Act, record_all
from bot.budget_scopes import ScopeBook
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.evaluating import Evaluating
from bot.picture import account_of
from bot.stop_keeping import keep
from bot.stop_rest import holders_of
from bot.stop_scopes import (
    Aim,
    Instead,
    aim_of,
    asked_instead,
    held_of,
    is_closed,
    refuse_held,
    require,
    seen_of,
    under_way,
)
from finops.holds import HoldState
from finops.levers import Lever
from finops.queries import ScopeKind
from finops.registry import Person, Project
from finops.roles import may_belong, may_manage_team
from finops.stop_report import ApprovalWish, BlastRadius, StopShown, StopsListed, StopTarget
from finops.stopping import (
    LONGEST_REASON,
    Ask,
    extended,
    is_firmer,
    latest,
    requested,
    taken_again,
    tried_again,
)
from finops.stops import IN_FORCE, OVER, UNDER_WAY, ApprovalWay, Stop, StopChange, StopState
from storage import Store
from storage.errors import Conflict

log = logging.getLogger(__name__)

_ATTEMPTS = 4
_NOT_HELD = frozenset({HoldState.FAILED, HoldState.LOST})
Decide = Callable[[Store, Aim, datetime], Awaitable[tuple[StopChange, Stop | None] | None]]


class Stopping:
    """Stops, approvals and restores, each through one click; what a provider has to do is done by bot.holding."""

    def __init__(self, desk: Desk, evaluating: Evaluating) -> None:
        self._desk = desk
        self._approvals = Approvals()
        self._evaluating = evaluating

    # --- looking -----------------------------------------------------------------------------------------------------

    async def preview(
        self, actor: Person, target: StopTarget, groups: Iterable[str] = (), *, seen: Sequence[int] | None = None
    ) -> BlastRadius:
        """What a stop would hit, asked of the database and the provider now. Refused for who may not stop it.

        `seen` are the ids of the projects somebody was shown: it is about those and no others.
        """
        async with self._desk.storage.reading() as store:
            aim = await aim_of(store, actor.workspace_id, target)
            await require(store, actor, aim, groups)
            if target.incident_id is not None and not is_closed(aim):
                await refuse_held(store, aim)
        if seen is not None:
            aim = replace(aim, narrow=seen_of(aim, seen))
        if is_closed(aim):
            raise Refusal(RefusalCode.INCIDENT_CLOSED)
        if not aim.narrow:
            raise Refusal(RefusalCode.STOP_NOTHING_THERE, scope=aim.scope.name)
        return await stop_facts.radius(self._desk, aim)

    async def approving(self, actor: Person, target: StopTarget, groups: Iterable[str] = ()) -> StopShown | None:
        """What the approval window says of a stop; None where nothing was stopped. Refused for who may not."""
        async with self._desk.storage.reading() as store:
            aim = await aim_of(store, actor.workspace_id, target)
            await require(store, actor, aim, groups)
            if is_closed(aim):
                raise Refusal(RefusalCode.INCIDENT_CLOSED)
            if aim.stop is None or aim.stop.state in OVER:
                return None
            return await stop_facts.shown(store, aim.stop)

    async def shown(self, workspace_id: str, stop_id: int) -> StopShown:
        """A stop as it stands, read now; refused when there is none."""
        async with self._desk.storage.reading() as store:
            stop = await store.stops.get(workspace_id, stop_id)
            if stop is None:
                raise Refusal(RefusalCode.UNKNOWN_STOP)
            return await stop_facts.shown(store, stop)

    async def listed(self, actor: Person, groups: Iterable[str] = ()) -> StopsListed:
        """What this person may stop, what they may give back, and who gives back what else is held."""
        held_groups = frozenset(groups)
        async with self._desk.storage.reading() as store:
            every = await store.teams.all(actor.workspace_id)
            teams = [one for one in every if may_manage_team(actor, one, held_groups)]
            projects = await store.projects.all(actor.workspace_id)
            stoppable = await stop_facts.stoppable(store, self._desk, teams, projects)
            held, others = list[StopShown](), list[Instead]()
            for one in await store.stops.active(actor.workspace_id):
                if one.state not in UNDER_WAY:
                    continue
                instead = await asked_instead(store, actor, one, groups)
                if instead is None:
                    held.append(await stop_facts.shown(store, one, told_at=self._desk.now()))
                elif not instead.lacks_groups:
                    others.append(instead)
        able = tuple(dict.fromkeys(user_id for instead in others for user_id in instead.ask))
        lacks_groups = any(may_belong(one, groups) for one in every if one not in teams)
        return StopsListed(tuple(stoppable), tuple(held), len(others), able, lacks_groups=lacks_groups)

    async def named(self, workspace_id: str, words: str) -> StopTarget:
        """The team or project of that name; refused with a guess when there is none."""
        async with self._desk.storage.reading() as store:
            book = ScopeBook(await store.teams.all(workspace_id), await store.projects.all(workspace_id))
        found = book.meant(words)
        return StopTarget(scope=f"{found.kind}:{found.id}")

    # --- deciding ----------------------------------------------------------------------------------------------------

    async def request(
        self,
        actor: Person,
        target: StopTarget,
        lever: Lever,
        reason: str,
        groups: Iterable[str] = (),
        *,
        is_wide: bool = False,
        seen: Sequence[int] | None = None,
    ) -> StopShown:
        """Take hold: of the target's project, or of all that `BlastRadius.team_projects` names.

        `seen` are the ids of the projects somebody was shown: those are stopped and no others, whoever spends most by
        now. The same person twice is once; somebody else's stop in force is a refusal that names them. What a stop in
        force does not hold yet is taken hold of within it.
        """
        said = " ".join(reason.split())[:LONGEST_REASON]
        if not said:
            raise Refusal(RefusalCode.STOP_REASON_MISSING)
        return await self._requested(actor, target, lever, said, groups, is_wide=is_wide, seen=seen)

    async def _requested(
        self,
        actor: Person,
        target: StopTarget,
        lever: Lever,
        said: str,
        groups: Iterable[str],
        *,
        is_wide: bool,
        seen: Sequence[int] | None,
    ) -> StopShown:
        """A new stop; beside one that is under way more within it, or a firmer lever in its place; or nothing anew."""

        async def decide(store: Store, aim: Aim, now: datetime) -> tuple[StopChange, Stop | None] | None:
            if is_closed(aim):
                raise Refusal(RefusalCode.INCIDENT_CLOSED)
            before = aim.stop if aim.stop is not None and aim.stop.state not in OVER else None
            wanted = aim.wide if is_wide else aim.narrow
            if seen is not None:
                wanted = seen_of(aim, seen)
            if before is not None and before.state in UNDER_WAY:
                held = await held_of(store, before, (*aim.narrow, *aim.wide))
                more = tuple(one for one in wanted if one not in held)
                is_standing = before.state is not StopState.RESTORING
                if more and is_standing and lever is before.lever:
                    free = await self._free(store, more, lever, aim)
                    return extended(before, _wider(aim, before, free, lever, said, actor.user_id), free, now), before
                firmer = is_firmer(lever, before.lever)
                if not (firmer and all(one in wanted for one in held)):
                    if not firmer and not more and is_standing and before.requested_by == actor.user_id:
                        return None  # a second click: it is done
                    raise Refusal(RefusalCode.STOP_UNDER_WAY, person=before.requested_by, at=before.requested_at)
            projects = await self._free(store, wanted, lever, aim)
            ask = _ask(aim, projects, lever, said, actor.user_id, is_wide=is_wide)
            if before is None:
                return requested(ask, projects, now), None
            holds = await store.stops.holds(actor.workspace_id, before.id or 0)
            return taken_again(before, holds, ask, projects, now), before

        return await self._decided(actor, target, groups, decide)

    async def approve(
        self, actor: Person, target: StopTarget, wish: ApprovalWish, groups: Iterable[str] = ()
    ) -> StopShown | None:
        """Let spending go on; None where only the budget was changed. May only ask for the second person."""
        is_held, acts = False, list[Act]()

        async def decide(store: Store, aim: Aim, now: datetime) -> tuple[StopChange, Stop | None] | None:
            nonlocal is_held
            acts.clear()
            found = await self._approvals.approved(store, actor, aim, wish, now, acts)
            is_held = found is not None
            return found

        shown = await self._decided_if_any(actor, target, groups, decide, acts)
        return shown if is_held else None

    async def restore(self, actor: Person, stop_id: int, groups: Iterable[str] = ()) -> StopShown:
        """Put everything back as it was, without condition; with two people, ask for the second."""
        wish = ApprovalWish(ApprovalWay.RESTORE, restops=False)
        shown = await self.approve(actor, StopTarget(stop_id=stop_id), wish, groups)
        assert shown is not None, "a restore is of a stop"
        return shown

    async def agree(self, actor: Person, stop_id: int, groups: Iterable[str] = ()) -> StopShown:
        """The second person agrees to what was asked for."""
        acts = list[Act]()

        async def decide(store: Store, aim: Aim, now: datetime) -> tuple[StopChange, Stop | None] | None:
            acts.clear()
            return await self._approvals.agreed(store, actor, aim, now, acts)

        shown = await self._decided(actor, StopTarget(stop_id=stop_id), groups, decide, acts)
        await self._evaluating.evaluate(actor.workspace_id)
        return shown

    async def decline(self, actor: Person, stop_id: int, groups: Iterable[str] = ()) -> StopShown:
        """The second person does not agree, or the first one takes it back."""

        async def decide(_: Store, aim: Aim, now: datetime) -> tuple[StopChange, Stop | None] | None:
            return self._approvals.declined(actor, aim, now)

        return await self._decided(actor, StopTarget(stop_id=stop_id), groups, decide)

    async def retry(self, actor: Person, stop_id: int, groups: Iterable[str] = ()) -> StopShown:
        """Try at once again what is in trouble; what failed is asked for anew, also where others are held."""
        target = StopTarget(stop_id=stop_id)
        async with self._desk.storage.reading() as store:
            aim = await aim_of(store, actor.workspace_id, target)
            await require(store, actor, aim, groups)
            held = latest(await store.stops.holds(actor.workspace_id, stop_id))
        stop = aim.stop
        assert stop is not None, "the target is a stop"
        # What failed is tried again, and nothing else: whoever spends most by now may be another.
        here = {one.id for one in (*aim.narrow, *aim.wide)}
        is_over = stop.state is StopState.FAILED
        seen = [one.project_id for one in held if one.project_id in here and (is_over or one.state in _NOT_HELD)]
        if is_over:
            again = StopTarget(incident_id=stop.incident_id) if stop.incident_id is not None else target
            is_wide = stop.scope_kind is not ScopeKind.PROJECT
            return await self._requested(actor, again, stop.lever, stop.reason, groups, is_wide=is_wide, seen=seen)

        async def decide(store: Store, aim: Aim, now: datetime) -> tuple[StopChange, Stop | None] | None:
            assert aim.stop is not None
            holds = await store.stops.holds(actor.workspace_id, stop_id)
            change = tried_again(aim.stop, holds, now)
            return (change, aim.stop) if change.holds else None

        shown = await self._decided(actor, target, groups, decide)
        if not seen or shown.stop.state not in IN_FORCE:
            return shown
        return await self._requested(actor, target, stop.lever, stop.reason, groups, is_wide=True, seen=seen)

    # --- how ---------------------------------------------------------------------------------------------------------

    async def _decided(
        self, actor: Person, target: StopTarget, groups: Iterable[str], decide: Decide, acts: Sequence[Act] = ()
    ) -> StopShown:
        """`_decided_if_any`, for a target that has a stop then; refused where it has none."""
        shown = await self._decided_if_any(actor, target, groups, decide, acts)
        if shown is None:
            raise Refusal(RefusalCode.UNKNOWN_STOP)
        return shown

    async def _decided_if_any(
        self, actor: Person, target: StopTarget, groups: Iterable[str], decide: Decide, acts: Sequence[Act] = ()
    ) -> StopShown | None:
        """Decide and keep, on what stands at that moment; what somebody changed meanwhile is read again.

        The stop as it stands then; None when there is none. `acts` is what deciding adds to the audit trail.
        """
        desk, stop = self._desk, None
        for attempt in range(_ATTEMPTS):
            try:
                async with desk.storage.writing() as store:
                    # Limits, stops and who has which project are decided about one after another: what one person
                    # lets go on, another may be stopping within another alert.
                    await store.workspaces.hold(actor.workspace_id)
                    aim = await aim_of(store, actor.workspace_id, target)
                    await require(store, actor, aim, groups)
                    decided = await decide(store, aim, desk.now())
                    stop = aim.stop
                    if decided is not None:
                        change, before = decided
                        held = await store.stops.holds(actor.workspace_id, before.id or 0) if before else []
                        touched = {one.id for one in change.holds}
                        stop = await keep(desk, store, change, before, [one for one in held if one.id in touched])
                        stop = await store.stops.get(actor.workspace_id, stop.id or 0) or stop
                    if acts:  # last of all, for all other acts wait for it
                        await record_all(desk, store, actor.workspace_id, actor.user_id, acts)
                break
            except Conflict:
                if attempt == _ATTEMPTS - 1:
                    raise
        desk.wake_stops.set()
        desk.wake_outbox.set()
        if stop is None:
            return None
        log.info("stop decided", extra={"stop_id": stop.id, "state": stop.state.value, "user_id": actor.user_id})
        async with desk.storage.reading() as store:
            return await stop_facts.shown(store, stop)

    async def _free(self, store: Store, projects: Sequence[Project], lever: Lever, aim: Aim) -> tuple[Project, ...]:
        """Those of the projects on which nobody holds this lever yet. Refused when there is none."""
        if not projects:
            raise Refusal(RefusalCode.STOP_NOTHING_THERE, scope=aim.scope.name)
        holders = await holders_of(store, projects, lever)
        free = tuple(one for one in projects if account_of(one) not in holders)
        if not free:
            raise await under_way(store, holders[account_of(projects[-1])])
        return free


def _ask(aim: Aim, projects: Sequence[Project], lever: Lever, reason: str, by: str | None, *, is_wide: bool) -> Ask:
    kind, scope_id = ScopeKind.PROJECT, projects[0].id
    workspace_id = projects[0].workspace_id
    if is_wide:
        kind = ScopeKind.TEAM if aim.team is not None else ScopeKind.WORKSPACE
        wide_id = aim.team.id if aim.team is not None else None
        return Ask(workspace_id, _incident_id(aim), kind, wide_id, aim.channel_id, lever, reason, by)
    if len(projects) > 1:
        kind, scope_id = aim.scope.kind, aim.scope.id or 0
    return Ask(workspace_id, _incident_id(aim), kind, scope_id or None, aim.channel_id, lever, reason, by)


def _wider(aim: Aim, stop: Stop, projects: Sequence[Project], lever: Lever, reason: str, by: str) -> Ask:
    """Further projects of a stop: it is about everything they have in common from now on."""
    kind, scope_id = aim.scope.kind, aim.scope.id
    if kind is ScopeKind.PROJECT:
        kind, scope_id = ScopeKind.TEAM, aim.team.id if aim.team is not None else None
    return Ask(projects[0].workspace_id, stop.incident_id, kind, scope_id, stop.channel_id, lever, reason, by)


def _incident_id(aim: Aim) -> int | None:
    """The incident a stop belongs to: one with a message of its own to show it."""
    return aim.incident.id if aim.incident is not None and aim.incident.has_root else None
