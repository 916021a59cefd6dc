"""Weeks to tell of: a good one as most are, and every odd one; small builders for the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from finops.axes import Axes, Axis, AxisShare
from finops.charges import FigureState
from finops.digest import (
    Advice,
    AdviceKind,
    Baseline,
    DailyCard,
    Digest,
    DigestProject,
    DigestShown,
    DigestVersion,
    Unranked,
)
from finops.estimates import Spent
from finops.figures import DayFigure, Figure, Scope, ScopeKind, breakdown_of, increase
from finops.money import Money, total
from finops.periods import Period
from finops.ranking import Contender, ranked
from finops.value import NO_VALUE, ValueFigure, ValueSums, figure
from finops.why import Factor, Why, WhyKind, WhyPart
from tests.unit.saying import SHARES, a_share, a_trend

MONDAY = date(2026, 7, 6)
WEEK = Period(date(2026, 6, 29), MONDAY)
TOLD_AT = datetime(2026, 7, 6, 0, 5, tzinfo=UTC)
LATER = datetime(2026, 7, 16, 3, 0, tzinfo=UTC)
WORKSPACE = Scope(ScopeKind.WORKSPACE, None, "")
TEAM = Scope(ScopeKind.TEAM, 3, "마케팅팀")
DAYS = ("298.10", "312.44", "331.07", "356.92", "402.18", "288.31", "492.35")
DAYS_BEFORE = ("301.20", "295.83", "310.44", "322.01", "318.76", "211.09", "455.42")


def value_of(successes: int, failures: int, cost: str, feedback: str | None = None) -> ValueFigure:
    """What the recorded calls bought, with all of the provider's calls recorded."""
    calls = successes + failures
    scored = (calls, int(Decimal(feedback) * 1000) * calls) if feedback is not None else (0, 0)
    sums = ValueSums(calls=calls, successes=successes, failures=failures, scored=scored[0], score_sum=scored[1])
    return figure(sums, Money.of(cost), calls, as_of=TOLD_AT)


def a_project(
    number: int, name: str, cost: str, previous: str | None, value: ValueFigure = NO_VALUE, **changes: object
) -> DigestProject:
    before = Money.of(previous) if previous is not None else None
    return replace(DigestProject(number, name, "마케팅팀", Money.of(cost), before, value), **changes)  # type: ignore[arg-type]


def a_why(kind: WhyKind, now: str, before: str, *parts: WhyPart) -> Why:
    """A cause whose parts are made to add up: what they leave is unexplained."""
    whole = Money.of(now) - Money.of(before)
    left = whole - total(part.amount for part in parts)
    rest = (WhyPart(Factor.UNEXPLAINED, left),) if left else ()
    return Why(WEEK, WEEK.before(), Money.of(now), Money.of(before), (*parts, *rest), kind, Decimal("0.98"))


def part(factor: Factor, amount: str, before: str | None = None, now: str | None = None, subject: str = "") -> WhyPart:
    old, new = (Decimal(one) if one is not None else None for one in (before, now))
    return WhyPart(factor, Money.of(amount), old, new, new / old if old and new is not None else None, subject or None)


RETRIES = a_why(
    WhyKind.RETRY_LOOP, "318.42", "61.20", part(Factor.REQUESTS, "249.80", "41200", "214240"),
    part(Factor.INPUT_LENGTH, "5.12", "812", "826"),
)  # fmt: skip
LONGER = a_why(
    WhyKind.LONGER_PROMPTS, "402.55", "355.10", part(Factor.INPUT_LENGTH, "58.02", "1204", "1466"),
    part(Factor.REQUESTS, "-12.40", "98000", "95100"),
)  # fmt: skip
CHEAPER = a_why(
    WhyKind.CHEAPER_MODEL, "512.30", "611.90", part(Factor.MODEL_MIX, "-131.00", subject="gpt-5.1-mini"),
    part(Factor.REQUESTS, "29.10", "88000", "92100"),
)  # fmt: skip
STEADY = a_why(WhyKind.UNCHANGED, "441.07", "438.92", part(Factor.REQUESTS, "2.15", "51000", "51250"))
WHOLE = a_why(
    WhyKind.RETRY_LOOP, "2481.37", "2214.75", part(Factor.REQUESTS, "281.44", "512000", "731000"),
    part(Factor.INPUT_LENGTH, "61.10", "1010", "1062"), part(Factor.MODEL_MIX, "-88.20", subject="gpt-5.1-mini"),
)  # fmt: skip


