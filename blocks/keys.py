"""Keys: what was registered, and what can be done with it. The key itself is never shown, only how it ends."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from blocks import ids, kit
from blocks.setup import ADMIN_KEYS_URL
from blocks.teams import team_heading
from finops.registry import Credential, CredentialState, Team
from locales import Translator

_KEYS_SHOWN = 20


def registered(
    t: Translator, team: Team, credential: Credential, *, organization: str | None, rights: Collection[str],
    expires_at: datetime | None = None, is_shared: bool = False, projects_found: int | None = None,
    may_list: bool = False, is_setup: bool = True, others: Collection[str] = (),
) -> kit.View:  # fmt: skip
    """The key is in: which organization, which rights, and on to the projects. `others`: the team's organizations.

    `may_list`: whether the projects can be listed with another key where this one may not (`projects_found` None).
    """
    success = t.gettext("Admin API key registered (ends with ...{ends_with})", ends_with=kit.name(credential.ends_with))
    facts = [
        t.gettext(
            "*Organization*  {name}", name=kit.name(organization) if organization else t.gettext("not named by OpenAI")
        ),
        t.gettext("*Permissions*  {rights}", rights=_rights(rights, t)),
    ]
    if expires_at is not None:
        facts.append(t.gettext("*Expires*  {moment} {zone}", moment=t.moment(expires_at), zone=t.zone_name(expires_at)))
    parts = [kit.section(f":white_check_mark: *{success}*"), kit.section("\n".join(facts))]
    if others:
        said = t.gettext(
            "{team} already has keys of {organizations}. This one is of another organization, and its costs are "
            "collected as well. If that was not meant, delete it: `/finops key`",
            team=kit.name(team.name),
            organizations=", ".join(kit.name(one) for one in others),
        )
        parts.append(kit.alert(said, "warning"))
    if is_shared:
        parts.append(
            kit.context(
                t.gettext("This organization was connected before. It is collected once, so nothing is counted twice.")
            )
        )
    if projects_found is None and not may_list:
        parts.append(
            kit.context(
                t.gettext("This key may not list projects. Type their ids in the next step, or add *Management: read*.")
            )
        )
    if "management.write" not in rights:
        parts.append(
            kit.context(
                t.gettext(
                    "This key can look, but not stop: OpenAI did not confirm *Management: write*. To stop spending "
                    "from Slack, register a key that has it, now or later; it may be a second one."
                )
            )
        )
    parts.append(kit.section(t.gettext("Next: choose the projects of *{team}*.", team=kit.name(team.name))))
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Key registered"),
        parts,
        # i18n: button of a modal, 24 characters
        submit=t.gettext("Next: projects"),
        close=t.gettext("Close"),
        callback_id=ids.SETUP_KEY_DONE,
        metadata={"team": team.id, "setup": is_setup, "found": projects_found},
    )


def manage(
    t: Translator, teams: Sequence[Team], team: Team, credentials: Sequence[Credential], notice: str | None = None,
    organizations: Mapping[int, str] | None = None,
) -> kit.View:  # fmt: skip
    """The keys of one team: replace, stop collecting, start again, delete. `organizations` by their connections."""
    parts = [kit.alert(notice, "success")] if notice else []
    alone = t.gettext("Keys of *{team}*", team=kit.name(team.name))
    parts.append(team_heading(ids.KEY_TEAM, t.gettext("Keys of"), alone, teams, team, t))
    for credential in credentials[:_KEYS_SHOWN]:
        parts += [kit.divider(), kit.section(_line(credential, organizations or {}, t)), _buttons(credential, t)]
    more = len(credentials) - _KEYS_SHOWN
    if more > 0:
        parts.append(kit.context(t.ngettext("and {count} more key", "and {count} more keys", more)))
    if not credentials:
        parts.append(kit.section(t.gettext("No key yet. An Admin key lets FinOps read what OpenAI bills.")))
    new = kit.button(t.gettext("Register a key"), ids.KEY_NEW, team.id, style=None if credentials else "primary")
    parts += [kit.divider(), kit.actions(new)]
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Admin API keys"), parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO,
        metadata={"team": team.id},
    )  # fmt: skip


def changed_words(t: Translator, change: str, credential: Credential, *, still_collected: bool) -> str:
    """What happened to a key, and what it means for collecting."""
    key = f"...{kit.name(credential.ends_with)}"
    match change, still_collected:
        case "enabled", _:
            return t.gettext("The key {key} is enabled again; missing days are collected now.", key=key)
        case "same", _:
            return t.gettext(
                "This is the key that was there before ({key}): its rights were read anew, and nothing was replaced. "
                "To replace it, make a new one in the OpenAI console.",
                key=key,
            )
        case "replaced", _:
            return t.gettext("The key was replaced; the new one ends with {key}.", key=key)
        case "disabled", True:
            return t.gettext("The key {key} is disabled. Another key of the organization goes on collecting.", key=key)
        case "disabled", False:
            return t.gettext("The key {key} is disabled. Only collecting stops. Spending does not stop.", key=key)
        case _, True:
            return t.gettext(
                "The key {key} is deleted here; another key of the organization goes on collecting. Revoke it in the "
                "OpenAI console as well.",
                key=key,
            )
    return t.gettext(
        "The key {key} is deleted here: nothing is collected any more, and without another key nothing can be stopped "
        "or restored. Spending does not stop. Revoke the key in the OpenAI console as well.",
        key=key,
    )


def expiring(t: Translator, team: Team, credential: Credential, expires_at: datetime, days_left: int) -> kit.Message:
    """A key is near its end (`days_left` begun days) or past it (0): said directly to those who can replace it."""
    headline = expiry_words(t, kit.name(credential.ends_with), days_left)
    body, kept = _expiry_body(t, team, expires_at, days_left), _expiry_kept(t)
    button = kit.button(t.gettext("Replace the key"), ids.KEY_REPLACE, credential.id, style="primary")
    return kit.message(
        f"{headline} | {body.replace('*', '')}",
        [kit.section(f":hourglass: *{headline}*\n{body}"), kit.context(kept), kit.actions(button)],
    )


def replaced(
    t: Translator, before: str, now: str, user_id: str, at: datetime, expires_at: datetime | None
) -> kit.Message:
    """The warning once its key was replaced: by whom and when, and nothing to press any more."""
    headline = t.gettext("OpenAI Admin API key (...{ends_with}) was replaced", ends_with=kit.name(before))
    body = t.gettext(
        "The new key ends with ...{ends_with} · <@{person}> · {moment} {zone}",
        ends_with=kit.name(now),
        person=user_id,
        moment=t.moment(at),
        zone=t.zone_name(at),
    )
    parts = [kit.section(f":white_check_mark: *{headline}*\n{body}")]
    if expires_at is not None:
        until = t.gettext("*Expires*  {moment} {zone}", moment=t.moment(expires_at), zone=t.zone_name(expires_at))
        parts.append(kit.context(until))
    return kit.message(f"{headline} | {body}", parts)


def expiring_mail(
    t: Translator, team: Team, credential: Credential, expires_at: datetime, days_left: int, link: str | None = None
) -> tuple[str, str]:
    """The same as a mail: subject and plain text. `link` opens the message in Slack, where it stands there."""
    headline = expiry_words(t, kit.bare(credential.ends_with), days_left)
    body = kit.unmarked(_expiry_body(t, team, expires_at, days_left))
    told = [headline, body, "", _expiry_kept(t), ""]
    if link:
        told += [t.gettext("Open the message in Slack: {link}", link=link), ""]
    told.append(t.gettext("You get this by mail because the message could not be delivered in Slack in time."))
    return headline, "\n".join(told) + "\n"


def _expiry_kept(t: Translator) -> str:
    return t.gettext("Costs collected so far are kept, and spending itself goes on.")


def _expiry_body(t: Translator, team: Team, expires_at: datetime, days_left: int) -> str:
    name, moment, zone = kit.name(team.name), t.moment(expires_at), t.zone_name(expires_at)
    if days_left > 0:
        return t.gettext(
            "The key of *{team}* ends at {moment} {zone}. From then on no costs are collected with it. Replace it "
            "before.",
            team=name,
            moment=moment,
            zone=zone,
        )
    return t.gettext(
        "The key of *{team}* ended at {moment} {zone}. No costs are collected with it any more. Once it is "
        "replaced, missing days are collected.",
        team=name,
        moment=moment,
        zone=zone,
    )


def expiry_words(t: Translator, ends_with: str, days_left: int) -> str:
    """When a key ends, as a headline."""
    if days_left <= 0:
        return t.gettext("OpenAI Admin API key (...{ends_with}) has expired", ends_with=ends_with)
    if days_left == 1:
        return t.gettext("OpenAI Admin API key (...{ends_with}) expires within 24 hours", ends_with=ends_with)
    return t.ngettext(
        "OpenAI Admin API key (...{ends_with}) expires in {count} day",
        "OpenAI Admin API key (...{ends_with}) expires in {count} days",
        days_left,
        ends_with=ends_with,
    )


def refused(t: Translator, *, is_admin_key: bool) -> kit.Message:
    """Somebody typed a secret where others, or a log, may read it. It is not repeated here."""
    headline = t.gettext("That message held a secret key, so it was not carried out")
    if is_admin_key:
        advice = t.gettext(
            "Treat the key as leaked: *revoke it now* in the OpenAI console, and create a new one. Keys are "
            "entered only in "
            "the window that the button opens; they are stored encrypted and shown to nobody."
        )
    else:
        advice = t.gettext(
            "Treat the key as leaked: *revoke it now* where it was issued. FinOps needs an OpenAI *Admin key* "
            "only, entered "
            "in the window that the button opens."
        )
    return kit.message(
        f"{headline} | {advice.replace('*', '')}",
        [
            kit.section(f":no_entry: *{headline}*\n{advice}"),
            kit.actions(
                kit.button(t.gettext("Open the console"), ids.LINK + "admin_keys", url=ADMIN_KEYS_URL),
                kit.button(t.gettext("Register a key safely"), ids.KEY_NEW),
            ),
            kit.context(t.gettext("Delete the message as well, if it can be seen in the channel.")),
        ],
    )


def _rights(rights: Collection[str], t: Translator) -> str:
    names = {
        "usage.read": t.gettext("Usage: read"),
        "management.read": t.gettext("Management: read"),
        "management.write": t.gettext("Management: write"),
    }
    return ", ".join(names.get(right, f"`{kit.name(right)}`") for right in sorted(rights, reverse=True)) or "-"


def _line(credential: Credential, organizations: Mapping[int, str], t: Translator) -> str:
    is_on = credential.state is CredentialState.ENABLED
    state = t.gettext("● enabled") if is_on else t.gettext("○ disabled")
    when = t.gettext(
        "registered by {person} on {day}",
        person=f"<@{credential.registered_by}>",
        day=t.day(credential.registered_at.astimezone(t.zone).date()),
    )
    whose = organizations.get(credential.connection_id)
    facts = [*([f"*{kit.name(whose)}*"] if whose else []), _rights(credential.rights, t), when]
    if credential.expires_at is not None:
        day = t.day(credential.expires_at.astimezone(t.zone).date(), with_year=True)
        facts.append(t.gettext("expiry date {day}", day=day))
    return f"*...{kit.name(credential.ends_with)}*  {state}\n{' · '.join(facts)}"


def _buttons(credential: Credential, t: Translator) -> kit.Block:
    replace = kit.button(t.gettext("Replace"), ids.KEY_REPLACE, credential.id)
    delete = kit.button(
        t.gettext("Delete"),
        ids.KEY_DELETE,
        credential.id,
        style="danger",
        confirm=kit.confirm(
            t.gettext("Delete this key?"),
            t.gettext(
                "FinOps forgets the key for good; without another one nothing can be stopped or restored either. Costs "
                "collected so far are kept. At OpenAI the key stays valid until you revoke it there, and spending does "
                "not stop."
            ),
            t.gettext("Delete"),
            t.gettext("Keep it"),
            is_danger=True,
        ),
    )
    if credential.state is CredentialState.ENABLED:
        toggle = kit.button(
            t.gettext("Disable"),
            ids.KEY_DISABLE,
            credential.id,
            confirm=kit.confirm(
                t.gettext("Disable this key?"),
                t.gettext(
                    "Only collecting stops. Spending does not stop: applications use other keys. It can be "
                    "enabled again at "
                    "any time, and missing days are collected then."
                ),
                t.gettext("Disable"),
                t.gettext("Keep it"),
            ),
        )
    else:
        toggle = kit.button(t.gettext("Enable"), ids.KEY_ENABLE, credential.id)
    return kit.actions(replace, toggle, delete, block_id=f"key_{credential.id}")
