"""Bad news in words: what happened, what still holds, what to do. No blame, no jargon but the reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from blocks import budget_words, exchange, feedback, interviews, kit, period_words, poll_words, stop_news
from blocks.outages import provider_words
from locales import Translator

Values = Mapping[str, object]
Words = Callable[[Values, Translator], str]
# So many names are told of those there are.
_SHOWN = 5


class News(Protocol):
    """What bot.errors.explain returns."""

    @property
    def kind(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def values(self) -> Mapping[str, object]: ...
    @property
    def reference(self) -> str | None: ...


def sentence(news: News, t: Translator) -> str:
    """The news as mrkdwn, without its reference."""
    match news.kind:
        case "refusal":
            return refusal_words(news.code, news.values, t)
        case "outage":
            return provider_words(news.code, news.values, t)
        case _:
            return t.gettext("Something broke on our side. Nothing was changed halfway; what was saved before is kept.")


def typed_key_words(news: News, t: Translator) -> str:
    """The news about a key somebody just typed: nothing stood on it yet, so nothing is lost."""
    if news.code == "key_rejected":
        return t.gettext(
            "OpenAI does not accept this key: it was revoked, has expired, or was not copied whole. It was not saved."
        )
    return sentence(news, t)


def locked_out(t: Translator) -> str:
    """What is said where Slack refuses our token, and so does not tell the reader's language either."""
    return t.gettext(
        "FinOps cannot answer now: Slack does not accept its token. If that goes on, ask whoever runs FinOps to "
        "install it again."
    )


def message(news: News, t: Translator) -> kit.Message:
    """Bad news for one person's eyes."""
    said = sentence(news, t)
    return kit.message(said.replace("*", ""), [kit.section(said), *_reference(news, t)])


def view(news: News, t: Translator, title: str | None = None) -> kit.View:
    """The same in a modal that was already open."""
    parts = [kit.alert(sentence(news, t)), *_reference(news, t)]
    # i18n: title of a modal, 24 characters
    heading = title or t.gettext("Not done")
    return kit.modal(heading, parts, close=t.gettext("Close"), callback_id="info")


def _reference(news: News, t: Translator) -> list[kit.Block]:
    if not news.reference:
        return []
    if news.kind == "bug":
        told = t.gettext("Tell your admin this reference: {reference}", reference=f"`{news.reference}`")
    else:
        told = t.gettext("Reference {reference}", reference=f"`{news.reference}`")
    return [kit.context(told)]


def refusal_words(code: str, values: Values, t: Translator) -> str:
    """Why not, and who can or what would."""
    words = REFUSALS.get(code)
    if words is None:
        return t.gettext("That is not possible here.")
    return words(values, t)


def people(values: Values, key: str, t: Translator) -> str:
    """Mentions of the people named under `key`, at most five."""
    given = values.get(key)
    ids = [given] if isinstance(given, str) else list(given) if isinstance(given, Sequence) else []
    return kit.mentions(ids) or t.gettext("an admin")


def _text(values: Values, key: str, limit: int = kit.NAME) -> str:
    return kit.name(str(values.get(key) or "-"), limit)


def _not_manager(values: Values, t: Translator) -> str:
    """Who may act for a team; its lead is asked only where they still could."""
    team, admins = _text(values, "team"), people(values, "admins", t)
    if values.get("lead") is None:
        return t.gettext(
            "Only the lead or an approver of *{team}* can do this. Ask {people}.", team=team, people=admins
        )
    return t.gettext(
        "Only the lead or an approver of *{team}* can do this. Ask {lead} or {people}.",
        team=team,
        lead=people(values, "lead", t),
        people=admins,
    )


def _groups_unread(values: Values, t: Translator) -> str:
    """That nobody knows whether they may; who could is named, for Slack may go on not saying."""
    named = [values.get("lead"), *(admins if isinstance(admins := values.get("admins"), Sequence) else ())]
    return t.gettext(
        "Slack did not say who is in the user group that approves for *{team}*, so nobody knows whether you may do "
        "this. Nothing was done: try again in a moment, or ask {people}.",
        team=_text(values, "team"),
        people=people({"people": tuple(dict.fromkeys(filter(None, named)))}, "people", t),
    )


def _clock(values: Values, key: str, t: Translator) -> str:
    given = values.get(key)
    return t.moment(given) if isinstance(given, datetime) else "-"


def _known_or_choices(values: Values, t: Translator) -> str:
    words = _text(values, "words")
    suggestion = values.get("suggestion")
    if suggestion:
        return t.gettext(
            "There is no team or project called *{words}*. Did you mean *{suggestion}*?",
            words=words,
            suggestion=_text(values, "suggestion"),
        )
    choices = _choices(values, t)
    if choices:
        return t.gettext(
            "There is no team or project called *{words}*. There are: {choices}", words=words, choices=choices
        )
    return t.gettext("There is no team or project called *{words}*. None is registered yet.", words=words)


def _several(values: Values, t: Translator) -> str:
    return t.gettext(
        "Several names begin with *{words}*: {choices}. Type a little more of the one you mean.",
        words=_text(values, "words"),
        choices=_choices(values, t) or "-",
    )