def _ranked(
    name: str, number: int, cost: str, previous: str, value: ValueFigure, usual: str, why: Why
) -> DigestProject:
    """A project measured by the real rule against four weeks that were all the same."""
    one = Contender(number, name, "마케팅팀", Money.of(cost), Money.of(previous), value, None, (Decimal(usual),) * 4)
    found = ranked([one], Money.of(cost))
    [measured] = found.best + found.improve + found.others
    return replace(measured, why=why)


BEST = (
    _ranked("support-bot", 1, "512.30", "611.90", value_of(24_310, 402, "512.30", "0.94"), "31.4", CHEAPER),
    _ranked("search-rerank", 2, "441.07", "438.92", value_of(48_200, 2_900, "441.07"), "96.2", STEADY),
    _ranked("문서 요약", 3, "188.20", "190.11", value_of(5_120, 240, "188.20", "0.9"), "22.9", STEADY),
)
IMPROVE = (
    replace(
        _ranked("chatbot-experiment", 4, "318.42", "61.20", value_of(1_020, 3_310, "318.42"), "14.9", RETRIES),
        advice=Advice(AdviceKind.CHECK_RETRIES, 4, "chatbot-experiment", Money.of("249.80")),
    ),
    replace(
        _ranked("contract-review", 5, "402.55", "355.10", value_of(880, 61, "402.55", "0.7"), "2.21", LONGER),
        advice=Advice(AdviceKind.SHORTEN_PROMPTS, 5, "contract-review", Money.of("58.02")),
    ),
)
OTHERS = (
    a_project(6, "광고 문구 생성", "301.12", "288.40", unranked=Unranked.NO_VALUE, why=STEADY),
    a_project(7, "voice-agent", "143.06", None, value_of(19, 3, "143.06"), unranked=Unranked.FEW_OUTCOMES),
    a_project(8, "nightly-batch", "99.15", "97.00", unranked=Unranked.NO_VALUE),
    a_project(9, "sandbox", "11.20", "9.90", value_of(240, 11, "11.20"), unranked=Unranked.SMALL_SPEND),
    a_project(10, "legacy-ocr", "0", "14.30", unranked=Unranked.NO_SPEND),
)
AXES = Axes(
    tuple(
        AxisShare(axis, Money.of(amount), Decimal(ratio), typical)
        for axis, amount, ratio, typical in (
            (Axis.INPUT, "1302.72", "0.525", (Decimal("0.4"), Decimal("0.6"))),
            (Axis.OUTPUT, "868.48", "0.350", (Decimal("0.2"), Decimal("0.3"))),
            (Axis.EMBEDDING, "99.25", "0.040", (Decimal("0.05"), Decimal("0.15"))),
            (Axis.TOOLS, "136.48", "0.055", (Decimal("0.05"), Decimal("0.1"))),
            (Axis.STORAGE, "49.62", "0.020", (Decimal("0.05"), Decimal("0.1"))),
            (Axis.UNMAPPED, "24.82", "0.010", None),
        )
    ),
    Money.of("2481.37"),
)  # fmt: skip


def a_trend_of_two_weeks(
    now: Sequence[str | None] = DAYS, before: Sequence[str | None] = DAYS_BEFORE
) -> tuple[DayFigure, ...]:
    return a_trend((*before, *now), MONDAY)


def a_total(amount: str | None, period: Period = WEEK, **changes: object) -> Figure:
    state = FigureState.BLIND if amount is None else FigureState.PROVISIONAL
    given: dict[str, object] = {"amount": Money.of(amount) if amount is not None else None, "state": state}
    return Figure(**({"period": period, "as_of": TOLD_AT} | given | changes))  # type: ignore[arg-type]


