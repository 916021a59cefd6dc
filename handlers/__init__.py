"""How the bot hears: one place for each kind of payload, a dictionary behind each, nothing slow before an ack."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.response import BoltResponse

from blocks import ids, kit
from bot import Bot
from bot.errors import BadNews
from finops.audit_files import CSV, JSONL
from handlers import (
    approving,
    asking,
    audit,
    budget_files,
    budgets,
    checking,
    collecting,
    commands,
    decisions,
    event_tokens,
    exchange,
    feedback,
    incidents,
    interviews,
    keys,
    learning,
    polls,
    project_detail,
    projects,
    ratings,
    report,
    reviews,
    runbooks,
    setup,
    silences,
    status,
    stops,
    teams,
    trials,
    value,
    why,
)
from handlers.guard import Work, attempt, guarded, too_busy
from handlers.hearing import EVENTS, REPEATABLE, home_opened
from handlers.submitting import Form, Handler, Submitting
from handlers.visit import Visit, visit_of

__all__ = ["ACTIONS", "COMMANDS", "EVENTS", "OPTIONS", "SHORTCUTS", "VIEWS", "Work", "register"]

log = logging.getLogger(__name__)

Click = Callable[[Visit, str], Awaitable[None]]
Search = Callable[[Visit, str], Awaitable[list[kit.Block]]]
Shortcut = Callable[[Visit, Mapping[str, Any]], Awaitable[None]]
OPTIONS_WITHIN_SECONDS = 2.5
SOCKET_MODE = "socket_mode"  # how Bolt calls a request that came through the socket

COMMANDS: dict[str, Click] = {"/finops": commands.answer}
ACTIONS: dict[str, Click] = {
    ids.SETUP_NEXT: lambda visit, _: setup.next_step(visit),
    ids.TEAM_MANAGE: lambda visit, _: teams.manage(visit),
    ids.TEAM_NEW: lambda visit, _: setup.new_team(visit),
    ids.TEAM_EDIT: teams.edit,
    ids.TEAM_APPROVERS: teams.approvers,
    ids.KEY_MANAGE: lambda visit, _: keys.manage(visit),
    ids.KEY_TEAM: keys.manage,
    ids.KEY_NEW: keys.new,
    ids.KEY_REPLACE: keys.replace,
    ids.KEY_DISABLE: keys.disable,
    ids.KEY_ENABLE: keys.enable,
    ids.KEY_DELETE: keys.delete,
    ids.PROJECT_MANAGE: lambda visit, _: projects.manage(visit),
    ids.PROJECT_TEAM: projects.manage,
    ids.PROJECT_NEW: projects.new,
    ids.PROJECT_FIND: projects.found,
    ids.PROJECT_EDIT: projects.edit,
    ids.PROJECT_EXCLUDE: projects.exclude,
    ids.PROJECT_INCLUDE: projects.include,
    ids.PROJECT_UNREGISTER: projects.unregister,
    ids.PROJECT_DETAIL: project_detail.detail,
    ids.PROJECT_DETAIL_PERIOD: project_detail.period,
    ids.TOKEN_NEW: event_tokens.new,
    ids.TOKEN_REVOKE: event_tokens.revoke,
    ids.TARGET_EDIT: value.ask_target,
    ids.CAPS_EDIT: value.ask_caps,
    ids.RATE_GOOD: ratings.rate,
    ids.RATE_FAIR: ratings.rate,
    ids.RATE_POOR: ratings.rate,
    ids.RATE_WITHDRAW: ratings.withdraw,
    ids.COLLECT_NOW: lambda visit, _: collecting.now(visit),
    ids.STATUS_SHOW: status.show,
    ids.STATUS_SHARE: status.share,
    ids.STATUS_REFRESH: status.refresh,
    ids.WHY_SHOW: why.show,
    ids.WHY_SHARE: why.share,
    ids.WHY_REFRESH: why.refresh,
    ids.BUDGET_MANAGE: lambda visit, _: budgets.manage(visit),
    ids.BUDGET_COVERING: budgets.covering,
    ids.BUDGET_FIND: budgets.found,
    ids.BUDGET_NEW: budgets.new,
    ids.BUDGET_EDIT: budgets.edit,
    ids.BUDGET_SCOPE: budgets.drafted,
    ids.BUDGET_PERIOD: budgets.drafted,
    ids.BUDGET_FILL: budgets.fill,
    ids.BUDGET_ENABLE: budgets.enable,
    ids.BUDGET_DISABLE: budgets.disable,
    ids.BUDGET_DELETE: budgets.delete,
    ids.BUDGET_EXPORT: lambda visit, _: budget_files.export(visit),
    ids.BUDGET_IMPORT: lambda visit, _: budget_files.ask(visit),
    ids.INCIDENT_ACKNOWLEDGE: incidents.acknowledge,
    ids.INCIDENT_SILENCE: silences.ask,
    ids.INCIDENT_END_SILENCE: incidents.end_silence,
    ids.INCIDENT_DETAIL: incidents.detail,
    ids.INCIDENT_BUDGET: incidents.budget,
    ids.INCIDENT_REVIEW: reviews.ask,
    ids.INCIDENT_FEEDBACK: incidents.feedback,
    ids.INCIDENT_GOOD: incidents.feedback,
    ids.INCIDENT_BAD: incidents.feedback,
    ids.INCIDENT_STOP: stops.ask,
    ids.INCIDENT_APPROVE: approving.ask,
    ids.INCIDENT_LEAD: stops.lead,
    ids.INCIDENT_MORE: incidents.more,
    ids.INCIDENT_STEP: runbooks.tick,
    ids.STOP_OPEN: stops.ask,
    ids.STOP_APPROVE: approving.ask,
    ids.STOP_RESTORE: approving.restore,
    ids.STOP_AGREE: approving.agree,
    ids.STOP_DECLINE: approving.decline,
    ids.STOP_RETRY: stops.retry,
    ids.STOP_FIRMER: stops.ask_firmer,
    ids.STOP_LEAD: stops.lead,
    ids.STOP_CAUSE: stops.cause,
    ids.DIGEST_RULE: lambda visit, _: report.rule(visit),
    ids.DIGEST_SHOW: report.show,
    ids.DIGEST_SHARE: report.share,
    ids.DIGEST_SETTINGS: lambda visit, _: report.settings(visit),
    ids.DIGEST_EDIT: report.edit,
    ids.DIGEST_ADD: lambda visit, _: report.add(visit),
    ids.CURRENCY_MANAGE: lambda visit, _: exchange.manage(visit),
    ids.AUDIT_SHOW: audit.show,
    ids.AUDIT_KIND: audit.filtered,
    ids.AUDIT_PERSON: audit.filtered,
    ids.AUDIT_PERIOD: audit.filtered,
    ids.AUDIT_EVERYBODY: lambda visit, _: audit.everybody(visit),
    ids.AUDIT_OLDER: audit.older,
    ids.AUDIT_NEWER: lambda visit, _: audit.newer(visit),
    ids.AUDIT_CSV: lambda visit, _: audit.export(visit, CSV),
    ids.AUDIT_JSONL: lambda visit, _: audit.export(visit, JSONL),
    ids.LEARNING_SHOW: learning.show,
    ids.LEARNING_EXPORT: learning.export,
    ids.DECISION_SHOW: decisions.show,
    ids.DECISION_SET: decisions.decide,
    ids.DECISION_SHARE: decisions.share,
    ids.DECISION_EXPORT: decisions.export,
    ids.FEEDBACK_OPEN: lambda visit, _: feedback.ask(visit),
    ids.FEEDBACK_ANSWER: feedback.answer,
    ids.FEEDBACK_PLANNED: feedback.plan,
    ids.FEEDBACK_DONE: feedback.done,
    ids.FEEDBACK_DECLINED: feedback.decline,
    ids.INTERVIEW_OPEN: lambda visit, _: interviews.ask(visit),
    ids.INTERVIEW_BOOK: interviews.book,
    ids.INTERVIEW_MOVE: interviews.move,
    ids.INTERVIEW_CANCEL: interviews.cancel,
    ids.INTERVIEW_FILE: interviews.file,
    ids.INTERVIEW_OFFER: lambda visit, _: interviews.offer(visit),
    ids.INTERVIEW_WITHDRAW: interviews.withdraw,
    ids.POLL_NEW: lambda visit, _: polls.new(visit),
    ids.POLL_READY: lambda visit, _: polls.ready(visit),
    ids.POLL_VOTE: polls.vote,
    ids.POLL_PULSE_GOOD: polls.vote,
    ids.POLL_PULSE_FAIR: polls.vote,
    ids.POLL_PULSE_POOR: polls.vote,
    ids.POLL_CHOOSE: polls.choose,
    ids.POLL_WITHDRAW: polls.withdraw,
    ids.POLL_ADD: polls.add,
    ids.POLL_RESULTS: polls.results,
    ids.POLL_MORE: polls.more,
    ids.HELP_SHOW: lambda visit, _: commands.show_help(visit),
    ids.DOCTOR_SHOW: lambda visit, _: checking.examine(visit),
    ids.TRIAL_SEND: trials.send,
    ids.TRIAL_PRESS: trials.press,
    ids.DOCTOR_PING: lambda visit, _: checking.ping(visit),
}
VIEWS: dict[str, Handler] = {
    ids.SETUP_TEAM: setup.submit_team,
    ids.SETUP_KEY: setup.submit_key,
    ids.SETUP_KEY_DONE: setup.submit_key_done,
    ids.SETUP_PROJECTS: setup.submit_projects,
    ids.VIEW_TEAM_EDIT: teams.submit_edit,
    ids.VIEW_TEAM_APPROVERS: teams.submit_approvers,
    ids.VIEW_KEY_REPLACE: keys.submit_replacement,
    ids.VIEW_PROJECT_EDIT: projects.submit_edit,
    ids.VIEW_TOKEN_NEW: event_tokens.submit,
    ids.VIEW_TARGET: value.submit_target,
    ids.VIEW_CAPS: value.submit_caps,
    ids.VIEW_BUDGET: budgets.submit,
    ids.VIEW_BUDGET_IMPORT: budget_files.submit,
    ids.VIEW_SILENCE: silences.submit,
    ids.VIEW_REVIEW: reviews.submit,
    ids.VIEW_STOP: stops.submit,
    ids.VIEW_APPROVE: approving.submit,
    ids.VIEW_STOP_LEAD: stops.submit_lead,
    ids.VIEW_STOP_CAUSE: stops.submit_cause,
    ids.VIEW_DIGEST: report.submit,
    ids.VIEW_CURRENCY: exchange.submit,
    ids.VIEW_POLL: polls.submit,
    ids.VIEW_POLL_VOTE: polls.submit_vote,
    ids.VIEW_POLL_OPTION: polls.submit_option,
    ids.VIEW_FEEDBACK: feedback.submit,
    ids.VIEW_FEEDBACK_ANSWER: feedback.submit_answer,
    ids.VIEW_INTERVIEW_BOOK: interviews.submit_book,
    ids.VIEW_INTERVIEW_OFFER: interviews.submit_offer,
}
OPTIONS: dict[str, Search] = {
    ids.PROJECTS: projects.offered,
    ids.PROJECT_FIND: projects.registered,
    ids.BUDGET_SCOPE: budgets.scopes,
    ids.BUDGET_FIND: budgets.whatever,
}
SHORTCUTS: dict[str, Shortcut] = {ids.FEEDBACK_MESSAGE: feedback.about}
# What others see or what changes something: done once, however often a click is made or delivered. The rest opens a
# window, for which a click is good once anyhow, or only answers again.
ONCE = frozenset(
    {
        ids.STATUS_SHARE,
        ids.WHY_SHARE,
        ids.DIGEST_SHARE,
        ids.COLLECT_NOW,
        ids.POLL_MORE,
        ids.DECISION_SET,
        ids.DECISION_SHARE,
        ids.DECISION_EXPORT,
        ids.LEARNING_EXPORT,
        ids.KEY_DISABLE,
        ids.KEY_ENABLE,
        ids.KEY_DELETE,
        ids.PROJECT_EXCLUDE,
        ids.PROJECT_INCLUDE,
        ids.PROJECT_UNREGISTER,
        ids.TOKEN_REVOKE,
        ids.BUDGET_ENABLE,
        ids.BUDGET_DISABLE,
        ids.BUDGET_DELETE,
        ids.AUDIT_CSV,
        ids.AUDIT_JSONL,
        ids.FEEDBACK_PLANNED,
        ids.FEEDBACK_DONE,
        ids.FEEDBACK_DECLINED,
        ids.INTERVIEW_CANCEL,
        ids.INTERVIEW_FILE,
        ids.INTERVIEW_WITHDRAW,
        ids.INCIDENT_ACKNOWLEDGE,
        ids.INCIDENT_END_SILENCE,
        ids.INCIDENT_FEEDBACK,
        ids.INCIDENT_GOOD,
        ids.INCIDENT_BAD,
        ids.INCIDENT_MORE,
        ids.INCIDENT_STEP,
        ids.STOP_RESTORE,
        ids.STOP_AGREE,
        ids.STOP_DECLINE,
        ids.STOP_RETRY,
        ids.TRIAL_SEND,
        ids.TRIAL_PRESS,
    }
)
_SHARED = frozenset({ids.STATUS_SHARE, ids.WHY_SHARE, ids.DIGEST_SHARE, ids.DECISION_SHARE})


def register(slack: AsyncApp, bot: Bot) -> Work:
    """Listen to everything manifest.yml asks for. The returned work is to be drained at shutdown."""
    work = Work()
    slack.use(Reception(bot, work))
    return work


class Reception(AsyncMiddleware):
    """Where every payload that Bolt has verified and authorized arrives.

    A middleware and not five listeners: to try a listener, Bolt prepares every argument a listener could ask for, which
    costs more than all the rest of an acknowledgement.
    """

    def __init__(self, bot: Bot, work: Work) -> None:
        self._bot = bot
        self._work = work
        self._submitting = Submitting(work)
        self._kinds: dict[str, Callable[[AsyncBoltRequest, AsyncAck], Awaitable[None]]] = {
            "block_actions": self._action,
            "view_submission": self._view,
            "block_suggestion": self._options,
            "event_callback": self._event,
            "message_action": self._shortcut,
        }

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - Bolt calls by name
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 - Bolt's name
    ) -> BoltResponse | None:
        kind = self._command if "command" in req.body else self._kinds.get(str(req.body.get("type")))
        if kind is None:
            return await next()  # nothing we ask Slack for; Bolt says so in the log
        ack = req.context.ack
        await kind(req, ack)
        return ack.response

    def _visit(self, req: AsyncBoltRequest) -> Visit:
        visit = visit_of(self._bot, req.body, req.context, req.context.client)
        visit.came_by_socket = req.mode == SOCKET_MODE
        return visit

    async def _command(self, req: AsyncBoltRequest, ack: AsyncAck) -> None:
        await ack()
        answer = COMMANDS.get(req.body["command"], commands.answer)
        visit, text = self._visit(req), str(req.body.get("text") or "")
        self._work.later(visit.user_id, partial(guarded, visit, lambda v: answer(v, text)), partial(too_busy, visit))

    async def _action(self, req: AsyncBoltRequest, ack: AsyncAck) -> None:
        await ack()
        visit = self._visit(req)
        for action in req.body.get("actions", []):
            click = ACTIONS.get(action.get("action_id", ""))
            if click is not None:
                work = partial(guarded, visit, _clicked(click, action))
                self._work.later(visit.user_id, work, partial(too_busy, visit))

    async def _shortcut(self, req: AsyncBoltRequest, ack: AsyncAck) -> None:
        await ack()
        answer, body = SHORTCUTS.get(req.body.get("callback_id", "")), req.body
        if answer is not None:
            visit = self._visit(req)
            work = partial(guarded, visit, lambda v: answer(v, body))
            self._work.later(visit.user_id, work, partial(too_busy, visit))

    async def _view(self, req: AsyncBoltRequest, ack: AsyncAck) -> None:
        view = req.body["view"]
        handler = VIEWS.get(view.get("callback_id", ""))
        if handler is None:
            await ack()
            return
        form = Form.of(self._visit(req), view)
        asking.by_window(form.visit, view["callback_id"], form.ids)
        await self._submitting.answer(form, handler, ack)

    async def _options(self, req: AsyncBoltRequest, ack: AsyncAck) -> None:
        found: list[kit.Block] = []
        search = OPTIONS.get(req.body.get("action_id", ""))
        if search is not None:
            finding = self._work.start(_found(search, self._visit(req), str(req.body.get("value") or "")))
            await asyncio.wait({finding}, timeout=OPTIONS_WITHIN_SECONDS)
            found = finding.result() if finding.done() else []
        await ack(options=found)

    async def _event(self, req: AsyncBoltRequest, ack: AsyncAck) -> None:
        await ack()
        event: dict[str, Any] = req.body["event"]
        heard = EVENTS.get(event.get("type", ""))
        if heard is not None:
            visit, event_id = self._visit(req), str(req.body.get("event_id") or "")
            # Whoever opens Home is shown figures that all who wait for them share.
            stand = self._work.together if heard is home_opened else self._work.later
            stand(visit.user_id, partial(guarded, visit, _heard(heard, event, event_id)))


def _clicked(click: Click, action: Mapping[str, Any]) -> Callable[[Visit], Awaitable[None]]:
    """One click, once: a message or window that Slack delivers again does nothing again."""
    action_id, value = str(action.get("action_id")), _value(action)

    async def run(visit: Visit) -> None:
        visit.clicked_at = str(action.get("action_ts") or "")
        # Two clicks on one shared report carry the same mark; elsewhere a second click is a second wish.
        which = value if action_id in _SHARED else visit.clicked_at
        key, is_done = f"click:{visit.user_id}:{action_id}:{which}", False
        if action_id in ONCE and not await visit.is_first(key):
            return
        asking.by_click(visit, action_id, value)
        try:
            await click(visit, value)
            is_done = True
        finally:
            if action_id in _SHARED and not is_done:
                await visit.take_back(key)  # whoever is told that it failed presses the very same again

    return run


def _heard(
    heard: Callable[[Visit, Mapping[str, Any]], Awaitable[None]], event: Mapping[str, Any], event_id: str
) -> Callable[[Visit], Awaitable[None]]:
    async def run(visit: Visit) -> None:
        if event.get("type") not in REPEATABLE and event_id and not await visit.is_first(f"event:{event_id}"):
            return
        await heard(visit, event)

    return run


async def _found(search: Search, visit: Visit, words: str) -> list[kit.Block]:
    """The entries of a menu. A menu can show no sentence: what goes wrong is logged and shows as nothing found."""
    found = await attempt(search(visit, words))
    return [] if isinstance(found, BadNews) else found


def _value(action: Mapping[str, Any]) -> str:
    """What a button carries, or what was picked in a menu; of boxes to tick the block's name and what is ticked."""
    if action.get("type") == "checkboxes":
        ticked = [str(option.get("value")) for option in action.get("selected_options") or ()]
        return f"{action.get('block_id')}={','.join(ticked)}"
    option = action.get("selected_option") or {}
    return str(action.get("value") or option.get("value") or "")
