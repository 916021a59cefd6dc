"""The doctor's report: what works, what does not, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from blocks import doctor_live, ids, kit, trials
from blocks.doctor_live import Finding
from blocks.keys import expiry_words
from blocks.outages import provider_words
from blocks.spans import duration
from finops.registry import Team
from locales import Translator

Values = Mapping[str, object]
_SIGNS = {"ok": ":white_check_mark:", "warn": ":warning:", "fail": ":no_entry:"}


def message(
    findings: Sequence[Finding], t: Translator, *, has_buttons: bool = False, teams: Sequence[Team] = ()
) -> kit.Message:
    """Troubles first, then what works. `has_buttons`: with a button that times its own way there and back.

    To the channels of `teams` the reader may send a test alert.
    """
    headline, parts = _report(findings, t)
    if has_buttons:
        ping = kit.button(t.gettext("Test the buttons"), ids.DOCTOR_PING)
        parts.append(kit.actions(trials.senders(teams, t), ping))
        parts.append(kit.context(t.gettext("Press it: the answer shows how long a click takes to reach us.")))
    return kit.message(headline, parts)


def text(findings: Sequence[Finding], t: Translator) -> str:
    """The same for a terminal."""
    signs = {"ok": "✓", "warn": "!", "fail": "✗"}
    return "\n".join(f"{signs[f.level]} {words(f, t).replace('*', '').replace('`', '')}" for f in _ordered(findings))


def pong(seconds: float, t: Translator) -> kit.Message:
    """The answer to the test button."""
    took = t.gettext(
        "Buttons work: your click reached FinOps in {seconds} seconds.", seconds=f"{max(0.01, seconds):.2f}"
    )
    return kit.message(took, [kit.section(f":white_check_mark: {took}")])


def words(finding: Finding, t: Translator) -> str:
    """One finding in words: the state of things and, unless all is well, what to do."""
    says = FINDINGS.get(finding.code)
    return says(finding, t) if says else kit.name(str(finding.code))


def _report(findings: Sequence[Finding], t: Translator) -> tuple[str, list[kit.Block]]:
    troubles = sum(finding.level != "ok" for finding in findings)
    headline = (
        t.ngettext("Check-up: {count} thing needs attention", "Check-up: {count} things need attention", troubles)
        if troubles
        else t.gettext("Check-up: everything works")
    )
    lines = [f"{_SIGNS[finding.level]} {words(finding, t)}" for finding in _ordered(findings)]
    shown = lines[:30]
    if len(lines) > len(shown):
        more = len(lines) - len(shown)
        shown.append(t.ngettext("and {count} more", "and {count} more", more))
    return headline, [
        kit.header(headline),
        *(kit.section("\n".join(shown[n : n + 8])) for n in range(0, len(shown), 8)),
    ]


def _ordered(findings: Sequence[Finding]) -> list[Finding]:
    order = ["fail", "warn", "ok"]
    return sorted(findings, key=lambda finding: order.index(finding.level))


def _value(values: Values, key: str) -> str:
    given = values.get(key)
    if isinstance(given, tuple | list | set | frozenset):
        return ", ".join(f"`{kit.name(str(each))}`" for each in given) or "-"
    return kit.name("-" if given is None else str(given))


def _count(values: Values, key: str) -> int:
    given = values.get(key)
    return given if isinstance(given, int) else 0


def _slack_token(f: Finding, t: Translator) -> str:
    if f.level == "ok":
        return t.gettext("Slack accepts our token.")
    if f.values.get("is_asked") is False:
        return t.gettext(
            "Slack could not be asked ({error}), so nothing is known of our token, its scopes and our clock. Check "
            "that this machine reaches Slack (network, proxy, DNS), then check again.",
            error=f"`{_value(f.values, 'error')}`",
        )
    return t.gettext(
        "Slack refuses our token ({error}). Install the app again, or renew SLACK_BOT_TOKEN.",
        error=f"`{_value(f.values, 'error')}`",
    )


def _slack_app_token(f: Finding, t: Translator) -> str:
    if f.level == "ok":
        return t.gettext("Socket Mode is connected.")
    return t.gettext("Socket Mode is not connected. Check SLACK_APP_TOKEN and its scope `connections:write`.")


def _slack_scopes(f: Finding, t: Translator) -> str:
    if f.level == "ok":
        return t.gettext("Slack grants every scope we use.")
    return t.gettext(
        "Slack does not grant {missing}. Install the app again from its manifest; until then what needs them is "
        "left out.",
        missing=_value(f.values, "missing"),
    )


def _clock(f: Finding, t: Translator) -> str:
    skew = f.values.get("skew_seconds")
    off = duration(abs(skew) if isinstance(skew, int | float) else 0, t)
    if f.level == "ok":
        return t.gettext("Our clock agrees with Slack's (within {off}).", off=off)
    return t.gettext(
        "Our clock is {off} away from Slack's; beyond 5 minutes Slack's requests are refused. Set the machine's clock "
        "by a time server.",
        off=off,
    )


def _database(f: Finding, t: Translator) -> str:
    took = f.values.get("milliseconds")
    if f.level == "ok":
        return t.gettext(
            "The database answers ({dialect}, {milliseconds} ms).",
            dialect=_value(f.values, "dialect"),
            milliseconds=f"{took:.0f}" if isinstance(took, int | float) else "?",
        )
    return t.gettext("The database does not answer as it should. Check DATABASE_URL and that the server runs.")


def _migrations(f: Finding, t: Translator) -> str:
    if f.level == "ok":
        return t.gettext("The database has the form this version needs.")
    return t.gettext(
        "The database is at version {current}, this program needs {head}. Restart it: it brings the database up "
        "to date.",
        current=f"`{_value(f.values, 'current')}`",
        head=f"`{_value(f.values, 'head')}`",
    )


def _admins(f: Finding, t: Translator) -> str:
    count = _count(f.values, "count")
    if count:
        return t.ngettext("{count} person administers FinOps.", "{count} people administer FinOps.", count)
    return t.gettext("Nobody administers FinOps yet. A Slack workspace admin begins with `/finops setup`.")


def _keys(f: Finding, t: Translator) -> str:
    if f.level == "ok":
        return t.gettext(
            "Keys: {enabled} enabled, {disabled} disabled.",
            enabled=t.number(_count(f.values, "enabled")),
            disabled=t.number(_count(f.values, "disabled")),
        )
    return t.gettext(
        "Keys: {enabled} enabled, {disabled} disabled. A connection without an enabled key is not collected: "
        "`/finops key`",
        enabled=t.number(_count(f.values, "enabled")),
        disabled=t.number(_count(f.values, "disabled")),
    )


def _keys_sealed(f: Finding, t: Translator) -> str:
    if f.level == "ok":
        return t.gettext("Every secret is sealed with the current master key.")
    if _count(f.values, "unreadable"):
        return t.gettext(
            "{count} of our secrets cannot be opened with the master keys we have. Put the former key back into "
            "FINOPS_KEYS.",
            count=_value(f.values, "unreadable"),
        )
    return t.gettext(
        "Some secrets ({old}) are still sealed with a former master key. Run `python3 run.py run rotate-keys`.",
        old=_value(f.values, "old"),
    )


def _key_stops(f: Finding, t: Translator) -> str:
    count = _count(f.values, "without_stop")
    if f.level == "ok":
        return t.gettext("Every connection can be stopped from Slack.")
    return t.ngettext(
        "{count} connection cannot be stopped from Slack: none of its keys is known to have *Management: write*. "
        "Register one that has it, besides or in place of the present one: `/finops key`",
        "{count} connections cannot be stopped from Slack: none of their keys is known to have *Management: write*. "
        "Register one that has it, besides or in place of the present one: `/finops key`",
        count,
    )


def _key_rights(f: Finding, t: Translator) -> str:
    if f.level == "ok":
        return t.gettext("Every connection may list its projects.")
    return t.gettext(
        "{count} of our connections may not list projects. Give the key *Management: read*, and names appear "
        "beside ids.",
        count=_value(f.values, "without_management"),
    )


def _key_expiry(f: Finding, t: Translator) -> str:
    if f.level == "ok":
        return t.gettext("No key expires within two weeks.")
    return t.gettext(
        "{expiry}. Replace it: `/finops key`",
        expiry=expiry_words(t, _value(f.values, "ends_with"), _count(f.values, "days_left")),
    )


def _connection(f: Finding, t: Translator) -> str:
    name = _value(f.values, "name")
    since = f.values.get("since")
    if f.level == "ok":
        return t.gettext(
            "*{connection}* is no longer collected: its keys were deleted. What was read of it stays.", connection=name
        )
    reason = provider_words(str(f.values.get("code") or ""), f.values, t)
    if isinstance(since, datetime):
        return t.gettext(
            "*{connection}* has not been readable since {moment} {zone}. {reason}",
            connection=name,
            moment=t.moment(since),
            zone=t.zone_name(since),
            reason=reason,
        )
    return t.gettext("*{connection}* cannot be read. {reason}", connection=name, reason=reason)


def _collection(f: Finding, t: Translator) -> str:
    name = _value(f.values, "name")
    minutes = f.values.get("age_minutes")
    if not isinstance(minutes, int):
        return t.gettext("*{connection}* has never been collected. Begin now: `/finops collect`", connection=name)
    hours = minutes // 60
    if f.level == "ok" and minutes < 1:
        return t.gettext("*{connection}* was collected just now.", connection=name)
    if f.level == "ok" and hours < 1:
        return t.ngettext(
            "*{connection}* was collected {count} minute ago.",
            "*{connection}* was collected {count} minutes ago.",
            minutes,
            connection=name,
        )
    if f.level == "ok":
        return t.ngettext(
            "*{connection}* was collected {count} hour ago.",
            "*{connection}* was collected {count} hours ago.",
            hours,
            connection=name,
        )
    return t.ngettext(
        "*{connection}* was last collected {count} hour ago. Collect now: `/finops collect`",
        "*{connection}* was last collected {count} hours ago. Collect now: `/finops collect`",
        hours,
        connection=name,
    )


def _queue(f: Finding, t: Translator) -> str:
    waiting = _count(f.values, "waiting")
    oldest = f.values.get("oldest_minutes")
    if not waiting:
        return t.gettext("No collection is waiting.")
    if f.level == "ok":
        return t.ngettext("{count} collection is waiting.", "{count} collections are waiting.", waiting)
    return t.ngettext(
        "{count} collection is waiting, the oldest for {minutes} minutes. Is the program that collects running?",
        "{count} collections are waiting, the oldest for {minutes} minutes. Is the program that collects running?",
        waiting,
        minutes=f"{oldest:.0f}" if isinstance(oldest, int | float) else "?",
    )


# One entry for every bot.results.FindingCode; a test compares the two.
FINDINGS: dict[str, Callable[[Finding, Translator], str]] = {
    "slack_token": _slack_token,
    "slack_app_token": _slack_app_token,
    "slack_scopes": _slack_scopes,
    "clock": _clock,
    "database": _database,
    "migrations": _migrations,
    "admins": _admins,
    "keys": _keys,
    "keys_sealed": _keys_sealed,
    "key_expiry": _key_expiry,
    "key_rights": _key_rights,
    "key_stops": _key_stops,
    "connection": _connection,
    "collection": _collection,
    "queue": _queue,
    "trial": trials.finding,
    **doctor_live.FINDINGS,
}