def a_digest(**changes: object) -> Digest:
    """The week most are like: ten projects, a bit dearer than the one before, one runaway."""
    now, before = a_total("2481.37"), a_total("2214.75", WEEK.before(), state=FigureState.SETTLED)
    given: dict[str, object] = {
        "scope": WORKSPACE,
        "week": WEEK,
        "computed_at": TOLD_AT,
        "total": now,
        "previous": before,
        "increase": increase(now, before),
        "value": value_of(79_789, 6_927, "2481.37", "0.91"),
        "best": BEST,
        "improve": IMPROVE,
        "others": OTHERS,
        "trend": a_trend_of_two_weeks(),
        "axes": AXES,
        "why": WHOLE,
        "advice": IMPROVE[0].advice,
        "unallocated": Money.of("64.30"),
    }
    return Digest(**(given | changes))  # type: ignore[arg-type]


def unranked(one: DigestProject, reason: Unranked) -> DigestProject:
    return replace(one, ratio=None, ratio_interval=None, baseline=Baseline.NONE, unranked=reason, advice=None)


def the_first_week() -> Digest:
    """Nothing to compare with: neither the whole nor any project."""
    nothing = Figure(None, WEEK.before(), FigureState.BLIND, None, unread_days=7)
    first = [replace(unranked(one, Unranked.NO_BASELINE), previous=None, why=None) for one in (*BEST, *IMPROVE)]
    others = (*first, *(replace(one, previous=None, why=None) for one in OTHERS[:3]))
    return a_digest(
        previous=nothing, increase=None, best=(), improve=(), others=_dearest_first(others),
        trend=a_trend(DAYS, MONDAY), why=None, advice=Advice(AdviceKind.SET_BUDGET), is_first=True,
    )  # fmt: skip


def _dearest_first(projects: Sequence[DigestProject]) -> tuple[DigestProject, ...]:
    return tuple(sorted(projects, key=lambda one: -one.cost.amount))


def no_value() -> Digest:
    """Nobody records what it brought."""
    silent = [replace(unranked(one, Unranked.NO_VALUE), value=NO_VALUE) for one in (*BEST, *IMPROVE, *OTHERS[:3])]
    ordered = tuple(sorted(silent, key=lambda one: -one.cost.amount))
    advice = Advice(AdviceKind.CONNECT_EVENTS, ordered[0].project_id, ordered[0].name)
    return a_digest(best=(), improve=(), others=ordered, value=NO_VALUE, advice=advice)


def zero_spend() -> Digest:
    """Read, and nothing was spent."""
    now, before = a_total("0"), a_total("12.40", WEEK.before())
    resting = tuple(
        replace(unranked(one, Unranked.NO_SPEND), cost=Money.zero(), value=NO_VALUE, why=None) for one in BEST
    )
    return a_digest(
        total=now, previous=before, increase=increase(now, before), best=(), improve=(), others=resting,
        value=NO_VALUE, trend=a_trend_of_two_weeks(("0",) * 7), axes=None, why=None,
        advice=Advice(AdviceKind.NONE), unallocated=None,
    )  # fmt: skip


def few_projects() -> Digest:
    """Two projects: one each."""
    now, before = a_total("830.72"), a_total("673.10", WEEK.before())
    return a_digest(
        scope=TEAM, total=now, previous=before, increase=increase(now, before), best=BEST[:1], improve=IMPROVE[:1],
        others=(), value=value_of(25_330, 3_712, "830.72"), unallocated=None,
        trend=a_trend_of_two_weeks(_third(DAYS), _third(DAYS_BEFORE)), why=None, axes=None,
    )  # fmt: skip


def _third(days: Sequence[str]) -> tuple[str, ...]:
    return tuple(str((Decimal(day) / 3).quantize(Decimal("0.01"))) for day in days)


def all_well() -> Digest:
    """Nothing to improve, and cheaper than the week before."""
    now, before = a_total("1141.57"), a_total("1240.93", WEEK.before())
    return a_digest(
        total=now, previous=before, increase=increase(now, before), improve=(), others=(), unallocated=None,
        value=value_of(77_630, 3_542, "1141.57", "0.93"), why=CHEAPER, advice=Advice(AdviceKind.NONE),
    )  # fmt: skip


