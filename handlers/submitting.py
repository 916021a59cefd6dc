"""Submitted windows: answered within Slack's three seconds, or at once with "checking" and later with the result."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from datetime import UTC, date, datetime
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from blocks import bad_news, ids, kit, setup
from bot.errors import BadNews
from finops.frozen import frozen
from finops.written import visible
from handlers import guard, home
from handlers.visit import Visit

log = logging.getLogger(__name__)

# Slack waits three seconds; what is left is for the way back.
ANSWER_WITHIN_SECONDS = 2.0


@frozen
class Problem:
    """The form stays: `errors` by input. `form` is the same form again, for when "checking" has taken its place."""

    errors: Mapping[str, str]
    form: kit.View

    @classmethod
    def beside(cls, name: str, said: str, form: kit.View) -> Problem:
        """One error beside one input, said as mrkdwn: Slack shows it as it is, so our own marks are taken out."""
        return cls({name: kit.unmarked(said.replace("`", ""))}, form)


@frozen
class Show:
    """Another view takes the place of the form. `refreshes_home`: something changed that Home shows.

    `then` is work that follows from it, before Home is drawn, and which nobody waits for.
    """

    view: kit.View
    refreshes_home: bool = True
    then: Callable[[Visit], Awaitable[None]] | None = None


@frozen
class Back:
    """The form is done: it closes, and the window below shows what changed; where there is none, it shows it itself."""

    below: kit.View


Outcome = Problem | Show | Back


@frozen
class Form:
    """What somebody submitted: ids from the view, and what stands in its inputs."""

    visit: Visit
    view: Mapping[str, Any]
    ids: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, visit: Visit, view: Mapping[str, Any]) -> Form:
        return cls(visit, view, kit.metadata(view))

    def number(self, key: str) -> int:
        """An id from the view; -1, which is nobody's, when somebody sent something else."""
        found = self.ids.get(key)
        return found if isinstance(found, int) else -1

    @property
    def is_setup(self) -> bool:
        return bool(self.ids.get("setup"))

    def _value(self, name: str) -> Mapping[str, Any]:
        values = self.view.get("state", {}).get("values", {})
        return values.get(name, {}).get(name) or {}

    def text(self, name: str) -> str:
        return visible(str(self._value(name).get("value") or "")).strip()

    def user(self, name: str) -> str:
        return str(self._value(name).get("selected_user") or "")

    def users(self, name: str) -> list[str]:
        return [str(user) for user in self._value(name).get("selected_users") or []]

    def conversation(self, name: str) -> str:
        return str(self._value(name).get("selected_conversation") or "")

    def chosen(self, name: str) -> list[str]:
        """The values of a menu of several."""
        return [str(option["value"]) for option in self._value(name).get("selected_options") or []]

    def selected(self, name: str) -> str:
        """The value of a menu or radio of one; '' when nothing is chosen."""
        return str((self._value(name).get("selected_option") or {}).get("value") or "")

    def moment(self, name: str) -> datetime | None:
        """A date and time that was picked; None when there is none, or somebody sent something else."""
        found = self._value(name).get("selected_date_time")
        return datetime.fromtimestamp(found, UTC) if isinstance(found, int) and 0 <= found < 2**33 else None

    def day(self, name: str) -> date | None:
        """A day that was picked; None when there is none, or somebody sent something else."""
        try:
            return date.fromisoformat(str(self._value(name).get("selected_date")))
        except ValueError:
            return None


Handler = Callable[[Form], Awaitable[Outcome]]


