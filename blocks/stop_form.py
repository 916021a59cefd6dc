"""The window before a stop: who is hit, what can be done and what each does not do; and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from blocks import figures, ids, incident_words, kit, stops, why_words
from blocks import stop_words as words
from blocks.stop_approval import ApprovalDraft, ApprovalFacts, approval_of, approve
from blocks.stop_list import listed
from finops.charges import FigureState
from finops.frozen import frozen
from finops.incident_report import IncidentShown
from finops.levers import Lever
from finops.money import total
from finops.stop_report import AffectedKey, AffectedProject, BlastRadius, StopShown
from finops.stopping import LONGEST_REASON
from finops.stops import UNDER_WAY, Stop, StopState
from locales import Translator

__all__ = [
    "ApprovalDraft",
    "ApprovalFacts",
    "StopBreadth",
    "StopDraft",
    "StopWhat",
    "approval_of",
    "approve",
    "collection_changed",
    "confirm",
    "done",
    "listed",
]

Parts = list[kit.Block | kit.Either]
_PROJECTS_SHOWN, _KEYS_SHOWN, _NAMES_SHOWN = 8, 6, 12
# Of the 3,000 characters that a window carries.
_IDS_CARRIED = 250


class StopWhat(StrEnum):
    """The values of the radio STOP_WHAT: three levers (finops.levers.Lever), and two that stop no spending."""

    STOP = "stop"
    SLOW = "slow"
    CHEAP = "cheap"
    COLLECTING_OFF = "collecting_off"  # disables our Admin keys of the connection
    EXCLUDED = "excluded"  # takes the projects out of collection


class StopBreadth(StrEnum):
    """The values of the radio STOP_BREADTH, there only where a team has more projects than the target."""

    PROJECT = "project"
    TEAM = "team"


@frozen
class StopDraft:
    """What stands in the window before a stop: chosen and typed, not judged."""

    what: str = StopWhat.STOP.value
    breadth: str = StopBreadth.PROJECT.value
    reason: str = ""


def drafted(shown: IncidentShown, t: Translator) -> StopDraft:
    """The window as an alert begins it: what it suspects, else its limit, is the reason that one may keep or change.

    In an emergency nobody has to type before it stops.
    """
    suspected = why_words.conclusion(shown.cause, t) if shown.cause is not None else ""
    name, limit = incident_words.limit_name(shown.budget.period, t), figures.decided(shown.limit, t)
    reached = t.gettext(
        "{limit_name} {limit}: {percent}% spent", limit_name=name, limit=limit, percent=t.number(shown.percent)
    )
    return StopDraft(reason=suspected or reached)


def confirm(radius: BlastRadius, t: Translator, draft: StopDraft | None = None, problem: str | None = None) -> kit.View:
    """The window before a stop (VIEW_STOP): who is hit, what to do, why.

    Metadata: target, seen (ISO time), projects and team_projects (the ids that are shown; without what is more than a
    window carries: of that, those there are at the submission).
    A stop that is in force already is shown instead, with the ways out of it, and nothing to submit.
    """
    if radius.held is not None and radius.held.state in UNDER_WAY:
        return _already(radius, radius.held, t, problem)
    given = draft or StopDraft()
    question = _question(len(radius.projects), t)
    parts: Parts = [kit.alert(problem)] if problem else []
    parts += [] if radius.may_stop else _helpless(t)
    parts += [kit.alert(words.stranger_words(radius.stranger, t), "warning")] if radius.stranger else []
    parts += [kit.alert(f"*{question}*", "error"), kit.section(f"*{kit.escape(_title(radius, t))}*")]
    parts += [kit.fields(_totals(radius, t)), *_hour(radius, t)]
    parts += _hit(radius, t)
    parts.append(_what(radius, given, t))
    breadth = _breadth(radius, given, t)
    if breadth is not None:
        parts.append(breadth)
    parts.append(_reason(given, t))
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Stop now"),
        parts,
        # i18n: button of a modal, 24 characters
        submit=t.gettext("Yes, stop at once"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_STOP,
        metadata={"target": str(radius.target), "seen": radius.seen_at.isoformat(), **_shown_ids(radius)},
    )


def _question(projects: int, t: Translator) -> str:
    if projects <= 1:
        return t.gettext("Every application that uses this project's keys stops. Continue?")
    return t.gettext(
        "Every application that uses the keys of these {count} projects stops. Continue?", count=t.number(projects)
    )


def _shown_ids(radius: BlastRadius) -> dict[str, list[int]]:
    found = {
        "projects": [one.project_id for one in radius.projects],
        "team_projects": [one.project_id for one in radius.team_projects],
    }
    if sum(len(each) for each in found.values()) > _IDS_CARRIED:
        del found["team_projects"]  # of the target itself what was seen is meant, however large its team
    return found if sum(len(each) for each in found.values()) <= _IDS_CARRIED else {}


def _helpless(t: Translator) -> Parts:
    """Before somebody counts on it: the stop will most likely be refused, and who can mend that."""
    said = t.gettext(
        "None of our keys of this organization is known to have the right to stop (*Management: write*), so OpenAI "
        "will most likely refuse. Ask an owner of the organization for an Admin key that has it, and register it "
        "besides the present one. Until then a limit can be set in the OpenAI console."
    )
    return [kit.alert(said, "warning"), kit.actions(kit.button(t.gettext("Manage keys"), ids.KEY_MANAGE))]


def done(shown: StopShown, reader: str, t: Translator) -> kit.View:
    """After any of the windows: how the stop stands now for the reader (a user id), and where it goes on."""
    parts: Parts = [
        kit.header(f"{words.who(shown, t)} - {words.what(shown, t)}"),
        *stops.parts(shown, t, reader=reader),
    ]
    parts.append(kit.context(t.gettext("The message in the channel follows it and shows every step.")))
    return kit.modal(_done_title(shown, t), parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def _done_title(shown: StopShown, t: Translator) -> str:
    """What was done, in a window's title."""
    match shown.stop.state:
        case StopState.ALLOWED:
            return t.gettext("Approve spending")
        case StopState.RESTORING | StopState.RESTORED:
            return t.gettext("Restore spending")
    return _stop_title(t)


