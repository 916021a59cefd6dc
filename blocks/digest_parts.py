"""What every version of Monday's digest says the same way: whose week it is, how it moved, what each project bought."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from blocks import exchange, figures, ids, kit, why
from finops import written
from finops.charges import FigureState
from finops.digest import Baseline, Digest, DigestProject, Runaway, Unranked
from finops.figures import ScopeKind
from finops.frozen import frozen
from finops.money import Money, total
from finops.ranking import AT_MOST_BELOW, is_as_usual
from finops.verdict import Verdict, Word, verdict
from finops.why import WhyKind
from locales import Translator

# From here on a rise is told as a multiple: 420% more is harder to see than 5.2 times.
_TIMES_FROM = Decimal(2)
_LONG = 40


@frozen
class DigestKey:
    """Which digest a button asks for again: whose, and the Monday its week begins with."""

    kind: ScopeKind
    id: int | None
    week: date

    def __str__(self) -> str:
        return f"{self.kind}/{self.id or ''}/{self.week.isoformat()}"

    @classmethod
    def of(cls, digest: Digest) -> DigestKey:
        """The key of a digest."""
        return cls(digest.scope.kind, digest.scope.id, digest.week.start)

    @classmethod
    def parse(cls, value: str) -> DigestKey | None:
        """The key in a button's value; None when somebody sent something else."""
        kind, _, rest = value.partition("/")
        number, _, rest = rest.partition("/")
        day = rest.partition("/")[0]  # what follows tells one rendering from the next
        if kind not in set(ScopeKind) or not (kit.is_key(number) or not number):
            return None
        try:
            return cls(ScopeKind(kind), int(number) if number else None, written.in_calendar(date.fromisoformat(day)))
        except ValueError:
            return None


def title(digest: Digest, t: Translator) -> str:
    """Whose week, how much, up or down, when; one line of plain text."""
    cost = t.gettext("AI cost {amount}", amount=both(digest, t))
    said = " · ".join(filter(None, (cost, change(digest, t)))) + f" ({t.days(digest.week)})"
    whose = who(digest)
    return f"[{whose}] {said}" if whose else said


def who(digest: Digest) -> str:
    """The team or project of the digest as plain text; '' of the whole workspace."""
    return "" if digest.scope.kind is ScopeKind.WORKSPACE else kit.bare(digest.scope.name)


def amount(digest: Digest, t: Translator) -> str:
    """What the week cost, as people say it, which its parts (`costs`) add up to; or that nobody knows."""
    known = digest.total.amount
    return figures.whole(known, t) if known is not None else figures.amount(digest.total, t)


def both(digest: Digest, t: Translator) -> str:
    """`amount`, and what it is in the other currency where one is asked for."""
    return exchange.beside(amount(digest, t), digest.total.amount, digest.exchange, t)


def change(digest: Digest, t: Translator) -> str:
    """How the whole moved against the week before; '' where there is no amount to compare."""
    if digest.total.amount is None:
        return ""
    if digest.is_first:
        return t.gettext("first week")
    if digest.increase is not None:
        if is_same(digest.increase, t):
            return t.gettext("about the same as the week before")
        if digest.increase > 0:
            return t.gettext("up {percent} on the week before", percent=_percent(digest.increase, t))
        return t.gettext("down {percent} on the week before", percent=_percent(digest.increase, t))
    before = digest.previous
    if before.amount is not None and not before.amount and not before.unread_days and not digest.total.unread_days:
        return t.gettext("nothing in the week before")
    return t.gettext("no comparison with the week before")


def is_same(increase: Decimal, t: Translator) -> bool:
    """Whether a change is none as far as a reader can see."""
    return _percent(increase, t) == t.percent(Decimal(0), 1)


def moved(now: Money, before: Money | None, t: Translator) -> str:
    """How one project moved, in two words; '' where there is nothing to compare with."""
    if before is None or before.currency != now.currency:
        return ""
    if before.amount <= 0 or now.amount < 0:
        is_from_nothing = not before.amount and now.amount > 0
        # Not "new": who rests every other week, or over a holiday, is not.
        # i18n: a project's cost, which was nothing the week before: $412 (from $0)
        return t.gettext("from {amount}", amount=t.money(before, 0)) if is_from_nothing else ""
    increase = (now - before).ratio_of(before) or Decimal(0)
    if is_same(increase, t):
        return t.gettext("unchanged")
    if increase + 1 >= _TIMES_FROM:
        return t.gettext("{times} times as much", times=times(increase + 1, t))
    if increase > 0:
        return t.gettext("up {percent}", percent=_percent(increase, t))
    return t.gettext("down {percent}", percent=_percent(increase, t))


def times(ratio: Decimal, t: Translator) -> str:
    """A multiple: one digit behind the point, none from ten on."""
    tenths = ratio.quantize(Decimal("0.1"))
    return t.number(ratio) if tenths >= 10 else f"{t.number(int(tenths))}.{int(tenths * 10) % 10}"


