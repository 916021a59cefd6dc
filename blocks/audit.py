"""The audit trail: who did what, newest first, and whether the record is whole; as a window and for a terminal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from blocks import audit_words as words
from blocks import ids, kit
from finops.audit import AuditKind, AuditPage, AuditRow, AuditVerdict
from finops.audit_files import CSV, JSONL
from finops.frozen import frozen
from locales import Translator

EXPORT_COMMAND = "python3 run.py run audit export audit.csv"
PERIODS = (7, 30, 90)
ALL_TIME = "all"
# Farther back somebody looks with a filter, or in a file.
MOST_PAGES = 100
_A_YEAR = timedelta(days=300)


@frozen
class AuditAsked:
    """What stands in the window. `days` None: of all time; `person` '' : by everybody.

    `trail` holds, for each page turned, before which row it begins. `turn` counts how often the inputs were emptied.
    """

    kind: AuditKind = AuditKind.ALL
    person: str = ""
    days: int | None = 30
    trail: tuple[int, ...] = ()
    turn: int = 0


def listed(page: AuditPage, asked: AuditAsked, t: Translator, notice: kit.Block | None = None) -> kit.View:
    """A page of the trail."""
    parts: list[kit.Block] = [notice] if notice else []
    parts += [_filters(asked, t), kit.context(verdict_words(page.verdict, t, page.checked_at))]
    if not page.verdict.ok:
        parts[-1] = kit.section(f"{verdict_words(page.verdict, t, page.checked_at)}\n{_advice(t)}")
    parts.append(kit.divider())
    parts += [kit.section(_line(row, page.checked_at, t)) for row in page.rows]
    if not page.rows:
        parts.append(kit.section(t.gettext("Nothing was recorded for this choice.")))
    parts += _doors(page, asked, t)
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Audit trail"), parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO,
        metadata={
            "kind": asked.kind.value, "person": asked.person, "days": asked.days,
            "trail": asked.trail[-MOST_PAGES:], "turn": asked.turn,
        },
    )  # fmt: skip


def filters_block(turn: int) -> str:
    """The block of the inputs: another one after they were emptied, or Slack would keep what stood in them."""
    return f"audit.{turn}"


def verdict_words(verdict: AuditVerdict, t: Translator, at: datetime | None = None) -> str:
    """Whether the chain is intact, and of how many rows; where not, at which row and what is wrong."""
    if verdict.ok:
        said = t.ngettext("✅ The chain is intact: {count} row", "✅ The chain is intact: {count} rows", verdict.rows)
        if at is None:
            return said
        looked = t.gettext("looked at {time} {zone}", time=t.moment(at), zone=t.zone_name(at))
        return f"{said} · {looked}"
    why = words.problem(verdict.problem, t) if verdict.problem is not None else "-"
    if verdict.first_bad_seq is None:
        return t.gettext("🚨 The chain is broken: {why}.", why=why)
    return t.gettext("🚨 The chain is broken at row {seq}: {why}.", seq=f"#{verdict.first_bad_seq}", why=why)


def file_sent(count: int, t: Translator) -> kit.Block:
    """Where the file is."""
    told = t.ngettext(
        "The file with {count} row is in your direct messages.",
        "The file with {count} rows is in your direct messages.",
        count,
    )
    return kit.alert(told, "success")


def nothing_to_send(t: Translator) -> kit.Block:
    return kit.alert(t.gettext("Nothing was recorded for this choice, so there is no file."))


def file_not_allowed(t: Translator) -> kit.Block:
    """Why no file came, and how to have it all the same."""
    told = t.gettext(
        "The app may not send files in this workspace: it needs the permission {scope}. Whoever installed it can "
        "install it again with it. On the server, an operator writes the same file:",
        scope="`files:write`",
    )
    return kit.alert(f"{told} `{EXPORT_COMMAND}`")


def file_words(count: int, verdict: AuditVerdict, t: Translator) -> str:
    """What is said beside the file."""
    told = t.ngettext("Audit trail: {count} row.", "Audit trail: {count} rows.", count)
    return f"{told} {verdict_words(verdict, t)}"


def report(name: str, verdict: AuditVerdict, t: Translator) -> str:
    """The same for a terminal; with the hash of the end, to be noted down elsewhere."""
    end = t.gettext("The hash of the last row is {hash}", hash=verdict.head)
    return f"{name}\n{verdict_words(verdict, t)}\n{end}\n"


def _line(row: AuditRow, now: datetime, t: Translator) -> str:
    entry = row.entry
    told = (_when(entry.at, now, t), words.who(entry, t), words.what(entry, t), words.outcome(entry, t))
    return f"`#{row.seq}` " + " · ".join(told)


def _when(at: datetime, now: datetime, t: Translator) -> str:
    try:
        if abs(now - at) > _A_YEAR:
            return f"{t.day(at.astimezone(t.zone).date(), with_year=True)} {t.clock(at)}"
        return t.moment(at)
    except OverflowError:
        return "-"  # a time nobody could have written


def _filters(asked: AuditAsked, t: Translator) -> kit.Block:
    kinds = [kit.option(_KINDS[kind](t), kind.value) for kind in AuditKind]
    periods = [kit.option(t.ngettext("last {count} day", "last {count} days", days), days) for days in PERIODS]
    periods.append(kit.option(t.gettext("all time"), ALL_TIME))
    person: kit.Block = {
        "type": "users_select",
        "action_id": ids.AUDIT_PERSON,
        "placeholder": {"type": "plain_text", "text": t.gettext("Everybody"), "emoji": True},
    }
    if asked.person:
        person["initial_user"] = asked.person
    return kit.actions(
        kit.select(ids.AUDIT_KIND, t.gettext("What it was about"), kinds, asked.kind.value),
        person,
        kit.select(ids.AUDIT_PERIOD, t.gettext("When"), periods, asked.days or ALL_TIME),
        kit.button(t.gettext("Everybody"), ids.AUDIT_EVERYBODY) if asked.person else None,
        block_id=filters_block(asked.turn),
    )


def _doors(page: AuditPage, asked: AuditAsked, t: Translator) -> list[kit.Block]:
    newer = kit.button(t.gettext("Newer"), ids.AUDIT_NEWER) if asked.trail else None
    older = kit.button(t.gettext("Older"), ids.AUDIT_OLDER, page.rows[-1].seq) if page.has_older and page.rows else None
    turning = [kit.actions(newer, older)] if newer or older else []
    files = [
        kit.button(t.gettext("Export as CSV"), ids.AUDIT_CSV, CSV),
        kit.button(t.gettext("Export as JSON lines"), ids.AUDIT_JSONL, JSONL),
    ]
    told = t.gettext("The file holds every row of this choice and comes as a direct message.")
    return [*turning, kit.divider(), kit.actions(*files), kit.context(told)]


def _advice(t: Translator) -> str:
    return t.gettext(
        "Somebody or something changed the database past this app. Leave it as it is, tell whoever runs it, and "
        "compare with an earlier export."
    )


_KINDS: dict[AuditKind, Callable[[Translator], str]] = {
    AuditKind.ALL: lambda t: t.gettext("Everything"),
    AuditKind.STOPS: lambda t: t.gettext("Stops and approvals"),
    AuditKind.BUDGETS: lambda t: t.gettext("Budgets"),
    AuditKind.INCIDENTS: lambda t: t.gettext("Alerts"),
    AuditKind.KEYS: lambda t: t.gettext("Keys"),
    AuditKind.PROJECTS: lambda t: t.gettext("Projects"),
    AuditKind.TEAMS: lambda t: t.gettext("Teams and admins"),
    AuditKind.COLLECTING: lambda t: t.gettext("Collecting"),
    AuditKind.LEARNING: lambda t: t.gettext("Polls, feedback and interviews"),
    AuditKind.REFUSALS: lambda t: t.gettext("Refusals"),
}
