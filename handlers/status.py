"""Status: asked by words or by a button, answered to one person, shared when they say so."""

from __future__ import annotations

from slack_sdk.errors import SlackApiError

from blocks import kit, status
from blocks.answered import error_code
from blocks.status import Question
from bot.errors import Refusal, RefusalCode
from finops.figures import StatusReport
from finops.queries import ScopeKind
from handlers.visit import Visit, posted, took

# The bot is not in the channel, or the channel is not one it can see: the click's own address still reaches it.
_NOT_A_MEMBER = frozenset({"not_in_channel", "channel_not_found", "missing_scope", "restricted_action"})


async def ask(visit: Visit, words: str) -> None:
    """`/finops status …`"""
    person = await visit.person()
    report = await visit.bot.reports.status(visit.workspace_id, person, words)
    await visit.answer(await _answer(visit, report))


async def show(visit: Visit, value: str) -> None:
    """A button that asks; answered beside it, or in a window from Home."""
    if not has_channel(visit):
        await visit.loading()
    report = await _again(visit, value)
    await visit.answer(await _answer(visit, report))


async def refresh(visit: Visit, value: str) -> None:
    """The same question, asked again; the answer takes the place of the old one."""
    report = await _again(visit, value)
    await visit.answer(await _answer(visit, report), replaces=True)


async def share(visit: Visit, value: str) -> None:
    """Show the figures to the channel, as they stand now, in the channel's language."""
    channel = visit.channel_id
    if channel is None:
        return
    report = await _again(visit, value)
    message = status.message(report, await visit.public_words(channel), shared_by=visit.user_id)
    await show_in(visit, channel, message)


async def show_in(visit: Visit, channel: str, message: kit.Message) -> None:
    """Show an answer to everybody in a channel, also where the bot is no member, instead of to one person."""
    await tell_channel(visit, channel, message)
    await visit.answer(status.shared(await visit.words(), channel), replaces=True)


async def tell_channel(visit: Visit, channel: str, message: kit.Message) -> None:
    """Say something to everybody in the channel of a click, also where the bot is no member; raises where it cannot."""
    try:
        await posted(visit.client, "chat.postMessage", message, channel=channel)
    except SlackApiError as error:
        if error_code(error) not in _NOT_A_MEMBER or visit.respond is None:
            raise
        shown = await visit.respond(**message.arguments(plain=True), response_type="in_channel", replace_original=False)
        if not took(shown):
            raise


async def _answer(visit: Visit, report: StatusReport) -> kit.Message:
    """The report for this person: with the buttons for what they may do."""
    person = await visit.person()
    may_register = person.is_admin or bool(await visit.bot.teams.managed_by(person))
    may_stop, stop = False, None
    if report.scope.kind is ScopeKind.PROJECT and report.scope.id is not None:
        groups = await visit.groups()
        may_stop, stop = await visit.bot.project_details.stop_of(person, report.scope.id, groups)
    return status.message(
        report, await visit.words(), mark=mark(visit), may_register=may_register, stop=stop, may_stop=may_stop
    )


async def _again(visit: Visit, value: str) -> StatusReport:
    await visit.person()
    question = Question.parse(value)
    if question is None:
        raise Refusal(RefusalCode.UNKNOWN_PERIOD, words=value[:40], suggestion=None)
    return await visit.bot.reports.status_of(visit.workspace_id, question.kind, question.id, question.period)


def mark(visit: Visit) -> str | None:
    """What tells one rendering of a report from the next, so that sharing it twice shares it once; None: no channel."""
    return visit.bot.clock().strftime("%s.%f") if has_channel(visit) else None


def has_channel(visit: Visit) -> bool:
    """Whether an answer can be shown to others where it was asked for."""
    return visit.channel_id is not None and not visit.is_in_modal