def standing(project: DigestProject, t: Translator) -> str:
    """What its money bought against what it used to buy, or was meant to; else why it is not ranked."""
    if project.ratio is None:
        return reason(project.unranked, t)
    is_target = project.baseline is Baseline.TARGET
    if is_same(project.ratio - 1, t) or (is_as_usual(project) and project.ratio > AT_MOST_BELOW):
        if is_target:
            return t.gettext("value for money about on target")
        return t.gettext("value for money about as in its last 4 weeks")
    said = _apart(project.ratio, t, is_target=is_target)
    # i18n: {standing} is: value for money 30% below its target
    return t.gettext("{standing} (within chance)", standing=said) if is_as_usual(project) else said


def _apart(ratio: Decimal, t: Translator, *, is_target: bool) -> str:
    off = ratio - 1
    percent = _percent(off, t)
    if off > 0 and ratio >= _TIMES_FROM:
        many = times(ratio, t)
        if is_target:
            return t.gettext("value for money {times} times its target", times=many)
        return t.gettext("value for money {times} times its last 4 weeks", times=many)
    if off > 0:
        if is_target:
            return t.gettext("value for money {percent} above its target", percent=percent)
        return t.gettext("value for money {percent} above its last 4 weeks", percent=percent)
    if is_target:
        return t.gettext("value for money {percent} below its target", percent=percent)
    return t.gettext("value for money {percent} below its last 4 weeks", percent=percent)


def reason(unranked: Unranked | None, t: Translator) -> str:
    """Why a project is not ranked."""
    return _REASONS[unranked](t) if unranked is not None else ""


def verdict_line(found: Verdict, t: Translator) -> str:
    """Worth it or not, in three words behind a sign that repeats them."""
    return _VERDICTS[found.word](t)


def verdict_shares(found: Verdict, t: Translator) -> str:
    """How much of the money did what."""
    if found.word is Word.OPEN and not found.well.amount and not found.poor.amount:
        return t.gettext("no project has enough outcomes and a baseline to be judged by")
    told = zip((_well, _poor, _open), (found.well, found.poor, found.open), shares(found, t), strict=True)
    said = [say(t, share) for say, part, share in told if part.amount]
    return t.gettext("Of the cost: {parts}", parts=" · ".join(said))


def shares(found: Verdict, t: Translator) -> list[str]:
    """The three shares of the money, as percentages that add up."""
    whole = found.well + found.poor + found.open
    return t.shares([part.ratio_of(whole) for part in (found.well, found.poor, found.open)])


def rule_button(digest: Digest, t: Translator) -> kit.Block:
    """The way to how projects are ranked."""
    return kit.button(t.gettext("How this is ranked"), ids.DIGEST_RULE, str(DigestKey.of(digest)))


def worth(digest: Digest, t: Translator) -> str | None:
    """Sign and verdict, and below them the shares, as mrkdwn; None where no money was spent, or nobody knows."""
    found = verdict(digest)
    if found is None:
        return None
    return f"*{verdict_line(found, t)}*\n{kit.escape(verdict_shares(found, t))}"


def cause(project: DigestProject, t: Translator) -> str:
    """Why its cost moved, in one sentence of plain text; '' where nobody looked, or it did not move."""
    is_told = project.why is not None and project.why.kind is not WhyKind.UNCHANGED
    return why.sentence(project.why, t, is_first=False) if project.why is not None and is_told else ""


def whole_cause(digest: Digest, t: Translator) -> str:
    """Why the whole moved, in one sentence of plain text, as `/finops why` says it; '' where nobody can say."""
    if digest.why is None:
        return ""
    return why.cause(digest.why, [(one.name, one.why) for one in digest.projects if one.why is not None], t)


def runaway(project: DigestProject, t: Translator) -> str:
    """What ran away in it, as plain text: `ran away on Sun, Jul 5: +$690, stopped`; '' for nothing."""
    said = [_ran(project.runaway, t)] if project.runaway is not None else []
    if project.burning is not None:
        said.append(t.gettext("{runaway}, may go on", runaway=_days_of(project.burning, t)))
    return " · ".join(said)


def _ran(told: Runaway, t: Translator) -> str:
    """A runaway that is over, and how it ended."""
    said = _days_of(told, t)
    if told.is_restored:
        return t.gettext("{runaway}, stopped and restored", runaway=said)
    if told.is_stopped:
        return t.gettext("{runaway}, stopped", runaway=said)
    return t.gettext("{runaway}, over by itself", runaway=said)


def _days_of(told: Runaway, t: Translator) -> str:
    amount = figures.short(told.beyond, t)
    if told.days == 1:
        return t.gettext("ran away on {day}: +{amount}", day=t.day(told.day), amount=amount)
    return t.ngettext(
        "ran away on {count} day: +{amount}", "ran away on {count} days: +{amount}", told.days, amount=amount
    )


def story(project: DigestProject, t: Translator) -> str:
    """Why its cost moved and what ran away, as plain text; '' for nothing."""
    return " · ".join(filter(None, (cause(project, t), runaway(project, t))))


