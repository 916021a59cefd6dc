"""The answer to `/finops status`: how much, compared with what, how sure, by whom, and one next step."""

from __future__ import annotations

from collections.abc import Sequence

from blocks import axes, charts, exchange, figures, ids, kit, live, stop_beside, value
from finops.charges import FigureState
from finops.figures import StatusReport
from finops.frozen import frozen
from finops.periods import charge_day
from finops.queries import PeriodName, ScopeKind
from finops.stop_report import StopShown
from finops.value import ValueSource
from locales import Translator

# Longer than this, what was paid for is drawn as well.
_WEEK_DAYS = 7


@frozen
class Question:
    """What a status button asks again: whose spending and when, by keys. `mark` tells renderings apart."""

    kind: ScopeKind
    id: int | None
    period: str
    mark: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.id or ''}/{self.period}/{self.mark}".rstrip("/")

    @classmethod
    def parse(cls, value: str) -> Question | None:
        """The question in a button's value; None when somebody sent something else."""
        kind, _, rest = value.partition("/")
        number, _, rest = rest.partition("/")
        period, _, mark = rest.partition("/")
        if kind not in set(ScopeKind) or not period or not (kit.is_key(number) or not number):
            return None
        return cls(ScopeKind(kind), int(number) if number else None, period, mark)


def message(
    report: StatusReport, t: Translator, *, shared_by: str | None = None, mark: str | None = "",
    may_register: bool = False, stop: StopShown | None = None, may_stop: bool = False,
) -> kit.Message:  # fmt: skip
    """A status report. `shared_by` (a user id) makes it the public version: no buttons, and who showed it.

    `mark` goes into the buttons, to tell this rendering from the next; None where there is no channel to share it in.
    `may_register`: whether this reader may give projects to a team, and so gets the button for it. `stop` is under
    what a project's spending stands, and `may_stop` whether this reader may change that.
    """
    headline = _headline(report, t)
    comparison = None if figures.is_partial(report.figure) else _comparison(report, t)
    parts: list[kit.Block | kit.Either] = [kit.header(headline)]
    story = [comparison] if comparison else []
    if _has_value(report):
        story.append(kit.escape(value.line(report.value, t)))
    held = stop_beside.line(stop, t)
    if held is not None and shared_by is None:
        story.append(held)
    if story:
        parts.append(kit.section("\n".join(story)))
    parts.append(kit.context(*_facts(report, t)))
    parts += _live(report, t)
    parts += _pictures(report, t)
    parts += _axes(report, t)
    step, button = _next_step(report, t, can_share=mark is not None, may_register=may_register)
    if shared_by is None:
        parts.append(kit.section(step))
        stopping = stop_beside.buttons(report.scope.id or 0, stop, t) if may_stop else []
        parts.append(_buttons(report, button, t, mark, stopping))
    else:
        parts.append(kit.context(t.gettext("Shared by {person}", person=kit.mention(shared_by))))
    return kit.message(_spoken(report, headline, comparison, t), parts)


def shared(t: Translator, channel_id: str) -> kit.Message:
    """What takes the place of a report once it was shared; a direct conversation has no name to mention."""
    if kit.is_direct(channel_id):
        told = t.gettext("Shared in this conversation.")
    else:
        told = t.gettext("Shared in {channel}.", channel=f"<#{channel_id}>")
    return kit.message(told, [kit.context(told)])


def scope_name(report: StatusReport, t: Translator) -> str:
    """Whose spending, as people call it."""
    if report.scope.kind is ScopeKind.WORKSPACE:
        return t.gettext("Everything")
    return kit.bare(report.scope.name)


def _headline(report: StatusReport, t: Translator) -> str:
    return t.gettext(
        "{scope} · {period} · {amount}",
        scope=scope_name(report, t),
        period=t.period(report.query),
        amount=exchange.beside(figures.amount(report.figure, t), report.figure.amount, report.exchange, t),
    )


def _comparison(report: StatusReport, t: Translator) -> str:
    return figures.comparison(report.figure, report.previous, report.increase, t)


def _facts(report: StatusReport, t: Translator) -> list[str]:
    now, before = report.figure, report.previous
    facts = [figures.trust(now, t), *figures.gaps(now, t), *figures.awaited(now, before, t)]
    others = figures.other_currencies(report.other_currencies, t)
    if others:
        facts.append(others)
    if report.figure.amount is not None and not _has_value(report):
        facts.append(value.none(t))
    elif coverage := value.coverage(report.value, t):
        facts.append(kit.escape(coverage))
    return [*facts, *exchange.lines(report.exchange, [report.figure.amount], t)]


def _has_value(report: StatusReport) -> bool:
    """Whether anybody told what the amount bought; it stands under the amount then, else in the small print."""
    return report.figure.amount is not None and report.value.source is not ValueSource.NONE


