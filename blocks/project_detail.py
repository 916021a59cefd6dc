"""The window about one project: what it cost beside what it bought, why that moved, and who records it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from blocks import actions, axes, charts, figures, ids, kit, stop_beside, value, why
from blocks.event_tokens import tokens as token_rows
from finops.budgets import BudgetScope
from finops.caps import CapSeen
from finops.figures import spoken_for
from finops.money import EXACT
from finops.periods import Period
from finops.project_report import ProjectReport
from finops.queries import NamedPeriod, PeriodName
from finops.registry import Project
from finops.value import NamedValue, ValueSource
from finops.why import WhyKind
from locales import Translator

Parts = list[kit.Block | kit.Either]
PERIODS = (
    PeriodName.LAST_7_DAYS,
    PeriodName.LAST_30_DAYS,
    PeriodName.THIS_WEEK,
    PeriodName.LAST_WEEK,
    PeriodName.THIS_MONTH,
    PeriodName.LAST_MONTH,
    PeriodName.TODAY,
)
_NAMES = 5
_CAPS = 5
_NEAR = Decimal("0.005")
_WORTH_A_REASON = Decimal("0.1")
_NO_BREAK = "\u00a0"
_ANY = Period(date.min, date.min)


def view(report: ProjectReport, t: Translator, notice: str | None = None) -> kit.View:
    """Everything about one project and period; what its reader may not do has no button."""
    parts: Parts = [kit.alert(notice, "success")] if notice else []
    parts += _head(report, t)
    parts += _stopped(report, t)
    parts += _story(report, t)
    parts += _trend(report, t)
    parts += _told_apart(report, t)
    if report.axes is not None:
        parts += [kit.section(t.gettext("*What it was paid for*")), *axes.details(report.axes, t)]
    parts += _caps(report, t)
    parts += actions.timeline(report.actions, t, with_project=False)
    parts.append(kit.context("\n".join(_trust(report, t))))
    parts += _doors(report, t)
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Project in detail"), parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO,
        metadata={"project": report.project.id, "period": report.status.query.name},
    )  # fmt: skip


def target(t: Translator, project: Project, held: str, period: str, problem: str | None = None) -> kit.View:
    """The window in which a team says what a success may cost. `held` is the target in force, as one may type it."""
    parts: Parts = [kit.alert(problem)] if problem else []
    parts.append(kit.section(f"*{kit.name(project.name)}*"))
    parts.append(
        kit.text_input(
            ids.TARGET_AMOUNT,
            t.gettext("What may one success cost?"),
            placeholder=t.gettext("for example: 0.02"),
            initial=held or None,
            hint=t.gettext(
                "In dollars. The weekly report judges the project by it; left empty, by its own last four weeks."
            ),
            is_optional=True,
            max_length=20,
        )
    )
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Target"), parts, submit=t.gettext("Save"), close=t.gettext("Cancel"),
        callback_id=ids.VIEW_TARGET, metadata={"project": project.id, "period": period},
    )  # fmt: skip


def caps(t: Translator, written: str, project_id: int, period: str, problem: str | None = None) -> kit.View:
    """The window in which an admin says what calls and users may cost, by segment."""
    block = kit.input_block(
        ids.CAPS_TEXT,
        t.gettext("Segment: one call / one user's day"),
        kit.typed(kit.TEXT_AREA, written, is_multiline=True),
        hint=t.gettext("One segment a line, in dollars; * is everybody else. What passes a cap is shown, not stopped."),
    )
    parts: Parts = [*([kit.alert(problem)] if problem else []), block]
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Caps"), parts, submit=t.gettext("Save"), close=t.gettext("Cancel"),
        callback_id=ids.VIEW_CAPS, metadata={"project": project_id, "period": period},
    )  # fmt: skip


def _head(report: ProjectReport, t: Translator) -> Parts:
    """What it cost and what that bought: all that a hurried reader needs."""
    status = report.status
    amount = figures.amount(status.figure, t)
    headline = t.gettext("{scope} · {amount}", scope=kit.bare(report.project.name), amount=amount)
    owner = kit.name(report.team.name) if report.team is not None else "-"
    options = [kit.option(_period(name, t), f"{report.project.id}/{name}") for name in PERIODS]
    chosen = f"{report.project.id}/{status.query.name}"
    if chosen not in {option["value"] for option in options}:  # a week named by its date, or a number of days
        options.append(kit.option(t.period(status.query), chosen))
    menu = kit.select(ids.PROJECT_DETAIL_PERIOD, t.gettext("Period"), options, chosen)
    parts: Parts = [kit.header(headline)]
    if status.figure.amount is not None:
        goal = _against_target(report, t)
        lines = [f"*{kit.escape(value.line(report.value, t))}*", *([kit.escape(goal)] if goal else [])]
        parts.append(kit.section("\n".join(lines)))
    span = kit.escape(t.days(spoken_for(status.figure)))
    return [*parts, kit.section(f"{owner} · {span}", menu, block_id="period")]


def _stopped(report: ProjectReport, t: Translator) -> Parts:
    """Under what its spending stands, if anything, with the way out for those who answer for it."""
    told = stop_beside.line(report.stop, t)
    if told is None:
        return []
    buttons = stop_beside.buttons(report.project.id, report.stop, t) if report.may_manage else []
    return [kit.section(told), *([kit.actions(*buttons)] if buttons else [])]


def _period(name: PeriodName, t: Translator) -> str:
    """What a period is called, whichever days it has."""
    return t.period(NamedPeriod(name.value, _ANY))


def _against_target(report: ProjectReport, t: Translator) -> str | None:
    """How what a success cost compares with what its team said it may."""
    goal, one = report.target, report.value.cost_per_success
    if goal is None:
        return None
    shown = figures.decided(goal, t)
    if one is None or one.currency != goal.currency or not goal.amount:
        return t.gettext("Target: {amount} a success", amount=shown)
    apart = EXACT.divide(one.amount, goal.amount) - 1
    if abs(apart) < _NEAR:
        return t.gettext("Right at the target of {amount}", amount=shown)
    if apart < 0:
        return t.gettext("✅ {percent} below the target of {amount}", percent=t.percent(-apart), amount=shown)
    return t.gettext("⚠️ {percent} above the target of {amount}", percent=t.percent(apart), amount=shown)


def _story(report: ProjectReport, t: Translator) -> Parts:
    """How the cost moved and why, then how well the calls went."""
    status = report.status
    lines = []
    if status.figure.amount is not None and not figures.is_partial(status.figure):
        lines.append(figures.comparison(status.figure, status.previous, status.increase, t))
    if report.why is not None and not _is_calm(report.why.kind, status.increase):
        lines.append(kit.escape(why.sentence(report.why, t)))
    parts: Parts = [kit.section("\n".join(lines))] if lines else []
    facts = _facts(report, t)
    return [*parts, kit.fields(facts)] if facts else parts


def _is_calm(kind: WhyKind, increase: Decimal | None) -> bool:
    """Whether there is nothing to explain: the comparison says it all."""
    if kind is WhyKind.UNKNOWN:
        return increase is not None and abs(increase) < _WORTH_A_REASON
    return kind is WhyKind.UNCHANGED


def _facts(report: ProjectReport, t: Translator) -> list[str]:
    bought = report.value
    told = [
        (t.gettext("Success rate"), value.ratio(bought, t)),
        (t.gettext("Rating"), value.feedback(bought, t)),
        (t.gettext("Calls recorded"), _recorded(report, t)),
        (t.gettext("Last call"), t.moment(report.last_event_at) if report.last_event_at is not None else None),
    ]
    return [f"{name}\n*{kit.escape(words)}*" for name, words in told if words]


def _recorded(report: ProjectReport, t: Translator) -> str | None:
    if report.value.source is not ValueSource.EVENTS:
        return None
    calls = t.number(report.value.calls)
    if report.value.coverage is None:
        return calls
    return t.gettext("{calls} ({share})", calls=calls, share=value.covered(report.value, t))


def _trend(report: ProjectReport, t: Translator) -> Parts:
    points = report.status.trend
    if len([point for point in points if point.amount is not None]) < 2:
        return []
    title = charts.trend_title(points, t)
    lines = charts.trend_text(points, t, report.status.figure.amount).split("\n")
    if not any(one.outcomes for one in report.trend_values):
        return [kit.section(f"*{title}*"), kit.preformatted("\n".join(lines))]
    counts = [t.number(one.successes) if one.outcomes else "" for one in report.trend_values]
    # A day nobody could read has no bar and no amount, and so no place to put a count beside.
    known = [point.amount is not None for point in points]
    wide = max(len(line) for line, is_known in zip(lines, known, strict=True) if is_known)
    wide_count = max(map(len, counts))
    rows = [
        f"{line:<{wide}}  {count:>{wide_count}}".rstrip() if is_known else line
        for line, count, is_known in zip(lines, counts, known, strict=True)
    ]
    beside = t.gettext("successes on the right")
    return [kit.section(f"*{title}* · {beside}"), kit.preformatted("\n".join(rows))]


def _told_apart(report: ProjectReport, t: Translator) -> Parts:
    """By task, experiment and segment, and below them what these amounts are: they do not add up to the bill."""
    parts = _named(t.gettext("*By task*"), report.tasks, t)
    parts += _named(t.gettext("*By experiment*"), report.experiments, t)
    parts += _named(t.gettext("*By segment*"), report.segments, t)
    if parts:
        parts.append(
            kit.context(
                t.gettext("The amounts by name are estimates of the recorded calls; they need not add up to the bill.")
            )
        )
    return parts


def _named(title: str, named: Sequence[NamedValue], t: Translator) -> Parts:
    """Tasks, experiments or segments: what each cost as estimated, and what it bought."""
    if not named:
        return []
    lines = [title, *(_line(one, t) for one in named[:_NAMES])]
    more = len(named) - _NAMES
    if more > 0:
        lines.append(t.ngettext("and {count} more", "and {count} more", more))
    return [kit.section("\n".join(lines))]


def _line(one: NamedValue, t: Translator) -> str:
    cost = t.money(one.cost) if one.cost is not None else t.gettext("no price known")
    facts = [value.successes(one.value, t)] if one.value.outcomes else []
    if one.value.success_ratio is not None:
        facts.append(t.share(one.value.success_ratio))
    facts.append(value.cell(one.value, t) if one.value.outcomes else value.none(t))
    # A narrow screen breaks the line between two facts, not within one.
    whole = " · ".join(fact.replace(" ", _NO_BREAK) for fact in facts)
    return f"• {kit.name(one.name)}  *{kit.escape(cost)}*  {kit.escape(whole)}"


def _caps(report: ProjectReport, t: Translator) -> Parts:
    if not report.caps:
        return []
    lines = [t.gettext("*Above a cap*"), *(_cap(one, t) for one in report.caps[:_CAPS])]
    return [kit.section("\n".join(lines))]


def _cap(one: CapSeen, t: Translator) -> str:
    facts = [t.ngettext("{count} user", "{count} users", one.users)]
    if one.dearest_user_day is not None:
        facts.append(
            t.gettext(
                "up to {amount} a day (cap {cap})",
                amount=t.money(one.dearest_user_day),
                cap=figures.decided(one.cap.per_user_day, t),
            )
        )
    if one.dearest_call is not None:
        facts.append(
            t.gettext(
                "up to {amount} a call (cap {cap})",
                amount=value.each(one.dearest_call, t),
                cap=figures.decided(one.cap.per_call, t),
            )
        )
    name = kit.name(one.segment) if one.segment else t.gettext("no segment")
    return f"• {name}  {kit.escape(' · '.join(facts))}"


def _trust(report: ProjectReport, t: Translator) -> list[str]:
    status = report.status
    lines = [figures.trust(status.figure, t), *figures.gaps(status.figure, t)]
    if report.value.outcomes:
        lines.append(t.gettext("Successes and what each cost are as the application recorded them; ranges are at 95%."))
    return lines


def _doors(report: ProjectReport, t: Translator) -> Parts:
    """What this person may do next; what records the value first, where nothing does yet."""
    project = report.project.id
    parts: Parts = []
    has_value = report.value.source is ValueSource.EVENTS
    if not has_value:
        parts.append(kit.section(_connect(report, t)))
    is_first = report.may_manage and not report.tokens and not has_value
    make = kit.button(
        t.gettext("Make an event token"), ids.TOKEN_NEW, _key(report), style="primary" if is_first else None
    )
    question = f"project/{project}/{report.status.query.name}"
    reasons = kit.button(t.gettext("Why it moved"), ids.WHY_SHOW, question)
    budgets = kit.button(t.gettext("Budgets"), ids.BUDGET_COVERING, f"{BudgetScope.PROJECT}:{project}")
    goal = kit.button(t.gettext("Set a target"), ids.TARGET_EDIT, _key(report))
    if not report.may_manage:
        return [*parts, kit.actions(reasons, budgets)]
    parts += [kit.divider(), *token_rows(report, t)]
    limits = kit.button(t.gettext("Caps"), ids.CAPS_EDIT, _key(report)) if has_value else None
    stop = stop_beside.buttons(project, None, t) if report.stop is None else []
    return [*parts, kit.actions(make, goal, limits, reasons, budgets, *stop)]


def _connect(report: ProjectReport, t: Translator) -> str:
    """How the value comes here, or when: what was recorded today shows when the day is over, or under "today"."""
    if report.last_event_at is not None:
        return t.gettext(
            ":white_check_mark: Calls arrive, the last one {moment}. They count in this period when their day is over; "
            "choose *today* to see them now.",
            moment=t.moment(report.last_event_at),
        )
    if report.may_manage:
        return t.gettext(
            "Nobody recorded what this cost bought. Make a token, and let the application tell how its calls end: "
            "ten lines of code, no prompt or answer text. Until then it can be rated once a week in the weekly report."
        )
    return t.gettext(
        "Nobody recorded what this cost bought. Whoever manages the team can connect the application here; until then "
        "it can be rated once a week in the weekly report."
    )


def _key(report: ProjectReport) -> str:
    return f"project:{report.project.id}/{report.status.query.name}"