def cost(project: DigestProject, said: Mapping[int, str], t: Translator) -> str:
    """What it cost, as `said` beside the others (`costs`), and how that moved: `$412 (down 8%)`."""
    change_ = moved(project.cost, project.previous, t)
    money = said[project.project_id]
    return f"{money} ({change_})" if change_ else money


def ordered(digest: Digest) -> list[DigestProject]:
    """All projects, dearest first."""
    return sorted(digest.projects, key=lambda one: (-one.cost.amount, one.name, one.project_id))


def costs(digest: Digest, t: Translator) -> Mapping[int, str]:
    """What each project cost as people say it; with what is unallocated, they add up to `amount`."""
    every, split = _split(digest)
    return {one.project_id: said for one, said in zip(every, figures.parts_of(split, t), strict=False)}


@frozen
class Bills:
    """What each project cost to the cent, as every list of all of them shows it, and what those lines add up to.

    What nobody could read is `said` as such, and not as nothing.
    """

    said: Mapping[int, str]
    shown: Mapping[int, Money]
    owned: Money
    unallocated: Money

    def of(self, projects: Sequence[DigestProject]) -> Money:
        """What some of them cost together; ValueError of none."""
        if not projects:
            raise ValueError("the cost of no project has no currency")
        return total((self.shown[one.project_id] for one in projects), projects[0].cost.currency)


def bills(digest: Digest, t: Translator) -> Bills:
    """What each project cost, so rounded that with what is unallocated they add up to the whole as shown."""
    every, split = _split(digest)
    unread = t.gettext("unknown")
    said = zip(every, t.amounts(split), strict=False)
    shown = t.rounded(split)
    unallocated = shown[-2]
    return Bills(
        said={one.project_id: unread if one.unranked is Unranked.UNREAD else words for one, words in said},
        shown={one.project_id: amount for one, amount in zip(every, shown, strict=False)},
        owned=total(shown, unallocated.currency) - unallocated,
        unallocated=unallocated,
    )


def _split(digest: Digest) -> tuple[list[DigestProject], list[Money]]:
    """All projects, and the whole in parts: theirs in that order, what is unallocated, and whatever else is in it."""
    every = ordered(digest)
    amounts = [one.cost for one in every]
    whole = digest.total.amount
    if whole is None:
        return every, [*amounts, *[Money.zero(amounts[0].currency if amounts else "USD")] * 2]
    mine = digest.unallocated or Money.zero(whole.currency)
    return every, [*amounts, mine, whole - mine - total(amounts, whole.currency)]


def named(project: DigestProject) -> str:
    """Its name for mrkdwn, short enough for a line of a list."""
    return kit.name(project.name, _LONG)


def listed(names: Sequence[str], most: int, t: Translator) -> str:
    """The first so many names, and how many more there are."""
    shown, more = ", ".join(names[:most]), len(names) - most
    return shown if more <= 0 else t.ngettext("{names} and {count} more", "{names} and {count} more", more, names=shown)


def only_unallocated(digest: Digest) -> bool:
    """Whether money was spent and no project is registered that it could belong to."""
    return not digest.projects and digest.unallocated is not None and digest.unallocated.amount > 0


def unallocated_line(digest: Digest, t: Translator) -> str | None:
    """What belongs to no registered project, as plain text; None where everything has an owner."""
    if digest.unallocated is None or not digest.unallocated.amount:
        return None
    _, split = _split(digest)
    return t.gettext("Unallocated {amount}", amount=figures.parts_of(split, t)[-2])


def _percent(increase: Decimal, t: Translator) -> str:
    size = abs(increase)
    return t.percent(size, 0 if size >= Decimal("0.1") else 1)


_REASONS: dict[Unranked, Callable[[Translator], str]] = {
    Unranked.NO_VALUE: lambda t: t.gettext("no outcomes recorded"),
    Unranked.FEW_OUTCOMES: lambda t: t.gettext("too few outcomes to judge by"),
    Unranked.NO_PRICE: lambda t: t.gettext("cost of a success not known"),
    Unranked.SMALL_SPEND: lambda t: t.gettext("under 1% of the cost"),
    Unranked.NO_BASELINE: lambda t: t.gettext("no baseline yet"),
    Unranked.NO_SPEND: lambda t: t.gettext("no cost"),
    Unranked.UNREAD: lambda t: t.state(FigureState.BLIND),
    Unranked.RESTED: lambda t: t.gettext("about as usual"),
}
_VERDICTS: dict[Word, Callable[[Translator], str]] = {
    Word.WELL: lambda t: t.gettext("🟢 Value for money: good"),
    Word.MIXED: lambda t: t.gettext("🟡 Value for money: mixed"),
    Word.POOR: lambda t: t.gettext("🔴 Value for money: poor"),
    Word.OPEN: lambda t: t.gettext("⚪ Value for money: too early to judge"),
}


def _well(t: Translator, share: str) -> str:
    return t.gettext("{share} at baseline or better", share=share)


def _poor(t: Translator, share: str) -> str:
    return t.gettext("{share} below baseline", share=share)


def _open(t: Translator, share: str) -> str:
    return t.gettext("{share} not judged", share=share)
