"""Digest settings: where, how and when Monday's digest and the daily card are told, one window for each place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from blocks import ids, kit
from finops.digest import WEEKDAYS, DigestChannel, DigestVersion
from finops.figures import ScopeKind
from finops.frozen import frozen
from locales import Translator

PLACES_SHOWN = 30
# What the boxes of a place are worth.
WEEKLY, MAIL, DAILY = "weekly", "mail", "daily"
USUAL = "usual"
_A_MONDAY = date(2024, 1, 1)
LANGUAGES = {"ko-KR": "한국어", "en-US": "English", "ja-JP": "日本語"}


@frozen
class Place:
    """A place as the window shows it: `weekday` ("mon"), `hour` and `minute` are its cron line taken apart.

    `zone` is the time zone they are meant in, `usual_zone` the workspace's, `zones` those one may choose besides.
    """

    channel: DigestChannel
    weekday: str
    hour: int
    minute: int
    zone: str
    usual_zone: str
    zones: Sequence[str] = ()


def listed(t: Translator, places: Sequence[Place], names: Mapping[int, str], notice: str | None = None) -> kit.View:
    """Every place this reader may decide about. `names` are those of teams by id."""
    parts = [kit.alert(notice, "success")] if notice else []
    parts += [
        kit.section(_line(one, names, t), kit.button(t.gettext("Change"), ids.DIGEST_EDIT, one.channel.id))
        for one in places[:PLACES_SHOWN]
    ]
    if not places:
        parts.append(kit.section(t.gettext("Admins and team leads decide where digests go. None of them is yours.")))
    else:
        parts += [kit.divider(), kit.actions(kit.button(t.gettext("Tell it in another channel too"), ids.DIGEST_ADD))]
    # i18n: title of a modal, 24 characters
    return kit.modal(t.gettext("Digest settings"), parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def edit(
    t: Translator, place: Place, names: Mapping[int, str], choices: Sequence[tuple[str, str]] = (), problem: str = ""
) -> kit.View:
    """One place; with `choices` (value and name of whose digest) a new one."""
    channel = place.channel
    is_new = channel.id == 0
    parts: list[kit.Block] = [kit.alert(problem)] if problem else []
    if is_new:
        entries = [kit.option(name, value) for value, name in choices[: kit.OPTIONS]]
        menu = kit.select(ids.DIGEST_OF, t.gettext("Whose digest"), entries, entries[0]["value"] if entries else None)
        parts.append(kit.input_block(ids.DIGEST_OF, t.gettext("Whose digest"), menu))
    else:
        parts.append(kit.section(f"*{kit.escape(_whose(channel, names, t))}*"))
    parts += [
        _place_input(channel, t),
        _version_input(channel, t),
        _language_input(channel, t),
        _weekday_input(place, t),
        _time_input(place, t),
        _zone_input(place, t),
        _ways_input(channel, t),
    ]
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Another place") if is_new else t.gettext("Change digest"),
        parts,
        submit=t.gettext("Save"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_DIGEST,
        metadata={"place": channel.id},
    )


def saved_words(place: Place, names: Mapping[int, str], t: Translator) -> str:
    """That a change is in, and what it means, for mrkdwn."""
    return t.gettext("Saved: {place}", place=_line(place, names, t).replace("\n", " · "))


def _line(place: Place, names: Mapping[int, str], t: Translator) -> str:
    channel = place.channel
    where = f"<#{channel.channel_id}>" if channel.channel_id else kit.escape(_usual_place(channel, t))
    facts = []
    if channel.is_enabled:
        facts.append(
            t.gettext(
                "every {weekday} {time} ({zone})",
                weekday=_weekday(place.weekday, t),
                time=_time(place),
                zone=place.zone,
            )
        )
        facts.append(version_name(channel.version, t))
    else:
        facts.append(t.gettext("no weekly digest"))
    if channel.is_enabled and channel.is_mailed and channel.scope is ScopeKind.WORKSPACE:
        facts.append(t.gettext("by e-mail as well"))
    if channel.is_daily:
        facts.append(t.gettext("a card every morning at {time}", time=_time(place)))
    return f"*{kit.escape(_whose(channel, names, t))}* · {where}\n{kit.escape(' · '.join(facts))}"


def _whose(channel: DigestChannel, names: Mapping[int, str], t: Translator) -> str:
    if channel.scope is ScopeKind.WORKSPACE:
        return t.gettext("Whole workspace")
    return kit.bare(names.get(channel.scope_id or 0, "-"))


def _usual_place(channel: DigestChannel, t: Translator) -> str:
    if channel.scope is ScopeKind.WORKSPACE:
        return t.gettext("direct messages to the admins")
    return t.gettext("the team's channel")


def version_name(version: DigestVersion, t: Translator) -> str:
    """For whom it is told."""
    if version is DigestVersion.BRIEF:
        return t.gettext("one page for the boss")
    return t.gettext("for the team")


def _place_input(channel: DigestChannel, t: Translator) -> kit.Block:
    element = kit.channel_select(channel.channel_id)
    if channel.id == 0:
        return kit.input_block(ids.DIGEST_PLACE, t.gettext("Channel"), element)
    hint = t.gettext("Empty: {usual}.", usual=_usual_place(channel, t))
    return kit.input_block(ids.DIGEST_PLACE, t.gettext("Channel"), element, hint=hint, is_optional=True)


def _version_input(channel: DigestChannel, t: Translator) -> kit.Block:
    entries = [kit.option(version_name(one, t), one.value) for one in DigestVersion]
    menu = kit.select(ids.DIGEST_VERSION, t.gettext("Version"), entries, channel.version.value)
    return kit.input_block(ids.DIGEST_VERSION, t.gettext("Version"), menu)


def _language_input(channel: DigestChannel, t: Translator) -> kit.Block:
    entries = [
        kit.option(t.gettext("As usual there"), USUAL),
        *(kit.option(name, code) for code, name in LANGUAGES.items()),
    ]
    held = channel.locale if channel.locale in LANGUAGES else USUAL
    menu = kit.select(ids.DIGEST_LANGUAGE, t.gettext("Language"), entries, held)
    return kit.input_block(ids.DIGEST_LANGUAGE, t.gettext("Language"), menu)


def _weekday_input(place: Place, t: Translator) -> kit.Block:
    entries = [kit.option(_weekday(day, t), day) for day in WEEKDAYS]
    menu = kit.select(ids.DIGEST_WEEKDAY, t.gettext("Day of the week"), entries, place.weekday)
    return kit.input_block(ids.DIGEST_WEEKDAY, t.gettext("Day of the week"), menu)


def _time_input(place: Place, t: Translator) -> kit.Block:
    times = sorted({f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 30)} | {_time(place)})
    menu = kit.select(ids.DIGEST_TIME, t.gettext("Time"), [kit.option(one, one) for one in times], _time(place))
    hint = t.gettext("A week ends when its last charge day does (Monday 00:00 UTC), and is never told before that.")
    return kit.input_block(ids.DIGEST_TIME, t.gettext("Time"), menu, hint=hint)


def _zone_input(place: Place, t: Translator) -> kit.Block:
    held = place.channel.timezone
    named = sorted({place.usual_zone, *place.zones} - {held})[: kit.OPTIONS - 2]
    entries = [kit.option(t.gettext("the workspace's ({zone})", zone=place.usual_zone), USUAL)]
    entries += [kit.option(zone, zone) for zone in [*([held] if held else []), *named]]
    menu = kit.select(ids.DIGEST_ZONE, t.gettext("Time zone"), entries, held or USUAL)
    hint = t.gettext("Clocks that change are followed. The zones of everybody who has used the app here can be chosen.")
    return kit.input_block(ids.DIGEST_ZONE, t.gettext("Time zone"), menu, hint=hint)


def _ways_input(channel: DigestChannel, t: Translator) -> kit.Block:
    entries = [kit.option(t.gettext("The digest, every week"), WEEKLY)]
    if channel.scope is ScopeKind.WORKSPACE or channel.id == 0:
        said = t.gettext("To the addresses the operator named; of the whole workspace alone.")
        entries.append(kit.option(t.gettext("The digest by e-mail as well"), MAIL, said))
    entries.append(kit.option(t.gettext("A card every morning: yesterday, and today so far"), DAILY))
    held = {WEEKLY: channel.is_enabled, MAIL: channel.is_mailed, DAILY: channel.is_daily}
    element: kit.Block = {"type": "checkboxes", "options": entries}
    chosen = [entry for entry in entries if held[entry["value"]]]
    if chosen:
        element["initial_options"] = chosen
    return kit.input_block(ids.DIGEST_WAYS, t.gettext("What is told"), element, is_optional=True)


def _weekday(day: str, t: Translator) -> str:
    return t.weekday(_A_MONDAY + timedelta(days=WEEKDAYS.index(day)))


def _time(place: Place) -> str:
    return f"{place.hour:02}:{place.minute:02}"