def _choices(values: Values, t: Translator) -> str:
    """The first few names there are to choose from, and how many more; '' where there are none."""
    given = values.get("choices")
    choices = [kit.name(str(one), 40) for one in given] if isinstance(given, Sequence) else []
    names, more = ", ".join(choices[:_SHOWN]), len(choices) - _SHOWN
    return t.ngettext("{names} and {count} more", "{names} and {count} more", more, names=names) if more > 0 else names


def _week_open(values: Values, t: Translator) -> str:
    monday = values.get("monday")
    if not isinstance(monday, date):
        return t.gettext("That week has not ended yet. Ask for an earlier one: `/finops report last week`")
    return t.gettext(
        "The week from {day} on has not ended yet, so it cannot be compared. Ask for an earlier one: "
        "`/finops report last week`, or see `/finops status week`.",
        day=t.day(monday),
    )


def _period(values: Values, t: Translator) -> str:
    words = str(values.get("words") or "")
    suggestion = period_words.in_reply(words, str(values.get("suggestion") or "") or None, t)
    if suggestion is not None:
        return t.gettext(
            "I don't know the period *{words}*. Did you mean `{suggestion}`?",
            words=_text(values, "words"),
            suggestion=kit.escape(suggestion),
        )
    return t.gettext(
        "I don't know the period *{words}*. Try: `today`, `yesterday`, `7d`, `last week`, `month`, `last month`.",
        words=_text(values, "words"),
    )


