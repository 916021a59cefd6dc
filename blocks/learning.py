"""What was learned: actions with their effect, the ledger of savings, and the verdicts on three hypotheses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from blocks import actions, figures, ids, kit, pulse
from finops.effects import Effect, EffectState
from finops.hypotheses import Hypothesis, Judged, Ledger, Tally, Verdict
from finops.learning import LearningReport
from finops.misses import Misses
from locales import Translator

Parts = list[kit.Block | kit.Either]
_HOUR, _MINUTE = 3600, 60
_MISSES_NAMED, _PROJECTS_NAMED = 3, 2


def message(report: LearningReport, t: Translator, notice: str | None = None) -> kit.Message:
    """The answer to `/finops effect`; `notice` is what a press of its button came to."""
    title = t.gettext("What was done, and what came of it ({days})", days=t.days(report.period))
    parts: Parts = [kit.header(title), *([kit.section(notice)] if notice else []), *_parts(report, t)]
    if report.actions:
        words = t.gettext("Every action of the last year with what it saved, as a table:")
        parts.append(kit.section(words, kit.button(t.gettext("Export (CSV)"), ids.LEARNING_EXPORT)))
    return kit.message(f"{title}\n{_summary(report, t)}", parts)


def file_words(count: int, t: Translator) -> str:
    """What stands beside the file."""
    return t.ngettext(
        "{count} action with its line of the ledger; what nobody knows is empty.",
        "{count} actions with their lines of the ledger; what nobody knows is empty.",
        count,
    )


def monthly(report: LearningReport, t: Translator) -> kit.Message:
    """The note of the first Monday of a month; at its end what comes next, and how it stands when somebody asks."""
    title = t.gettext("Monthly note: what telling people of their cost changed ({days})", days=t.days(report.period))
    next_step = kit.button(t.gettext("What is decided"), ids.DECISION_SHOW)
    ways = kit.actions(next_step, kit.button(t.gettext("What it changed"), ids.LEARNING_SHOW))
    return kit.message(f"{title}\n{_summary(report, t)}", [kit.header(title), *_parts(report, t), ways])


def _parts(report: LearningReport, t: Translator) -> Parts:
    parts: Parts = [kit.section("\n".join(_ledger(report, t)))]
    done = actions.timeline(report.actions, t)
    if done:
        parts += done
        if report.more:
            parts.append(kit.context(t.ngettext("and {count} more action", "and {count} more actions", report.more)))
    else:
        parts.append(kit.section(t.gettext("Nothing was done in this time that we could find.")))
    told = digests(report, t)
    if told:
        parts.append(kit.section("\n".join([t.gettext("*Projects the digest named*"), *told])))
    parts.append(kit.section("\n".join(pulse.lines(report.pulse, t))))
    parts.append(
        kit.section("\n".join([t.gettext("*Is it worth it?*"), *(_judged(one, t) for one in report.hypotheses)]))
    )
    parts.append(
        kit.section("\n".join([t.gettext("*How good alerts are*"), *_quality(report, t), *_misses(report.misses, t)]))
    )
    parts.append(
        kit.context(
            t.gettext(
                "Effects: the 14 days after against the 28 before, weekdays and the other projects' course taken out; "
                "ranges hold the truth 95 times of 100. Amounts are verified once bills are settled."
            )
        )
    )
    return parts


def digests(report: LearningReport, t: Translator) -> list[str]:
    """What each digest that can be measured changed, newest first, as lines of mrkdwn."""
    return [
        f"• {t.short_day(one.day)}{_named(one.projects, t)}: {effect_words(one.effect, t)}" for one in report.digests
    ]


def _named(projects: Sequence[str], t: Translator) -> str:
    """The first projects in brackets; '' where none of them is left."""
    names, more = ", ".join(kit.name(one) for one in projects[:_PROJECTS_NAMED]), len(projects) - _PROJECTS_NAMED
    if more > 0:
        names = t.ngettext("{names} and {count} more", "{names} and {count} more", more, names=names)
    return f" ({names})" if names else ""


def effect_words(effect: Effect, t: Translator) -> str:
    """An effect in one sentence, with its range; that it cannot be told is an answer."""
    if effect.state is EffectState.EARLY:
        return t.gettext("It is too early to measure: seven days have to pass.")
    if effect.state is EffectState.UNREAD:
        return t.gettext("It cannot be measured: bills of the days after it could not be read.")
    if effect.state is EffectState.NO_HISTORY or effect.change is None or effect.low is None or effect.high is None:
        return t.gettext("There is too little history to compare with.")
    between = t.gettext("{low} to {high}", low=_signed(effect.low, t), high=_signed(effect.high, t))
    if effect.state is EffectState.INDISTINCT:
        return t.gettext("The effect cannot be told from chance ({range}).", range=between)
    if effect.state is EffectState.LOWER:
        return t.gettext(
            "Cost {percent} less than it would have ({range}).", percent=_size(effect.change, t), range=between
        )
    return t.gettext(
        "Cost {percent} more than it would have ({range}).", percent=_size(effect.change, t), range=between
    )


def verdict(one: Judged, t: Translator) -> str:
    """A hypothesis and what the numbers say of it, as a line of mrkdwn."""
    return f"• {_HYPOTHESES[one.hypothesis](t)}: *{_VERDICTS[one.verdict](t)}*"


def _summary(report: LearningReport, t: Translator) -> str:
    return " · ".join(_ledger(report, t)).replace("*", "")


def _ledger(report: LearningReport, t: Translator) -> list[str]:
    ledger = report.ledger
    lines = [_verified(ledger, t)]
    if ledger.open_count:
        lines.append(_expected(ledger, t))
    share = report.prevented.share
    if share is not None:
        lines.append(
            t.gettext(
                "Over limits: {share} prevented ({prevented} prevented, {leaked} spent)",
                share=t.share(share),
                prevented=figures.short(report.prevented.prevented, t),
                leaked=figures.short(report.prevented.leaked, t),
            )
        )
    if report.prevented.unfinished:
        lines.append(
            t.ngettext(
                "{count} stop is counted when its alert is over",
                "{count} stops are counted when their alerts are over",
                report.prevented.unfinished,
            )
        )
    return lines


def _verified(ledger: Ledger, t: Translator) -> str:
    if not (ledger.verified_count or ledger.failed_count or ledger.indistinct_count):
        return t.gettext("No saving could be checked against settled bills yet.")
    return t.gettext(
        "Verified savings *{amount}* ({verified} verified, {failed} failed, {open} cannot be told)",
        amount=figures.short(ledger.verified, t),
        verified=t.number(ledger.verified_count),
        failed=t.number(ledger.failed_count),
        open=t.number(ledger.indistinct_count),
    )


def _expected(ledger: Ledger, t: Translator) -> str:
    """What waits for its bills; where nobody said what it is worth no amount is told, and none is zero."""
    if ledger.expected is None:
        return t.ngettext(
            "{count} action waits for its bills to settle; what it is worth nobody said before",
            "{count} actions wait for their bills to settle; what they are worth nobody said before",
            ledger.open_count,
        )
    if ledger.expected_count < ledger.open_count:
        return t.ngettext(
            "Expected {amount} from {known} of {count} action whose bills are not settled yet",
            "Expected {amount} from {known} of {count} actions whose bills are not settled yet",
            ledger.open_count,
            amount=figures.short(ledger.expected, t),
            known=t.number(ledger.expected_count),
        )
    return t.ngettext(
        "Expected {amount} from {count} action whose bills are not settled yet",
        "Expected {amount} from {count} actions whose bills are not settled yet",
        ledger.open_count,
        amount=figures.short(ledger.expected, t),
    )


def _judged(one: Judged, t: Translator) -> str:
    said = verdict(one, t)
    if one.share is None or one.other is None or one.hypothesis is Hypothesis.MORE_CLOUDS:
        return said
    facts = _compared(one.hypothesis, one.share, one.other, t)
    if one.interval is None or one.interval.high is None:
        return f"{said} · {facts}"
    between = t.gettext("{low} to {high}", low=_points(one.interval.low, t), high=_points(one.interval.high, t))
    told = t.gettext("difference {range} points", range=between)
    return f"{said} · {facts} · {told}"


def _compared(hypothesis: Hypothesis, share: Tally, other: Tally, t: Translator) -> str:
    """Both shares in words; a side without a case is told as such, for of none nobody acted and nobody did not."""
    hits, of = t.number(share.hits), t.number(share.of)
    other_hits, other_of = t.number(other.hits), t.number(other.of)
    if not (share.of or other.of):
        return t.gettext("no case is seven days old yet")
    if hypothesis is not Hypothesis.COST_VALUE:
        return t.gettext(
            "acted within seven days: {hits} of {of} after being told, {other_hits} of {other_of} before",
            hits=hits,
            of=of,
            other_hits=other_hits,
            other_of=other_of,
        )
    if not other.of:
        return t.gettext(
            "acted within seven days: {hits} of {of} with outcomes recorded, no case without yet", hits=hits, of=of
        )
    if not share.of:
        return t.gettext(
            "acted within seven days: {hits} of {of} without outcomes recorded, no case with yet",
            hits=other_hits,
            of=other_of,
        )
    return t.gettext(
        "acted within seven days: {hits} of {of} with outcomes recorded, {other_hits} of {other_of} without",
        hits=hits,
        of=of,
        other_hits=other_hits,
        other_of=other_of,
    )


def _quality(report: LearningReport, t: Translator) -> list[str]:
    quality = report.quality
    if not quality.alerts:
        return [t.gettext("There was no alert in this time.")]
    lines = []
    if quality.alerts > quality.too_early:
        lines.append(
            t.ngettext(
                "{count} alert, {acted} acted on within seven days",
                "{count} alerts, {acted} acted on within seven days",
                quality.alerts - quality.too_early,
                acted=t.number(quality.acted_on),
            )
        )
    if quality.too_early:
        lines.append(
            t.ngettext(
                "{count} alert of the last seven days: too early to count what was done",
                "{count} alerts of the last seven days: too early to count what was done",
                quality.too_early,
            )
        )
    if quality.precision is not None:
        lines.append(
            t.ngettext(
                "{share} of {count} opinion calls them helpful",
                "{share} of {count} opinions call them helpful",
                quality.helpful + quality.not_helpful,
                share=t.share(quality.precision),
            )
        )
    if quality.median_seconds is not None:
        lines.append(
            t.gettext(
                "taken up after {time} (median of {count})",
                time=_time(quality.median_seconds, t),
                count=t.number(quality.acknowledged),
            )
        )
    return lines


def _misses(misses: Misses, t: Translator) -> list[str]:
    """Limits passed in silence; that there were none is said only where every period could be judged."""
    lines = []
    if misses.missed:
        which = [
            f"{kit.escape(figures.scope_name(one.scope, t))} {t.days(one.window)}"
            for one in misses.missed[:_MISSES_NAMED]
        ]
        more = len(misses.missed) - len(which)
        if more:
            which.append(t.ngettext("{count} more", "{count} more", more))
        lines.append(
            t.ngettext(
                "{count} period went over its limit without an alert ({which})",
                "{count} periods went over their limit without an alert ({which})",
                len(misses.missed),
                which=", ".join(which),
            )
        )
    elif misses.is_whole:
        lines.append(
            t.ngettext(
                "Over the limit without an alert: none (of {count} period)",
                "Over the limit without an alert: none (of {count} periods)",
                misses.judged,
            )
        )
    elif misses.judged:
        lines.append(
            t.ngettext(
                "Over the limit without an alert: not found in the {count} period that can be judged",
                "Over the limit without an alert: not found in the {count} periods that can be judged",
                misses.judged,
            )
        )
    if misses.early:
        lines.append(
            t.ngettext(
                "{count} period cannot be judged yet: its bill is still being written",
                "{count} periods cannot be judged yet: their bills are still being written",
                misses.early,
            )
        )
    if misses.blind:
        lines.append(
            t.ngettext(
                "{count} period cannot be judged: its bill was not read",
                "{count} periods cannot be judged: their bills were not read",
                misses.blind,
            )
        )
    if misses.changed:
        lines.append(
            t.ngettext(
                "{count} period cannot be judged: its budget was made or changed after it began",
                "{count} periods cannot be judged: their budgets were made or changed after they began",
                misses.changed,
            )
        )
    return lines


def _time(seconds: int, t: Translator) -> str:
    if seconds < _MINUTE:
        return t.ngettext("{count} second", "{count} seconds", seconds)
    if seconds < _HOUR:
        return t.ngettext("{count} minute", "{count} minutes", seconds // _MINUTE)
    return t.ngettext("{count} hour", "{count} hours", seconds // _HOUR)


def _signed(ratio: Decimal, t: Translator) -> str:
    sign = "+" if ratio > 0 else "−" if ratio < 0 else ""
    return sign + _size(ratio, t)


def _size(ratio: Decimal, t: Translator) -> str:
    return t.percent(abs(ratio))


def _points(difference: Decimal, t: Translator) -> str:
    sign = "+" if difference > 0 else "−" if difference < 0 else ""
    return sign + t.number((abs(difference) * 100).quantize(Decimal(1)))


Say = Callable[[Translator], str]
_HYPOTHESES: Mapping[Hypothesis, Say] = {
    Hypothesis.COST_VALUE: lambda t: t.gettext("Value beside cost makes people act"),
    Hypothesis.MORE_CLOUDS: lambda t: t.gettext("Another provider adds value"),
    Hypothesis.PEOPLE_ACT: lambda t: t.gettext("People act when they are told"),
}
_VERDICTS: Mapping[Verdict, Say] = {
    Verdict.SUPPORTED: lambda t: t.gettext("the numbers say yes"),
    Verdict.REFUTED: lambda t: t.gettext("the numbers say no"),
    Verdict.OPEN: lambda t: t.gettext("cannot be told from chance"),
    Verdict.TOO_FEW: lambda t: t.gettext("too few cases to say"),
    Verdict.NOT_MEASURABLE: lambda t: t.gettext("not measurable: fewer than two providers are connected"),
}
