"""Monday's digest as a mail: the facts and figures of Slack as HTML and as plain text, ready to be forwarded."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from blocks import axes as axis_words
from blocks import digest_chart as chart
from blocks import digest_html as html
from blocks import digest_parts as parts
from blocks import digest_root, digest_rules, exchange, kit, value
from blocks import digest_steps as steps
from finops.charges import FigureState
from finops.digest import Digest, DigestProject, DigestShown, DigestVersion, Unranked
from finops.money import Money
from finops.value import ValueSource
from finops.verdict import Verdict, verdict
from locales import Translator

# Gmail clips a mail after 102 KB: beyond these only the sum is told.
TABLE_ROWS = 40
_NAME = 48
_LINK = "#1d4ed8"


def written(shown: DigestShown, t: Translator, link: str | None, workspace: str = "") -> tuple[str, str, str]:
    """Subject, plain text, HTML. `workspace` is named where the reader may get the weeks of several."""
    letter = _Letter(shown.digest, shown.version, t, link, workspace)
    return letter.subject, letter.text(), letter.html()


class _Letter:
    """One digest in one language, told twice."""

    def __init__(
        self, digest: Digest, version: DigestVersion, t: Translator, link: str | None, workspace: str = ""
    ) -> None:
        self.digest = digest
        self.workspace = kit.bare(workspace) if workspace else ""
        self.t = t
        self.link = link
        self.is_brief = version is DigestVersion.BRIEF
        self.verdict = verdict(digest)
        self.step = steps.sentence(digest, t)
        self.about = steps.about(digest)
        self.bills, self.costs = parts.bills(digest, t), parts.costs(digest, t)
        self._count = 0

    @property
    def subject(self) -> str:
        """`[FinOps] Weekly AI cost report (6/29 ~ 7/5): AI cost $2,481 · up 12%`."""
        return f"{self.name} · {parts.title(self.digest, self.t)}"

    @property
    def name(self) -> str:
        """What this mail is."""
        said = self.t.gettext("Weekly AI cost report")
        return f"[{self.workspace}] {said}" if self.workspace else said

    def head(self, words: str) -> str:
        """A heading; numbered in the report for the boss."""
        self._count += 1
        return f"{self._count}. {words}" if self.is_brief else words

    # --- plain text --------------------------------------------------------------------------------------------------

    def text(self) -> str:
        """The same in words, for readers without HTML and for those who listen."""
        t, digest, self._count = self.t, self.digest, 0
        title = parts.title(digest, t)
        lines = [
            f"[{self.workspace}] {title}" if self.workspace else title,
            *map(kit.unmarked, digest_root.facts(digest, t)),
            "",
        ]
        lines += self._text_verdict()
        lines += [self.head(self._step_head()), *(f"  {step}" for step in self._steps()), ""]
        if digest.why is not None:
            lines += [self.head(t.gettext("What moved it")), f"  {parts.whole_cause(digest, t)}", ""]
        for words, projects in self._lists():
            lines += [self.head(words), *(line for one in projects for line in self._text_project(one)), ""]
        note = digest_root.why_unranked(digest, t)
        lines += [note, ""] if note else []
        days = chart.pairs(digest)
        if digest.total.amount is not None and chart.peak(days) > 0:
            lines += [self.head(chart.title(digest, days, t)), *self._text_days(days), ""]
        if digest.axes is not None and digest.axes.shares:
            said = kit.unmarked(axis_words.line(digest.axes, t)).split("\n")
            lines += [self.head(t.gettext("What the money went to")), *(f"  {each}" for each in said), ""]
        shown, rest = self._table()
        if shown:
            lines += [self._table_head(), *(self._text_row(one) for one in shown)]
            lines += [f"- {rest}"] if rest else []
            lines += [f"  {kit.unmarked(self._sums())}", ""]
        lines += [digest_rules.summary(t)]
        if self.link:
            lines += ["", t.gettext("Open the message in Slack: {link}", link=self.link)]
        return "\n".join([*lines, "", self._footer()]) + "\n"

    def _text_verdict(self) -> list[str]:
        if self.verdict is None:
            return []
        said = [parts.verdict_line(self.verdict, self.t), parts.verdict_shares(self.verdict, self.t)]
        return [f"{said[0]} - {said[1]}", value.line(self.digest.value, self.t), ""]

    def _text_project(self, one: DigestProject) -> list[str]:
        found = [f"- {_name(one)}: {parts.cost(one, self.costs, self.t)}", f"    {self._bought(one)}"]
        cause, todo = parts.story(one, self.t), steps.todo(one.advice, self.t)
        return [*found, *([f"    {cause}"] if cause else []), *([f"    → {todo}"] if todo else [])]

    def _text_days(self, days: Sequence[chart.Pair]) -> list[str]:
        amounts = zip(days, chart.amounts(days, self.t), chart.amounts_before(days, self.t), strict=True)
        lines = [
            f"  {self.t.weekday(pair.day)} {self.t.short_day(pair.day)}  {now}" + (f" ({old})" if old else "")
            for pair, now, old in amounts
        ]
        partly = chart.partly_read(self.digest, self.t)
        return [*lines, f"  {partly}"] if partly else lines

    def _text_row(self, one: DigestProject) -> str:
        change = parts.moved(one.cost, one.previous, self.t)
        return f"- {_name(one)}: " + " · ".join(
            filter(None, (self.bills.said[one.project_id], change, self._row_facts(one)))
        )

    # --- HTML --------------------------------------------------------------------------------------------------------

    def html(self) -> str:
        """The mail as most people see it."""
        self._count = 0
        body = [self._top(), self._judged(), self._callout(), self._moved()]
        body += [self._projects(words, projects) for words, projects in self._lists()]
        note = digest_root.why_unranked(self.digest, self.t)
        body += [html.row(html.small(note))] if note else []
        body += [self._picture(), self._axes(), self._all(), self._foot()]
        preview = " · ".join(filter(None, (self._verdict_words(), self._whole_step())))
        return html.page(self.t.language, self.subject, preview, body)

    def _top(self) -> str:
        """How much, up or down, when, how sure."""
        t, digest = self.t, self.digest
        whose = parts.who(digest)
        over = " · ".join(filter(None, (self.name, whose, t.days(digest.week))))
        amount = parts.amount(digest, t)
        near = exchange.about(digest.total.amount, digest.exchange, t)
        change = " · ".join(filter(None, (near, parts.change(digest, t))))
        big = (
            f'<span class="ink" style="font-size:36px;line-height:1.2;font-weight:800;letter-spacing:-0.5px;'
            f'color:#111827;font-variant-numeric:tabular-nums;white-space:nowrap">{html.text(amount)}</span>'
        )
        told = (
            f'<span class="ink" style="font-size:16px;color:#1f2937">&ensp;{html.text(change)}</span>' if change else ""
        )
        facts = [html.small(kit.unmarked(fact)) for fact in digest_root.facts(digest, t)]
        return html.row(
            html.paragraph(html.text(over), size=13, is_dim=True, is_bold=True, gap=6)
            + f'<div style="margin:0 0 8px">{big} {told}</div>'
            + "".join(facts),
            top=28,
        )

    def _judged(self) -> str:
        """Worth it or not: the word, the money as one bar, and what it bought."""
        if self.verdict is None:
            return ""
        t = self.t
        words = html.paragraph(html.text(parts.verdict_line(self.verdict, t)), size=16, is_bold=True, gap=8)
        shares = html.small(parts.verdict_shares(self.verdict, t))
        bought = html.paragraph(html.facts(value.line(self.digest.value, t)))
        has_value = self.digest.value.source is not ValueSource.NONE
        figures_ = self._figures()
        if not figures_:
            return html.row(words + _bar(self.verdict) + shares + (bought if has_value else ""))
        seen = value.basis(self.digest.value, t)  # where enough is recorded, how much is among the facts above
        tiles = f'<div style="margin:12px 0 0">{html.tiles(figures_)}</div>'
        return html.row(words + _bar(self.verdict) + shares + tiles + (html.small(seen) if seen else ""))

    def _figures(self) -> list[tuple[str, str]]:
        """What the week bought in a few figures; nothing where too little is recorded."""
        t, bought = self.t, self.digest.value
        if bought.source is not ValueSource.EVENTS or bought.cost_per_success is None:
            return []
        found = [
            (t.gettext("Successes"), t.number(bought.successes)),
            (
                t.gettext("Cost of one success ({state})", state=t.state(FigureState.ESTIMATE)),
                value.each(bought.cost_per_success, t),
            ),
        ]
        if bought.success_ratio is not None:
            found.append((t.gettext("Success rate"), t.share(bought.success_ratio)))
        return found

    def _callout(self) -> str:
        """The one next step, and the way to it."""
        t = self.t
        head = html.paragraph(html.coloured(self.head(self._step_head()), _LINK, "accent"), size=13, gap=4)
        told = [html.paragraph(html.text(step), size=15) for step in self._steps()]
        if not self.is_brief and self.about:
            told = [html.paragraph(f"<strong>{html.text(self.about)}</strong>&ensp;{html.text(self.step)}", size=15)]
        button = html.button(t.gettext("Open in Slack"), self.link) if self.link else ""
        return html.row(html.callout([head, *told, button]))

    def _projects(self, words: str, projects: Sequence[DigestProject]) -> str:
        entries = []
        for number, one in enumerate(projects):
            change = parts.moved(one.cost, one.previous, self.t)
            below = [html.paragraph(html.facts(self._bought(one)), size=13)]
            cause, todo = parts.story(one, self.t), steps.todo(one.advice, self.t)
            below += [html.paragraph(html.text(cause), size=13, is_dim=True)] if cause else []
            below += [html.paragraph(html.coloured(f"→ {todo}", _LINK, "accent"), size=13)] if todo else []
            name = html.paragraph(html.text(_name(one)), size=15, is_bold=True)
            entries.append(
                html.entry(name, html.amount(self.costs[one.project_id], change), below, is_first=not number)
            )
        return html.row(html.heading(self.head(words)) + html.table(entries), top=24)

    def _picture(self) -> str:
        digest, t = self.digest, self.t
        days = chart.pairs(digest)
        highest = chart.peak(days)
        if digest.total.amount is None or highest <= 0:
            return ""
        is_compared = chart.has_before(days)
        rows = []
        for pair, now in zip(days, chart.amounts(days, t), strict=True):
            bars = html.bar(_share(pair.now, highest), html.ACCENT) if pair.now is not None else ""
            if is_compared:
                bars += '<div style="height:2px;line-height:2px;font-size:1px">&nbsp;</div>'
                bars += html.bar(_share(pair.before, highest), html.BEFORE, height=5, name="before")
            rows.append(html.measured(f"{t.weekday(pair.day)} {t.short_day(pair.day)}", bars, now))
        legend = [self._swatch(html.ACCENT, "bar", t.days(digest.week))]
        if is_compared:
            legend.append(self._swatch(html.BEFORE, "before", t.days(digest.week.before())))
        title = html.heading(self.head(chart.title(digest, days, t)))
        partly = chart.partly_read(digest, t)
        below = ["&emsp;".join(legend), *([html.text(partly)] if partly else [])]
        return html.row(title + html.table(rows) + html.paragraph("<br>".join(below), size=12, is_dim=True), top=24)

    @staticmethod
    def _swatch(colour: str, name: str, words: str) -> str:
        box = "display:inline-block;width:10px;height:10px;border-radius:2px"
        return (
            f'<span style="white-space:nowrap"><span class="{name}" style="{box};background:{colour}"></span> '
            f"{html.text(words)}</span>"
        )

    def _moved(self) -> str:
        if self.digest.why is None:
            return ""
        said = html.paragraph(html.text(parts.whole_cause(self.digest, self.t)))
        return html.row(html.heading(self.head(self.t.gettext("What moved it"))) + said, top=24)

    def _axes(self) -> str:
        found, t = self.digest.axes, self.t
        if found is None or not found.shares:
            return ""
        shown = [share for share in found.shares if share.amount.amount]
        # What was given back has no share: the others' are rounded together without it, as in Slack.
        parted = [share for share in shown if share.ratio is not None]
        percents = dict(zip(parted, t.shares([share.ratio for share in parted]), strict=True))
        amounts = t.amounts([share.amount for share in shown])
        rows = [
            html.measured(
                axis_words.name(share.axis, t),
                html.bar(share.ratio or Decimal(0), html.ACCENT),
                f"{percents.get(share, '-')} · {amount}",
            )
            for share, amount in zip(shown, amounts, strict=True)
        ]
        title = html.heading(self.head(t.gettext("What the money went to")))
        biggest = [html.small(each) for each in kit.unmarked(axis_words.line(found, t)).split("\n")[1:]]
        return html.row(title + html.table(rows) + "".join(biggest), top=24)

    def _all(self) -> str:
        shown, rest = self._table()
        if not shown:
            return ""
        rows = []
        for number, one in enumerate(shown):
            facts = self._row_facts(one)
            change = parts.moved(one.cost, one.previous, self.t)
            rows.append(
                html.entry(
                    html.paragraph(html.text(_name(one)), size=14)
                    + html.paragraph(html.facts(facts), size=12, is_dim=True),
                    html.amount(self.bills.said[one.project_id], change, size=14, is_stacked=True),
                    [],
                    is_first=not number,
                )
            )
        told = html.small(rest) if rest else ""
        sums = html.paragraph(html.text(kit.unmarked(self._sums())), size=13, is_bold=True)
        return html.row(html.heading(self._table_head()) + html.table(rows) + told + sums, top=24)

    def _foot(self) -> str:
        return html.row(html.small(digest_rules.summary(self.t)) + html.small(self._footer()), top=18, bottom=28)

    # --- what both say -----------------------------------------------------------------------------------------------

    def _lists(self) -> list[tuple[str, Sequence[DigestProject]]]:
        """The best and those to improve; where nobody is ranked, the dearest."""
        t, digest = self.t, self.digest
        found: list[tuple[str, Sequence[DigestProject]]] = [
            (t.gettext("Best value for money"), digest.best),
            (t.gettext("Needs improvement"), digest.improve),
        ]
        told = [(words, projects) for words, projects in found if projects]
        largest = digest_root.largest(digest)
        return told or ([(t.gettext("Largest costs"), largest)] if largest else [])

    def _bought(self, one: DigestProject) -> str:
        standing = parts.standing(one, self.t) if one.ratio is not None else ""
        return " · ".join(filter(None, (value.line(one.value, self.t), standing)))

    def _row_facts(self, one: DigestProject) -> str:
        """What it bought and where it stands, or the one reason why there is neither."""
        if one.unranked in (Unranked.NO_SPEND, Unranked.NO_VALUE):
            return parts.reason(one.unranked, self.t)
        return " · ".join(filter(None, (value.cell(one.value, self.t), parts.standing(one, self.t))))

    def _verdict_words(self) -> str:
        return parts.verdict_line(self.verdict, self.t) if self.verdict is not None else ""

    def _step_head(self) -> str:
        return self.t.gettext("Proposed action") if self.is_brief else self.t.gettext("Next step")

    def _steps(self) -> list[str]:
        """What to do: for the boss in a few words each, for the team in a sentence."""
        return digest_root.proposals(self.digest, self.t) if self.is_brief else [self._whole_step()]

    def _whole_step(self) -> str:
        return f"{self.about}: {self.step}" if self.about else self.step

    def _table(self) -> tuple[Sequence[DigestProject], str]:
        """All projects, dearest first, and what is told of those beyond the table."""
        ordered = parts.ordered(self.digest)
        shown, rest = ordered[:TABLE_ROWS], ordered[TABLE_ROWS:]
        if not rest:
            return shown, ""
        amount = self.t.money(self.bills.of(rest))
        told = self.t.ngettext(
            "{count} more project: {amount}", "{count} more projects: {amount}", len(rest), amount=amount
        )
        return shown, told

    def _table_head(self) -> str:
        return self.t.gettext("Appendix: all projects") if self.is_brief else self.t.gettext("All projects")

    def _sums(self) -> str:
        return digest_root.sums(self.digest, self.t)

    def _footer(self) -> str:
        return self.t.gettext(
            "Sent every week by FinOps for AI; the same figures stand in Slack. An admin turns this mail off with "
            "`/finops report`, Settings."
        ).replace("`", "")


def _bar(found: Verdict) -> str:
    whole = found.well + found.poor + found.open
    parts_ = ((found.well, html.GOOD, "good-bar"), (found.poor, html.POOR, "poor-bar"), (found.open, html.OPEN, "open"))
    return html.stack([(part.ratio_of(whole) or Decimal(0), colour, name) for part, colour, name in parts_])


def _share(amount: Money | None, highest: Decimal) -> Decimal:
    return amount.amount / highest if amount is not None and amount.amount > 0 else Decimal(0)


def _name(one: DigestProject) -> str:
    return kit.bare(one.name, _NAME)