# One entry for every bot.errors.RefusalCode, and two of the handlers' own; a test compares the two.
REFUSALS: dict[str, Words] = {
    "not_admin": lambda v, t: t.gettext("Only an admin can do this. Ask {people}.", people=people(v, "admins", t)),
    "no_admin_yet": lambda _, t: t.gettext(
        "Nobody administers FinOps here yet. The first Slack workspace admin who starts `/finops setup` becomes "
        "its admin."
    ),
    "not_team_manager": _not_manager,
    "groups_unread": _groups_unread,
    "unknown_token": lambda _, t: t.gettext("This token is no longer in force; somebody revoked it meanwhile."),
    "token_name_missing": lambda _, t: t.gettext("Give the token the name of the application that uses it."),
    "tokens_full": lambda v, t: t.gettext(
        "{limit} tokens are in force already. Revoke one that nobody uses.", limit=_text(v, "limit")
    ),
    "target_amount": lambda v, t: t.gettext(
        "The target was not saved. {why}", why=budget_words.amount_mistake(v.get("mistake"), t)
    ),
    "exchange_rate": lambda v, t: exchange.mistake_words(v.get("mistake"), v.get("currency"), t),
    "caps_line": lambda v, t: t.gettext(
        "Line {line} cannot be read. Each line is `segment: a call / a user's day`, for example `sales: 0.02 / 1`.",
        line=_text(v, "line"),
    ),
    "rating_too_old": lambda _, t: t.gettext("This week can no longer be rated. The next digest asks again."),
    "team_name_missing": lambda _, t: t.gettext("Give the team a name."),
    "team_name_too_long": lambda v, t: t.gettext(
        "The name is too long: {limit} characters fit.", limit=_text(v, "limit")
    ),
    "team_name_taken": lambda v, t: t.gettext(
        "There is a team called *{team}* already. Choose another name.", team=_text(v, "team")
    ),
    "channel_missing": lambda _, t: t.gettext("Choose the channel where the team hears about its costs."),
    "language_unknown": lambda _, t: t.gettext("FinOps speaks 한국어, English and 日本語. Choose one of them."),
    "lead_is_bot": lambda _, t: t.gettext("A bot cannot lead a team. Choose a person."),
    "lead_is_guest": lambda _, t: t.gettext("A guest cannot lead a team. Choose a member of this workspace."),
    "approver_is_bot": lambda _, t: t.gettext("A bot cannot approve. Choose a person."),
    "approver_is_guest": lambda _, t: t.gettext("A guest cannot approve. Choose a member of this workspace."),
    "unknown_team": lambda _, t: t.gettext("This team is no longer there; somebody removed it meanwhile."),
    "unknown_credential": lambda _, t: t.gettext("This key is no longer there; somebody deleted it meanwhile."),
    "unknown_connection": lambda _, t: t.gettext("This connection is no longer there; somebody removed it meanwhile."),
    "not_a_key": lambda _, t: t.gettext(
        "This is not an OpenAI Admin key. It begins with `sk-admin-`; copy the whole line from the console."
    ),
    "key_of_project": lambda _, t: t.gettext(
        "This is a project key (`sk-proj-`), which can call models but not read the bill. An *Admin key* "
        "(`sk-admin-`) is "
        "needed. The key was not saved."
    ),
    "key_of_service_account": lambda _, t: t.gettext(
        "This is a service account key (`sk-svcacct-`), which cannot read the bill. An *Admin key* (`sk-admin-`) "
        "is needed. "
        "The key was not saved."
    ),
    "key_of_user": lambda _, t: t.gettext(
        "This is a user key (`sk-`), which cannot read the bill. An *Admin key* (`sk-admin-`) is needed. The key "
        "was not saved."
    ),
    "key_of_anthropic": lambda _, t: t.gettext(
        "This is an Anthropic key. Anthropic cannot be connected yet; an OpenAI Admin key (`sk-admin-`) can. "
        "The key was not saved."
    ),
    "key_of_something_else": lambda _, t: t.gettext(
        "This is a secret of another service. It was not saved; revoke it there if you pasted it by mistake."
    ),
    "key_cannot_read_costs": lambda _, t: t.gettext(
        "This Admin key may not read costs, so it was not saved. Give it the *Usage: read* permission in the OpenAI "
        "console, or create a new Admin key with it."
    ),
    "key_already_registered": lambda v, t: t.gettext(
        "This key is registered already, by *{team}* (ends with ...{ends_with}). Each team has a key of its own: "
        "create another in the console. One organization is counted once, however many keys read it.",
        team=_text(v, "team"),
        ends_with=_text(v, "ends_with"),
    ),
    "key_of_other_organization": lambda v, t: t.gettext(
        "This key belongs to *{pasted}*, but the key it would replace belongs to *{registered}*. Register it as "
        "a new key "
        "instead.",
        pasted=_text(v, "pasted"),
        registered=_text(v, "registered"),
    ),
    "no_key": lambda v, t: t.gettext(
        "*{team}* has no enabled Admin key to ask with. Register or enable one first: `/finops key`",
        team=_text(v, "team"),
    ),
    "nothing_chosen": lambda _, t: t.gettext("Choose at least one project, or type its id."),
    "unknown_project": lambda v, t: (
        t.gettext("This project is no longer there; somebody removed it meanwhile.")
        if v.get("project_id") is None
        else t.gettext(
            "OpenAI knows no project {project} for this key. Its id begins with `proj_` and stands in the project's "
            "settings.",
            project=f"`{_text(v, 'project_id')}`",
        )
    ),
    "archived_project": lambda v, t: t.gettext(
        "*{project}* is archived at OpenAI and spends nothing any more. Choose an active project.",
        project=_text(v, "project"),
    ),
    "project_not_verifiable": lambda v, t: t.gettext(
        "We could not check {project}: this key may not list projects, and no cost names it yet. Give the key the "
        "*Management: read* permission, or try again when the project has spent something.",
        project=f"`{_text(v, 'project_id')}`",
    ),
    "nothing_to_collect": lambda _, t: t.gettext(
        "There is nothing to collect yet: no key is enabled. Begin here: `/finops key`"
    ),
    "unknown_incident": lambda _, t: t.gettext("This alert is no longer there."),
    "incident_closed": lambda _, t: t.gettext(
        "This alert is closed, so nothing was changed. The message shows how it ended."
    ),
    "incident_acknowledged": lambda v, t: t.gettext(
        "{person} acknowledged this already at {time}. The message shows it now.",
        person=people(v, "person", t),
        time=_clock(v, "at", t),
    ),
    "incident_silenced": lambda v, t: t.gettext(
        "{person} silenced these alerts already until {time}. The message shows it now.",
        person=people(v, "person", t),
        time=_clock(v, "until", t),
    ),
    "incident_not_silenced": lambda _, t: t.gettext("These alerts are on already. The message shows it now."),
    "silence_past": lambda _, t: t.gettext("That time is over already, so nothing was silenced. Choose a later one."),
    "silence_too_long": lambda v, t: t.gettext(
        "Alerts can be silenced for {days} days at most, so nothing was changed. Choose an earlier time.",
        days=_text(v, "days"),
    ),
    **budget_words.REFUSALS,
    "budget_changed": lambda v, t: t.gettext(
        "{person} changed this budget at {time}, so nothing was saved. Open it again to see how it stands.",
        person=budget_words.who(v.get("person"), t),
        time=_clock(v, "at", t),
    ),
    **stop_news.REFUSALS,
    **poll_words.REFUSALS,
    **feedback.REFUSALS,
    **interviews.REFUSALS,
    "unknown_scope": _known_or_choices,
    "several_scopes": _several,
    "unknown_period": _period,
    "unknown_trial": lambda _, t: t.gettext("This test alert is from long ago. Send a new one: `/finops doctor`"),
    "unknown_digest": lambda _, t: t.gettext("That digest is not there any more. Ask again: `/finops report`"),
    "digest_channel_taken": lambda _, t: t.gettext(
        "This digest is told in that channel already. Change that place instead."
    ),
    "week_open": _week_open,
    "changed_at_once": lambda _, t: t.gettext(
        "Somebody else changed the same thing at the same moment. Look at how it stands now, and press again if that "
        "is not what you want."
    ),
    "too_busy": lambda _, t: t.gettext(
        "Too much is asked of the bot at this moment, so this was not done. What was saved is kept; ask again in a "
        "minute."
    ),
    "window_too_late": lambda _, t: t.gettext("The window could not open in time. Nothing was changed; press again."),
}
