"""Reports of weeks: asked by words or by a button, shared, and where digests are told: the settings window."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from blocks import bad_news, digest, digest_settings, ids, kit
from blocks.digest_parts import DigestKey
from blocks.digest_settings import Place
from bot.digest_channels import cron_of, time_of, usual_channel
from bot.errors import Refusal, RefusalCode, explain
from finops.digest import WEEKDAYS, DigestChannel, DigestShown, DigestVersion
from finops.queries import ScopeKind
from handlers.status import has_channel, mark, tell_channel
from handlers.submitting import Back, Form, Outcome, Problem
from handlers.teams import number
from handlers.visit import Visit

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_FIELDS = {
    RefusalCode.DIGEST_CHANNEL_TAKEN.value: ids.DIGEST_PLACE,
    RefusalCode.CHANNEL_MISSING.value: ids.DIGEST_PLACE,
}


async def ask(visit: Visit, words: str) -> None:
    """`/finops report [team] [week]`"""
    person = await visit.person()
    shown = await visit.bot.digests.report(person, words)
    await visit.answer(await _report(visit, shown))


async def show(visit: Visit, value: str) -> None:
    """The whole report of the week on a button; beside it, or in a window from Home."""
    if visit.channel_id is None or visit.is_in_modal:
        await visit.loading()
    await visit.answer(await _report(visit, await _again(visit, value)))


async def share(visit: Visit, value: str) -> None:
    """Show the week to the channel, in the channel's language."""
    channel = visit.channel_id
    if channel is None:
        return
    message = digest.shared(await _again(visit, value), await visit.public_words(channel), visit.user_id)
    await tell_channel(visit, channel, message)


async def rule(visit: Visit) -> None:
    """How projects are ranked."""
    await visit.open(digest.rule(await visit.known()))


async def daily(visit: Visit, words: str = "") -> None:
    """`/finops daily`: yesterday and today so far, to whoever asks."""
    del words
    await visit.person()
    card = await visit.bot.digests.daily(visit.workspace_id, ScopeKind.WORKSPACE, None)
    assert card is not None, "only a named day can be past"
    await visit.answer(digest.daily(card, await visit.words()))


async def settings(visit: Visit) -> None:
    """Where digests are told, as far as this person decides that."""
    await visit.in_place()
    await _list(visit)


async def edit(visit: Visit, value: str) -> None:
    """Open one place."""
    await visit.in_place()
    place = await _place(visit, number(value))
    await visit.show(digest_settings.edit(await visit.words(), place, await _names(visit)))


async def add(visit: Visit) -> None:
    """Open a new place."""
    await visit.in_place()
    names = await _names(visit)
    choices = await _choices(visit, names)
    if not choices:
        await visit.bot.people.require_admin(await visit.person())  # an old window: it refuses, and says who may
    channel = usual_channel(visit.workspace_id, ScopeKind.WORKSPACE, None, visit.bot.clock())
    shown = await _shown(visit, replace(channel, is_mailed=False))
    await visit.show(digest_settings.edit(await visit.words(), shown, names, choices))


async def submit(form: Form) -> Outcome:
    """A place was filled in."""
    visit = form.visit
    t, names = await visit.words(), await _names(visit)
    held = form.number("place")
    channel = await _filled(form, held)
    try:
        if not channel.channel_id and held == 0:
            raise Refusal(RefusalCode.CHANNEL_MISSING)
        kept = await visit.bot.digests.channels.configure(await visit.person(), channel, await visit.groups())
    except Refusal as refusal:
        field = _FIELDS.get(refusal.code)
        if field is None:
            raise
        said = bad_news.sentence(explain(refusal), t)
        choices = await _choices(visit, names) if held == 0 else ()
        again = digest_settings.edit(t, await _shown(visit, channel), names, choices, said)
        return Problem.beside(field, said, again)
    notice = digest_settings.saved_words(await _shown(visit, kept), names, t)
    return Back(await _listed(visit, notice))


