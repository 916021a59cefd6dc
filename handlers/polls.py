"""Polls: `/finops poll`, its windows, every vote, the list with what may be done to each."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

from blocks import bad_news, ids, kit, poll_forms, poll_words, polls
from blocks import help as help_
from bot.errors import Refusal, RefusalCode, explain
from bot.voting import Listed, Voted
from finops.keys import redacted
from finops.polls import LONGEST_QUESTION, PollDraft, PollKind, exported
from handlers.filing import sent
from handlers.links import permalink
from handlers.submitting import Form, Outcome, Problem, Show
from handlers.visit import Visit
from locales import Translator

log = logging.getLogger(__name__)

_LIST = frozenset({"list", "목록", "리스트", "一覧", "リスト"})
_NEXT = frozenset({"next", "다음", "다음 기능", "次", "次の機能"})
_USUALLY_OPEN = timedelta(days=3)


async def command(visit: Visit, words: str) -> None:
    """`/finops poll`: the window to ask in; `next` fills it with what could be built next, `list` lists polls.

    Any other words are the question.
    """
    asked = " ".join(words.casefold().split())
    if asked in _LIST:
        await listed(visit)
    elif visit.trigger_id is None:
        action = ids.POLL_READY if asked in _NEXT else ids.POLL_NEW
        await visit.answer(help_.by_button(await visit.words(), action))
    elif asked in _NEXT:
        await _form(visit, PollKind.NEXT_FEATURE)
    else:
        await _form(visit, PollKind.CUSTOM, words)


async def new(visit: Visit) -> None:
    """Open the window to ask in."""
    await _form(visit, PollKind.CUSTOM)


async def ready(visit: Visit) -> None:
    """The same, filled with what could be built next."""
    await _form(visit, PollKind.NEXT_FEATURE)


async def submit(form: Form) -> Outcome:
    """A poll was filled in."""
    visit = form.visit
    kind = PollKind.NEXT_FEATURE if form.ids.get("kind") == PollKind.NEXT_FEATURE else PollKind.CUSTOM
    question, options = poll_forms.names(kind)
    ways = set(form.chosen(ids.POLL_WAYS))
    draft = PollDraft(
        question=form.text(question),
        options=form.text(options),
        channel_id=form.conversation(ids.POLL_CHANNEL),
        closes_at=form.moment(ids.POLL_CLOSES) or visit.bot.clock(),
        kind=kind,
        is_multiple=form.selected(ids.POLL_HOW_MANY) == poll_forms.SEVERAL,
        is_anonymous=form.selected(ids.POLL_SECRECY) == poll_forms.ANONYMOUS,
        may_add=poll_forms.ADDING in ways,
        is_hidden=poll_forms.HIDDEN in ways,
    )
    fields = {
        RefusalCode.POLL_QUESTION.value: question,
        RefusalCode.POLL_OPTIONS.value: options,
        RefusalCode.POLL_CLOSES.value: ids.POLL_CLOSES,
        RefusalCode.CHANNEL_MISSING.value: ids.POLL_CHANNEL,
    }
    t = await visit.words()
    try:
        poll = await visit.bot.voting.ask(await visit.person(), draft)
    except Refusal as refusal:
        said = bad_news.sentence(explain(refusal), t)
        if refusal.code.value not in fields:
            raise
        harmless = replace(draft, question=redacted(draft.question), options=redacted(draft.options))
        return Problem({fields[refusal.code.value]: said}, poll_forms.form(harmless, t, said))
    return Show(poll_forms.asked(poll, t), refreshes_home=False)


async def vote(visit: Visit, value: str) -> None:
    """One click decides; another changes it, the same again changes nothing."""
    poll_id, _, option = value.partition("/")
    voted = await visit.bot.voting.vote(visit.workspace_id, visit.user_id, _number(poll_id), [option], visit.clicked_at)
    await visit.answer(_counts(voted, await _voter_words(visit)))


async def choose(visit: Visit, value: str) -> None:
    """Open the window to choose several answers in."""
    await visit.loading()
    poll, chosen = await visit.bot.voting.own(visit.workspace_id, visit.user_id, _number(value))
    await visit.show(poll_forms.choosing(poll, chosen, await _voter_words(visit)))


async def submit_vote(form: Form) -> Outcome:
    """Several answers were chosen."""
    visit = form.visit
    voted: Voted = await visit.bot.voting.vote(
        visit.workspace_id, visit.user_id, form.number("poll"), form.chosen(ids.POLL_CHOICES)
    )
    t = await _voter_words(visit)
    view = poll_forms.voted_view(
        voted.poll, voted.chosen, voted.shown, t, was_changed=voted.was_changed, is_same=voted.is_same
    )
    return Show(view, refreshes_home=False)


async def withdraw(visit: Visit, value: str) -> None:
    """Take a vote back."""
    voted = await visit.bot.voting.withdraw(visit.workspace_id, visit.user_id, _number(value), visit.clicked_at)
    await visit.answer(_counts(voted, await _voter_words(visit)), replaces=visit.is_ephemeral)


async def add(visit: Visit, value: str) -> None:
    """Open the window to add an option in."""
    await visit.open(poll_forms.adding(_number(value), await visit.known()))


async def submit_option(form: Form) -> Outcome:
    """An option was typed."""
    visit, poll_id, typed = form.visit, form.number("poll"), form.text(ids.POLL_OPTION)
    t = await visit.words()
    try:
        await visit.bot.voting.add_option(await visit.person(), poll_id, typed)
    except Refusal as refusal:
        if refusal.code is not RefusalCode.POLL_OPTIONS:
            raise
        said = bad_news.sentence(explain(refusal), t)
        return Problem({ids.POLL_OPTION: said}, poll_forms.adding(poll_id, t))
    # i18n: title of a modal, 24 characters
    title = t.gettext("Option added")
    return Show(poll_forms.info(title, t.gettext("Everybody can vote for it now."), t), refreshes_home=False)


async def results(visit: Visit, value: str) -> None:
    """How a poll stands, for whoever may see it."""
    found = await visit.bot.voting.results(visit.workspace_id, visit.user_id, _number(value))
    await visit.answer(polls.results(found, await _voter_words(visit)))


async def listed(visit: Visit) -> None:
    """What was asked last."""
    person, t = await visit.person(), await visit.words()
    found = await visit.bot.voting.latest(visit.workspace_id)
    links = await asyncio.gather(*(_link(visit, one) for one in found))
    entries = [
        polls.Entry(one.shown, link, visit.bot.voting.may_manage(person, one.shown.poll), may_mark=person.is_admin)
        for one, link in zip(found, links, strict=True)
    ]
    await visit.answer(polls.listed(entries, t))


async def more(visit: Visit, value: str) -> None:
    """What was chosen in the menu of a poll in the list."""
    poll_id, _, wanted = value.partition("/")
    if wanted == polls.MORE_RESULTS:
        await results(visit, poll_id)
    elif wanted == polls.MORE_CLOSE:
        found = await visit.bot.voting.close(await visit.person(), _number(poll_id))
        t = await visit.words()
        await visit.answer(polls.results(found, t, t.gettext("The poll is closed. Its message shows the result.")))
    elif wanted in (polls.MORE_DECIDES, polls.MORE_DECIDES_NOT):
        decides = wanted == polls.MORE_DECIDES
        poll = await visit.bot.deciding.mark(await visit.person(), _number(poll_id), decides=decides)
        await visit.answer(polls.marked(poll, await visit.words(), decides=decides))
    elif wanted == polls.MORE_EXPORT:
        await _export(visit, _number(poll_id))
    else:
        raise Refusal(RefusalCode.UNKNOWN_POLL)


async def _export(visit: Visit, poll_id: int) -> None:
    """The poll as a file, in the direct conversation of whoever asked for it."""
    person, t = await visit.person(), await visit.words()
    found, ballots = await visit.bot.voting.export(person, poll_id)
    texts = {one.id: poll_words.option_text(found.poll, one, t) for one in found.poll.options}
    content = exported(found, ballots, texts, poll_words.question(found.poll, t))
    if not await sent(visit, f"finops-poll-{poll_id}.csv", content, polls.file_words(found, t)):
        told = t.gettext("FinOps may not send files here (files:write). The results in words:")
        await visit.answer(polls.results(found, t, told))
        return
    await visit.answer(polls.said(t.gettext("The file is in your direct messages with FinOps.")))


async def _form(visit: Visit, kind: PollKind, question: str = "") -> None:
    before = Form.of(visit, visit.view or {}).conversation(ids.POLL_CHANNEL)  # in the window somebody comes from
    now, channel = visit.bot.clock(), visit.channel_id or before
    closes = (now + _USUALLY_OPEN).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    draft = PollDraft(
        question.strip()[:LONGEST_QUESTION], "", channel if channel[:1] in ("C", "G") else "", closes, kind
    )
    await visit.open(poll_forms.form(draft, await visit.known()))


def _counts(voted: Voted, t: Translator) -> kit.Message:
    """What of this person counts now: of two clicks that overtook each other both answers say the same."""
    if not voted.chosen:
        return polls.withdrawn(voted.poll, t)
    return polls.voted(voted.poll, voted.chosen, voted.shown, t, was_changed=voted.was_changed, is_same=voted.is_same)


async def _voter_words(visit: Visit) -> Translator:
    """A voter's language as far as we know it, else the channel's: hundreds vote within seconds, and Slack lets us look
    up only so many people in a minute."""
    if await visit.bot.people.known(visit.workspace_id, visit.user_id) is None and visit.channel_id is not None:
        return await visit.public_words(visit.channel_id)
    return await visit.known()


async def _link(visit: Visit, one: Listed) -> str | None:
    """Where its message stands, as a link; None where Slack does not say."""
    if one.channel_id is None or one.ts is None:
        return None
    return await permalink(visit, one.channel_id, one.ts)


def _number(value: object) -> int:
    """A poll's id; -1, which is nobody's, when somebody sent something else."""
    return int(value) if isinstance(value, str) and kit.is_key(value) else -1
