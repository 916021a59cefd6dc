"""Decisions: the page asked by a word or a button, what administrators decide on it, shared and taken along."""

from __future__ import annotations

from blocks import decisions, kit
from bot.errors import Refusal, RefusalCode
from finops.decisions import DecisionState, exported
from handlers.filing import sent
from handlers.status import has_channel, mark, show_in
from handlers.visit import Visit


async def ask(visit: Visit, words: str = "") -> None:
    """`/finops decisions`"""
    del words
    await _page(visit)


async def show(visit: Visit, value: str) -> None:
    """A button that asks; answered beside it, or in a window from Home."""
    del value
    if not has_channel(visit):
        await visit.loading()
    await _page(visit)


async def decide(visit: Visit, value: str) -> None:
    """What becomes of an answer was chosen in its menu; the page takes its own place."""
    poll_id, option_id, state = _chosen(value)
    if not has_channel(visit):
        await visit.in_place()
    await visit.bot.deciding.decide(await visit.person(), poll_id, option_id, state)
    await _page(visit, replaces=True)


async def share(visit: Visit, value: str) -> None:
    """Show the page to the channel, as it stands now, in the channel's language."""
    del value
    channel = visit.channel_id
    if channel is None:
        return
    report = await visit.bot.deciding.page(await visit.person())
    message = decisions.message(report, await visit.public_words(channel), shared_by=visit.user_id)
    await show_in(visit, channel, message)


async def export(visit: Visit, value: str) -> None:
    """Every poll that decided with every answer, as a file in this person's direct conversation."""
    del value
    t = await visit.words()
    if not has_channel(visit):
        await visit.in_place()
    polls = await visit.bot.deciding.export(await visit.person())
    name = f"finops-decisions-{visit.bot.clock():%Y-%m-%d}.csv"
    if not polls:
        said = t.gettext("There is nothing to export yet.")
    elif await sent(visit, name, exported(polls), decisions.file_words(t)):
        said = t.gettext("The file is in your direct messages with FinOps.")
    else:
        said = t.gettext("FinOps may not send files here (files:write).")
    await _page(visit, replaces=True, notice=said)


async def _page(visit: Visit, *, replaces: bool = False, notice: str | None = None) -> None:
    person, t = await visit.person(), await visit.words()
    report = await visit.bot.deciding.page(person)
    message = decisions.message(report, t, is_admin=person.is_admin, mark=mark(visit), notice=notice)
    await visit.answer(message, replaces=replaces)


def _chosen(value: str) -> tuple[int, str, DecisionState | None]:
    """What the menu is worth; refused when somebody sent something else."""
    poll_id, _, rest = value.partition("/")
    option_id, _, state = rest.partition("/")
    known = {*DecisionState, decisions.OPEN}
    if not kit.is_key(poll_id) or not kit.is_key(option_id) or state not in known:
        raise Refusal(RefusalCode.UNKNOWN_POLL)
    return int(poll_id), option_id, None if state == decisions.OPEN else DecisionState(state)