async def _filled(form: Form, held: int) -> DigestChannel:
    """What stands in the window, over what was there; anything else counts as not chosen."""
    visit = form.visit
    if held == 0:
        kind, _, team = form.selected(ids.DIGEST_OF).partition(":")
        scope = ScopeKind.TEAM if kind == ScopeKind.TEAM else ScopeKind.WORKSPACE
        before = usual_channel(visit.workspace_id, scope, number(team) if team else None, visit.bot.clock())
    else:
        before = (await _place(visit, held)).channel
    weekday, hour, minute = time_of(before.cron)
    if form.selected(ids.DIGEST_WEEKDAY) in WEEKDAYS:
        weekday = form.selected(ids.DIGEST_WEEKDAY)
    if at := _TIME.fullmatch(form.selected(ids.DIGEST_TIME)):
        hour, minute = int(at[1]), int(at[2])
    zone = form.selected(ids.DIGEST_ZONE)
    if zone == digest_settings.USUAL or zone in await visit.bot.digests.channels.zones(visit.workspace_id):
        before = replace(before, timezone="" if zone == digest_settings.USUAL else zone)
    version, language = form.selected(ids.DIGEST_VERSION), form.selected(ids.DIGEST_LANGUAGE)
    ways = set(form.chosen(ids.DIGEST_WAYS))
    return replace(
        before,
        channel_id=form.conversation(ids.DIGEST_PLACE),
        version=DigestVersion(version) if version in set(DigestVersion) else before.version,
        locale=language if language in digest_settings.LANGUAGES else "",
        cron=cron_of(weekday, hour, minute),
        is_enabled=digest_settings.WEEKLY in ways,
        is_mailed=digest_settings.MAIL in ways and before.scope is ScopeKind.WORKSPACE,
        is_daily=digest_settings.DAILY in ways,
    )


async def _report(visit: Visit, shown: DigestShown) -> kit.Message:
    person = await visit.person()
    can_set = person.is_admin or bool(await visit.bot.teams.managed_by(person))
    return digest.report(
        shown, await visit.words(), can_share=has_channel(visit), can_set=can_set, mark=mark(visit) or ""
    )


async def _again(visit: Visit, value: str) -> DigestShown:
    await visit.person()
    key = DigestKey.parse(value)
    if key is None:
        raise Refusal(RefusalCode.UNKNOWN_DIGEST)
    return await visit.bot.digests.report_of(visit.workspace_id, key.kind, key.id, key.week)


async def _list(visit: Visit) -> None:
    await visit.show(await _listed(visit))


async def _listed(visit: Visit, notice: str | None = None) -> kit.View:
    rows = await visit.bot.digests.channels.of(await visit.person(), await visit.groups())
    places = [await _shown(visit, one) for one in rows]
    return digest_settings.listed(await visit.words(), places, await _names(visit), notice)


async def _place(visit: Visit, row_id: int) -> Place:
    """One of the places this person decides about; any other is refused."""
    rows = await visit.bot.digests.channels.of(await visit.person(), await visit.groups())
    found = next((one for one in rows if one.id == row_id), None)
    if found is None:
        raise Refusal(RefusalCode.UNKNOWN_DIGEST)
    return await _shown(visit, found)


async def _shown(visit: Visit, channel: DigestChannel) -> Place:
    workspace = await visit.bot.people.workspace(visit.workspace_id)
    zone = workspace.timezone if workspace is not None else visit.bot.policy.default_timezone
    zones = await visit.bot.digests.channels.zones(visit.workspace_id)
    return Place(channel, *time_of(channel.cron), channel.timezone or zone, zone, zones)


async def _names(visit: Visit) -> Mapping[int, str]:
    return {team.id: team.name for team in await visit.bot.teams.all(visit.workspace_id)}


async def _choices(visit: Visit, names: Mapping[int, str]) -> list[tuple[str, str]]:
    """Whose digest this person may have told at another place."""
    person, t = await visit.person(), await visit.words()
    managed = await visit.bot.teams.managed_by(person, await visit.groups())
    whole = [(ScopeKind.WORKSPACE.value, t.gettext("Whole workspace"))] if person.is_admin else []
    return [*whole, *((f"{ScopeKind.TEAM.value}:{team.id}", names.get(team.id, team.name)) for team in managed)]