def collection_changed(what: StopWhat, names: Sequence[str], t: Translator) -> kit.View:
    """After COLLECTING_OFF (`names`: last characters of the keys) or EXCLUDED (`names`: projects)."""
    if what is StopWhat.COLLECTING_OFF:
        said = t.gettext("Only collecting stopped. *Spending does not stop.*")
        named = t.gettext("Disabled keys: {names}", names=_names([f"...{name}" for name in names], t))
        back = t.gettext("Enable them again at any time: `/finops key`")
    else:
        said = t.gettext("Taken out of collection. *Spending does not stop.*")
        named = t.gettext("Projects: {names}", names=_names(names, t))
        back = t.gettext("Include them again at any time: `/finops project`")
    parts = [kit.section(said), kit.section(named), kit.context(back)]
    return kit.modal(_stop_title(t), parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def _stop_title(t: Translator) -> str:
    # i18n: title of a modal, 24 characters
    return t.gettext("Stop spending")


def _already(radius: BlastRadius, held: Stop, t: Translator, problem: str | None) -> kit.View:
    """Somebody was first: who, when, and the ways on from here."""
    person = _person(held.requested_by, t)
    said = t.gettext(
        "{lever}: requested already by {person} at {time}.",
        lever=f"*{words.lever_name(held.lever, t)}*",
        person=person,
        time=t.moment(held.requested_at),
    )
    key = f"stop:{held.id}"
    parts: Parts = [kit.alert(problem)] if problem else []
    parts += [kit.section(f"*{kit.escape(_title(radius, t))}*"), kit.alert(said, "info")]
    if held.state is StopState.RESTORING:
        parts.append(kit.section(t.gettext("It is being put back at this moment.")))
    else:
        firmer = None
        if held.lever is not Lever.STOP:
            firmer = kit.button(t.gettext("Stop further"), ids.STOP_FIRMER, key, style="danger")
        row = kit.actions(firmer, stops.restore_button(key, t, "primary"), stops.conditional_button(key, t))
        parts.append(row)
    parts.append(kit.context(t.gettext("The message in the channel follows it and shows every step.")))
    return kit.modal(_stop_title(t), parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def _person(user_id: str | None, t: Translator) -> str:
    if user_id is None:
        return t.gettext("the budget's rule")
    return kit.mention(user_id, t.gettext("somebody"))


def _title(radius: BlastRadius, t: Translator) -> str:
    """Team and project, as plain text."""
    named = [kit.bare(radius.team.name)] if radius.team is not None else []
    if len(radius.projects) == 1:
        named.append(kit.bare(radius.projects[0].name))
    else:
        named.append(words.projects_count(len(radius.projects), t))
    return " · ".join(named)


def _totals(radius: BlastRadius, t: Translator) -> list[str]:
    """The last hour of all of them, their keys and owners. One unknown part makes the whole unknown, never smaller."""
    projects = radius.projects
    requests = [one.requests for one in projects]
    known = [count for count in requests if count is not None]
    keys = [len(one.keys) for one in projects if one.keys is not None]
    leads = list(dict.fromkeys(one.lead_user_id for one in projects if one.lead_user_id))
    unknown = t.gettext("unknown")
    is_counted = len(known) == len(projects) and bool(projects)
    facts = [
        (t.gettext("Requests, last hour"), t.number(sum(known)) if is_counted else unknown),
        (t.gettext("Spent, last hour"), _spent(projects, t) or unknown),
        (t.gettext("Keys hit"), t.number(sum(keys)) if len(keys) == len(projects) and projects else unknown),
        (t.gettext("In charge"), kit.mentions(leads) or t.gettext("nobody named")),
    ]
    return [f"{name}\n*{fact}*" for name, fact in facts]


def _spent(projects: Sequence[AffectedProject], t: Translator) -> str | None:
    """What all of them spent together; None where part of it is unknown."""
    spent = [one.spent for one in projects if one.spent is not None]
    if not spent or len(spent) < len(projects) or len({one.currency for one in spent}) > 1:
        return None
    return t.money(total(spent, spent[0].currency))


def _hour(radius: BlastRadius, t: Translator) -> list[kit.Block]:
    """How sure the last hour is, and when it ended; nothing where it is unknown."""
    if all(one.spent is None for one in radius.projects):
        return []
    until, zone = t.clock(radius.used_until), t.zone_name(radius.used_until)
    as_of = t.gettext("as of {moment} {zone}", moment=until, zone=zone)
    return [kit.context(f"{t.badge(FigureState.ESTIMATE)} · {as_of}")]


def _hit(radius: BlastRadius, t: Translator) -> Parts:
    """Project by project, its keys with whose they are and when they were last used."""
    if len(radius.projects) == 1 and not radius.projects[0].is_held:
        # The last hour and the lead of a single project stand above already.
        parts: Parts = [kit.section("\n".join(_keys(radius.projects[0].keys, t)))]
    else:
        parts = [kit.section(_project(one, t)) for one in radius.projects[:_PROJECTS_SHOWN]]
    more = len(radius.projects) - _PROJECTS_SHOWN
    if more > 0:
        parts.append(kit.context(t.ngettext("and {count} more project", "and {count} more projects", more)))
    inside = {one.project_id for one in radius.projects}
    others = [one for one in radius.team_projects if one.project_id not in inside]
    if others:
        named = _names([one.name for one in others], t)
        parts.append(kit.context(t.gettext("The team's other projects: {names}", names=named)))
    return parts


def _project(one: AffectedProject, t: Translator) -> str:
    facts = [f"*{kit.name(one.name)}*"]
    if one.is_held:
        facts.append(t.gettext("stopped already"))
    if one.requests is None:
        facts.append(t.gettext("requests unknown"))
    else:
        facts.append(t.ngettext("{count} request", "{count} requests", one.requests))
    facts.append(t.money(one.spent) if one.spent is not None else t.gettext("spending unknown"))
    if lead := kit.mention(one.lead_user_id, ""):
        facts.append(lead)
    return "\n".join([" · ".join(facts), *_keys(one.keys, t)])


def _keys(keys: Sequence[AffectedKey] | None, t: Translator) -> list[str]:
    if keys is None:
        return [t.gettext("△ Its keys are unknown: OpenAI did not list them.")]
    if not keys:
        return [t.gettext("No keys found in this project.")]
    newest = sorted(keys, key=lambda key: key.last_used_at.timestamp() if key.last_used_at else 0, reverse=True)
    lines = [f"• {_key(key, t)}" for key in newest[:_KEYS_SHOWN]]
    more = len(keys) - _KEYS_SHOWN
    if more > 0:
        lines.append(t.ngettext("and {count} more key", "and {count} more keys", more))
    return lines


def _key(key: AffectedKey, t: Translator) -> str:
    owner = kit.name(key.owner, 40) if key.owner.strip() else t.gettext("owner unknown")
    if key.is_service_account:
        owner = t.gettext("{owner} (service account)", owner=owner)
    used = t.gettext("never used")
    if key.last_used_at is not None:
        used = t.gettext("last used {time}", time=t.moment(key.last_used_at))
    return " · ".join([f"{kit.name(key.name, 40)} ...{kit.name(key.ends_with, 8)}", owner, used])


def _what(radius: BlastRadius, draft: StopDraft, t: Translator) -> kit.Block:
    """The levers, firmest first, and the two that stop no spending: each says what it does not do."""
    pace = radius.usual_pace
    slow = (
        t.gettext("Held at the usual pace. Spending goes on.")
        if pace is None
        else t.ngettext(
            "Held at the usual {count} call a minute. Spending goes on.",
            "Held at the usual {count} calls a minute. Spending goes on.",
            pace,
        )
    )
    levers = {
        Lever.STOP: t.gettext("The OpenAI limit becomes one cent. A restore puts the former one back."),
        Lever.CHEAP: t.gettext("Only {models}. Their spending goes on.", models=_models(radius.cheap_models, t)),
        Lever.SLOW: slow,
    }
    options = [
        kit.option(words.lever_name(lever, t), lever.value, said)
        for lever, said in levers.items()
        if lever in radius.levers
    ]
    if radius.connection_keys:
        said = t.gettext("Only collecting stops. Spending does not stop.")
        options.append(kit.option(t.gettext("Stop collecting"), StopWhat.COLLECTING_OFF.value, said))
    said = t.gettext("Takes the project out of the figures. Spending does not stop.")
    options.append(kit.option(t.gettext("Exclude from collecting"), StopWhat.EXCLUDED.value, said))
    hint = None
    if radius.connection_keys:
        named = ", ".join(f"...{kit.bare(ends, 8)}" for _, ends in radius.connection_keys[:_NAMES_SHOWN])
        hint = t.gettext("“Stop collecting” disables the Admin keys {keys}; applications use others.", keys=named)
    return _radio(ids.STOP_WHAT, t.gettext("What to do"), options, draft.what, hint)


def _models(models: Sequence[str], t: Translator) -> str:
    """One model by name and the number of the others: a description has 75 characters."""
    if not models:
        return t.gettext("the cheapest models")
    if len(models) == 1:
        return kit.bare(models[0], 24)
    return t.ngettext(
        "{model} and {count} other", "{model} and {count} others", len(models) - 1, model=kit.bare(models[0], 20)
    )


def _breadth(radius: BlastRadius, draft: StopDraft, t: Translator) -> kit.Block | None:
    if len(radius.team_projects) <= len(radius.projects):
        return None
    if len(radius.projects) == 1:
        only = t.gettext("Only this project")
    else:
        only = t.ngettext("Only this {count} project", "Only these {count} projects", len(radius.projects))
    every = t.gettext("All projects of the team ({count})", count=t.number(len(radius.team_projects)))
    options = [kit.option(only, StopBreadth.PROJECT.value), kit.option(every, StopBreadth.TEAM.value)]
    return _radio(ids.STOP_BREADTH, t.gettext("How far"), options, draft.breadth)


def _radio(name: str, label: str, options: Sequence[kit.Block], selected: str, hint: str | None = None) -> kit.Block:
    chosen = next((entry for entry in options if entry["value"] == selected), options[0])
    element: kit.Block = {"type": "radio_buttons", "options": list(options), "initial_option": chosen}
    return kit.input_block(name, label, element, hint=hint)


def _reason(draft: StopDraft, t: Translator) -> kit.Block:
    element = kit.typed(LONGEST_REASON, draft.reason, t.gettext("for example: a retry loop"), is_multiline=True)
    hint = t.gettext("Kept in the audit trail and shown in the message.")
    return kit.input_block(ids.STOP_REASON, t.gettext("Reason"), element, hint=hint)


def _names(names: Sequence[str], t: Translator) -> str:
    said = ", ".join(kit.name(one, 40) for one in names[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    if more <= 0:
        return said
    rest = t.ngettext("and {count} more", "and {count} more", more)
    return f"{said} {rest}"