class Submitting:
    """Runs the handler of a submitted view. Two clicks on the same form are one submission."""

    def __init__(self, work: guard.Work, within_seconds: float = ANSWER_WITHIN_SECONDS) -> None:
        self._work = work
        self._within_seconds = within_seconds
        self._running: dict[tuple[str, str], asyncio.Task[Outcome | None]] = {}

    async def answer(self, form: Form, handler: Handler, ack: AsyncAck) -> None:
        """Answer the submission in time, whatever the handler does."""
        key = (str(form.view.get("id")), str(form.view.get("state")))
        task = self._running.get(key)
        is_first = task is None
        if task is None:
            task = self._work.start(_outcome(form, handler))
            self._running[key] = task
            task.add_done_callback(lambda _: self._running.pop(key, None))
        await asyncio.wait({task}, timeout=self._within_seconds)
        if not task.done():
            await ack(response_action="update", view=setup.checking(await form.visit.known()))
            if is_first:
                self._work.start(_late(form, task))
            return
        match task.result():
            case Problem(errors=errors):
                await ack(response_action="errors", errors=dict(errors))
            case Show(view=view) as shown:
                await ack(response_action="update", view=view)
                if is_first:
                    self._work.start(guard.guarded(form.visit, _following(shown)))
            case Back(below=below):
                # Opened by a message there is no window below: then it would close without a word.
                is_alone = not form.view.get("previous_view_id")
                await (ack(response_action="update", view=below) if is_alone else ack())
                if is_first:
                    self._work.start(guard.guarded(form.visit, _below(form, below)))
            case None:
                await ack()


async def _outcome(form: Form, handler: Handler) -> Outcome | None:
    """What came of a submission; None when the person closed the window meanwhile."""
    try:
        outcome = await guard.recorded(form.visit, handler(form))
    except guard.Gone:
        return None
    if isinstance(outcome, BadNews):
        return Show(bad_news.view(outcome, await form.visit.words()), refreshes_home=False)
    return outcome


async def _late(form: Form, task: asyncio.Task[Outcome | None]) -> None:
    outcome = await task
    form.visit.window = str(form.view.get("id"))

    async def show(visit: Visit) -> None:
        match outcome:
            case Problem(form=again):
                await visit.show(again)
            case Show(view=view) as shown:
                await visit.show(view)
                await _following(shown)(visit)
            case Back(below=below):
                # "Checking" cannot be closed from here: it shows what the window below shows, which is not left as it
                # was either, for closing the one uncovers the other.
                await visit.show(below)
                await _below(form, below)(visit)

    await guard.guarded(form.visit, show)


def _following(shown: Show) -> Callable[[Visit], Awaitable[None]]:
    async def follow(visit: Visit) -> None:
        if shown.then is not None:
            await shown.then(visit)
        if shown.refreshes_home:
            await home.refresh(visit)

    return follow


def _below(form: Form, view: kit.View) -> Callable[[Visit], Awaitable[None]]:
    async def show(visit: Visit) -> None:
        visit.window = form.view.get("previous_view_id")
        if visit.window:
            await visit.show(view)
        await home.refresh(visit)

    return show


TEAM_FIELDS = {
    "team_name_missing": ids.TEAM_NAME,
    "team_name_too_long": ids.TEAM_NAME,
    "team_name_taken": ids.TEAM_NAME,
    "channel_missing": ids.TEAM_CHANNEL,
    "language_unknown": ids.TEAM_LANGUAGE,
    "lead_is_bot": ids.TEAM_LEAD,
    "lead_is_guest": ids.TEAM_LEAD,
    "approver_is_bot": ids.TEAM_APPROVER_PEOPLE,
    "approver_is_guest": ids.TEAM_APPROVER_PEOPLE,
}
# What is wrong with a key itself, as the provider's own rejection always is.
KEY_REFUSED = frozenset(
    {
        "not_a_key",
        "key_of_project",
        "key_of_service_account",
        "key_of_user",
        "key_of_anthropic",
        "key_of_something_else",
        "key_cannot_read_costs",
        "key_already_registered",
        "key_of_other_organization",
    }
)
PROJECT_FIELDS = {
    "nothing_chosen": ids.PROJECTS,
    "unknown_project": ids.PROJECT_TYPED,
    "archived_project": ids.PROJECT_TYPED,
    "project_not_verifiable": ids.PROJECT_TYPED,
}