def only_unallocated() -> Digest:
    """Money is spent, and nobody registered a project."""
    return a_digest(
        best=(), improve=(), others=(), value=NO_VALUE, why=None, unallocated=Money.of("2481.37"),
        advice=Advice(AdviceKind.NONE),
    )  # fmt: skip


def blind_days() -> Digest:
    """Two days could not be read: no comparison, and no drawing of what is not known."""
    now = a_total(
        "1586.84", state=FigureState.BLIND, unread_days=2, blind_since=datetime(2026, 7, 3, 22, 40, tzinfo=UTC)
    )
    return a_digest(
        total=now, increase=None, trend=a_trend_of_two_weeks((*DAYS[:5], None, None)), why=None, best=BEST[:2],
        improve=IMPROVE[:1], others=OTHERS[1:4], advice=IMPROVE[0].advice, unallocated=Money.of("61.64"), axes=None,
    )  # fmt: skip


def all_blind() -> Digest:
    """Not a single day could be read."""
    nothing = a_total(None, unread_days=7, as_of=None, blind_since=datetime(2026, 6, 28, 22, 40, tzinfo=UTC))
    return a_digest(
        total=nothing, increase=None, best=(), improve=(), others=(), value=NO_VALUE, axes=None, why=None,
        trend=a_trend((None,) * 7, MONDAY), advice=Advice(AdviceKind.NONE), unallocated=None,
    )  # fmt: skip


def many_projects() -> Digest:
    """More than forty: the table goes on in a second message, and the mail tells the sum of the rest."""
    more = tuple(
        a_project(100 + n, f"team-{n:03d}-service", f"{900 - n * 9}.{n % 100:02d}", "9", unranked=Unranked.SMALL_SPEND)
        for n in range(93)
    )
    now = a_total(str(Decimal("2481.37") + sum(one.cost.amount for one in more)))
    return a_digest(total=now, increase=increase(now, a_digest().previous), others=(*OTHERS, *more))


WEEKS: dict[str, Callable[[], Digest]] = {
    "usual": a_digest,
    "team": lambda: a_digest(scope=TEAM),
    "first_week": the_first_week,
    "no_value": no_value,
    "zero_spend": zero_spend,
    "few_projects": few_projects,
    "all_well": all_well,
    "only_unallocated": only_unallocated,
    "blind_days": blind_days,
    "all_blind": all_blind,
    "many_projects": many_projects,
}


def shown(digest: Digest | None = None, version: DigestVersion = DigestVersion.TEAM, **changes: object) -> DigestShown:
    return DigestShown(digest or a_digest(), version, **changes)  # type: ignore[arg-type]


def moved() -> DigestShown:
    """Asked for again ten days later: the bill was restated, and outcomes arrived late."""
    now = a_total("2502.11", state=FigureState.SETTLED, as_of=LATER)
    later = a_digest(
        computed_at=LATER, total=now, value=value_of(80_140, 6_940, "2502.11", "0.91"), best=BEST[:2],
        others=(replace(BEST[2], unranked=Unranked.RESTED), *OTHERS),
    )  # fmt: skip
    return shown(now=later)


def a_card(**changes: object) -> DailyCard:
    """Yesterday, and today until noon."""
    day = Period(date(2026, 7, 5), MONDAY)
    now, before = a_total("492.35", day), a_total("288.31", day.before())
    given: dict[str, object] = {
        "scope": WORKSPACE,
        "figure": now,
        "previous": before,
        "increase": increase(now, before),
        "value": value_of(11_204, 803, "492.35", "0.92"),
        "breakdown": breakdown_of([*SHARES[:2], a_share("search-rerank", "81.1")], 5),
        "trend": a_trend(DAYS, MONDAY),
        "today": Spent(
            Money.of("121.40"),
            FigureState.ESTIMATE,
            datetime(2026, 7, 6, 3, 0, tzinfo=UTC),
            Money.of("121.40"),
            unpriced=False,
            drift_margin=Decimal("0.05"),
        ),
    }
    return DailyCard(**(given | changes))  # type: ignore[arg-type]