def _live(report: StatusReport, t: Translator) -> list[kit.Block | kit.Either]:
    """The open day beside a period that it belongs to, and how right its estimate is."""
    if report.live is None:
        return []
    spent, notes = report.live.today, live.notes(report.live, t)
    is_beside = spent is not None and spent.as_of is not None and charge_day(spent.as_of) in report.query.period
    so_far = (
        live.today(spent, t, report.live.value, report.exchange, is_valued=_has_value(report))
        if is_beside and not report.figure.is_estimated
        else None
    )
    parts: list[kit.Block | kit.Either] = [kit.section(so_far)] if so_far else []
    return [*parts, kit.context(" · ".join(notes))] if notes else parts


def _pictures(report: StatusReport, t: Translator) -> list[kit.Block | kit.Either]:
    found: list[kit.Block | kit.Either] = []
    if report.figure.amount is None:
        return found
    drawn = charts.trend(report.trend, t, whole=report.figure.amount)
    if drawn:
        found += drawn
    elif report.scope.kind is not ScopeKind.PROJECT:
        compared = charts.projects(report.breakdown, t)
        if compared:
            found.append(compared)
    table = figures.parts_table(report.breakdown, t) if report.scope.kind is not ScopeKind.PROJECT else None
    if table:
        found.append(table)
    return found


def _axes(report: StatusReport, t: Translator) -> list[kit.Block | kit.Either]:
    """What kind of thing was paid for: a line for a week, with its picture for a month."""
    if report.axes is None or report.figure.amount is None:
        return []
    if report.query.period.days > _WEEK_DAYS or report.query.name == PeriodName.THIS_MONTH:
        return axes.details(report.axes, t)
    told = axes.line(report.axes, t)
    return [kit.section(told)] if told else []


def _next_step(
    report: StatusReport, t: Translator, *, can_share: bool, may_register: bool
) -> tuple[str, kit.Block | None]:
    """One sentence about what to do now, and its button when there is one."""
    if not report.is_connected:
        step = t.gettext(
            "No Admin API key is registered yet, so there is no bill to read. An admin sets it up: `/finops setup`"
        )
        return step, kit.button(t.gettext("Set-up"), ids.SETUP_NEXT)
    if report.figure.is_not_yet_collected:
        when = t.gettext(
            "Costs are collected after the charge day ends. Yesterday is ready now: `/finops status yesterday`"
        )
        return when, None
    if report.figure.state is FigureState.BLIND or report.figure.blind_since is not None:
        step = t.gettext("The provider cannot be read now. See what is wrong, and who can mend it, in the check-up.")
        return step, kit.button(t.gettext("Check-up"), ids.DOCTOR_SHOW)
    if report.figure.state is FigureState.ESTIMATE:
        return t.gettext("Estimated from usage: the bill follows when the charge day is over. Only you see this."), None
    if report.figure.amount is not None and not report.breakdown.shares:
        return t.gettext("Nothing was charged in this period. Look further back: `/finops status 30d`"), None
    unallocated = figures.unallocated(report.breakdown, t) if report.scope.kind is ScopeKind.WORKSPACE else None
    if unallocated and not may_register:
        step = t.gettext(
            "{amount} belongs to no team yet. Once an admin registers its projects, their costs count for the team.",
            amount=kit.escape(unallocated),
        )
        return step, None
    if unallocated:
        step = t.gettext(
            "{amount} belongs to no team yet. Register its projects, and their costs count for the team.",
            amount=kit.escape(unallocated),
        )
        return step, kit.button(t.gettext("Register projects"), ids.PROJECT_NEW)
    if not can_share:
        return t.gettext("Look at another period: `/finops status month`"), None
    return t.gettext("Only you see this. Share it to show it to the channel."), None


def _buttons(
    report: StatusReport, extra: kit.Block | None, t: Translator, mark: str | None, stopping: Sequence[kit.Block]
) -> kit.Block:
    question = str(Question(report.scope.kind, report.scope.id, report.query.name, mark or ""))
    share = None
    if mark is not None and report.figure.amount is not None:
        share = kit.button(t.pgettext("button", "Share"), ids.STATUS_SHARE, question)
    detail = None
    if report.scope.kind is ScopeKind.PROJECT:
        detail = kit.button(
            t.pgettext("button", "Details"), ids.PROJECT_DETAIL, f"{report.scope.id}/{report.query.name}"
        )
    refresh = kit.button(t.gettext("Refresh"), ids.STATUS_REFRESH, question)
    return kit.actions(extra, detail, share, refresh, *stopping)


def _spoken(report: StatusReport, headline: str, comparison: str | None, t: Translator) -> str:
    sentences = [kit.escape(headline), comparison or "", figures.trust(report.figure, t)]
    if report.figure.amount is not None:
        sentences.insert(2, kit.escape(value.line(report.value, t)))
    top = figures.top_words(report.breakdown, t)
    if top:
        sentences.append(t.gettext("Largest: {projects}", projects=top))
    return " | ".join(sentence.replace("*", "") for sentence in sentences if sentence)
