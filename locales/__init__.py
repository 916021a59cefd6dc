"""Words and numbers in the reader's language: Korean first, English and Japanese complete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import get_currency_precision, get_currency_symbol, get_decimal_symbol, get_group_symbol

from finops.charges import FigureState
from finops.money import EXACT, NANO_PLACES, Money, rounded_parts, total
from finops.periods import Period, starts_at
from finops.queries import NamedPeriod, PeriodName
from finops.zones import zone_named
from locales.catalogue import LANGUAGES, load

DEFAULT_LANGUAGE = "ko"
_ZONES = {"ko": "Asia/Seoul", "ja": "Asia/Tokyo", "en": "UTC"}
_DAY = {"ko": "M월 d일(EEE)", "ja": "M月d日(EEE)", "en": "EEE, MMM d"}
_DAY_AND_YEAR = {"ko": "y년 M월 d일(EEE)", "ja": "y年M月d日(EEE)", "en": "EEE, MMM d, y"}
_MONTH_AND_YEAR = {"ko": "y년 M월", "ja": "y年M月", "en": "MMMM y"}
_MONTH_DAY = {"ko": "M월 d일", "ja": "M月d日", "en": "MMM d"}
_SHORT_DAY = {"ko": "M/d", "ja": "M/d", "en": "MMM d"}
_SHORT_DAY_AND_YEAR = {"ko": "y/M/d", "ja": "y/M/d", "en": "MMM d, y"}
# A year ends on the day before the one it began on: without years it would seem to be two days.
_MOST_DAYS_WITHOUT_YEAR = 180
_NO_BREAK_SPACE = "\u00a0"


class Translator:
    """One reader's language and time zone. Whole sentences in, whole sentences out; placeholders are named."""

    def __init__(self, language: str, zone: tzinfo | None = None) -> None:
        self.language = language if language in LANGUAGES else "en"
        self.zone: tzinfo = zone or ZoneInfo(_ZONES[self.language])
        self._words = _words(self.language)
        self._locale = Locale.parse(self.language)
        marks = {",": get_group_symbol(self._locale), ".": get_decimal_symbol(self._locale)}
        self._separators = str.maketrans(marks)

    def gettext(self, message: str, **values: object) -> str:
        """The sentence in the reader's language, its placeholders filled."""
        return self._words.gettext(message).format(**values)

    def pgettext(self, context: str, message: str, **values: object) -> str:
        """As `gettext`, for a word that needs different translations in different places."""
        return self._words.pgettext(context, message).format(**values)

    def ngettext(self, one: str, many: str, count: int, **values: object) -> str:
        """The form for `count`, which fills `{count}` with thousands grouped."""
        return self._words.ngettext(one, many, count).format(count=self.number(count), **values)

    def number(self, value: int | Decimal, places: int = 0) -> str:
        """A number, thousands grouped; whole, or rounded to so many places."""
        # As Babel's format_decimal, which takes ten times as long: a digest of a large house has thousands of numbers.
        return f"{Decimal(value):,.{places}f}".translate(self._separators)

    def money(self, money: Money, places: int | None = None) -> str:
        """An amount with its currency sign. Less than one cent keeps enough digits to be told from nothing."""
        if places is None:
            places = self.places(money)
        amount = money.amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN, context=EXACT)
        sign = "-" if amount < 0 else ""
        symbol = self._symbol(money.currency)
        return f"{sign}{symbol}{_NO_BREAK_SPACE if symbol[-1].isalpha() else ''}{self.number(abs(amount), places)}"

    def amounts(self, parts: Sequence[Money], places: int | None = None, whole: Money | None = None) -> list[str]:
        """The parts of one whole, rounded so that what is shown adds up to the whole as shown.

        Where the whole is shown in other `places` than `money` has by itself, its parts are, too; where it was rounded
        otherwise than by itself, it is `whole`.
        """
        if not parts:
            return []
        if places is None:
            places = self.places(total(parts, parts[0].currency))
        return [
            self._least(part, places) if part.amount > 0 and not shown.amount else self.money(shown, places)
            for part, shown in zip(parts, self.rounded(parts, places, whole), strict=True)
        ]

    def rounded(self, parts: Sequence[Money], places: int | None = None, whole: Money | None = None) -> list[Money]:
        """The same as amounts, for sums of some of them that stand beside the others."""
        if parts and places is None:
            places = self.places(total(parts, parts[0].currency))
        found = rounded_parts([part.amount for part in parts], places or 0, whole.amount if whole is not None else None)
        return [Money(amount, part.currency) for part, amount in zip(parts, found, strict=True)]

    def _least(self, part: Money, places: int) -> str:
        return "<" + self.money(Money(Decimal(1).scaleb(-places), part.currency), places)

    @staticmethod
    def places(money: Money) -> int:
        """How many digits of an amount are shown: its currency's, and of half of the last or less as many as tell."""
        places = get_currency_precision(money.currency)
        if money.amount and abs(money.amount) <= Decimal(1).scaleb(-places) / 2:
            places = min(NANO_PLACES, 1 - money.amount.adjusted())
        return places

    def _symbol(self, currency: str) -> str:
        # Korean CLDR writes US$; bills, consoles and readers here write $, and every other dollar is marked (CA$, A$).
        return "$" if currency == "USD" else get_currency_symbol(currency, locale=self._locale)

    def percent(self, ratio: Decimal, places: int = 0) -> str:
        """A ratio (0.82) as a percentage (82%), rounded half-even."""
        value = EXACT.multiply(ratio, Decimal(100)).quantize(Decimal(1).scaleb(-places), context=EXACT)
        return f"{'-' if value < 0 else ''}{self.number(abs(value), places)}%"

    def share(self, ratio: Decimal | None) -> str:
        """A share of a whole: never rounded to 0% while there is something, nor up to 100% while something is left."""
        if ratio is None:
            return "-"
        if 0 < abs(ratio) < Decimal("0.01"):
            return "<1%" if ratio > 0 else ">-1%"
        if Decimal("0.99") < ratio < 1:
            return ">99%"
        return self.percent(ratio)

    def shares(self, ratios: Sequence[Decimal | None]) -> list[str]:
        """Shares of one whole side by side: rounded so that they add up to 100%, however the digits fall."""
        known = [ratio for ratio in ratios if ratio is not None]
        if len(known) != len(ratios):
            return [self.share(ratio) for ratio in ratios]
        return [
            self.share(ratio) if rounded == 0 or (rounded == 1 and ratio < 1) else self.percent(rounded)
            for ratio, rounded in zip(known, rounded_parts(known, 2), strict=True)
        ]

    def day(self, day: date, *, with_year: bool = False) -> str:
        """A charge day with its weekday."""
        pattern = (_DAY_AND_YEAR if with_year else _DAY)[self.language]
        return format_date(day, format=pattern, locale=self._locale)

    def weekday(self, day: date) -> str:
        """The day of the week, as short as calendars print it."""
        return format_date(day, format="EEE", locale=self._locale)

    def short_day(self, day: date) -> str:
        """A charge day for the axis of a chart, at most 20 characters."""
        return format_date(day, format=_SHORT_DAY[self.language], locale=self._locale)

    def moment(self, moment: datetime, zone: tzinfo | None = None) -> str:
        """An instant in the reader's zone; the zone itself is said once a message, by `zone_name`."""
        local = moment.astimezone(zone or self.zone)
        return f"{format_date(local.date(), format=_MONTH_DAY[self.language], locale=self._locale)} {local:%H:%M}"

    def clock(self, moment: datetime) -> str:
        """The time of day in the reader's zone."""
        return f"{moment.astimezone(self.zone):%H:%M}"

    def exact_clock(self, moment: datetime) -> str:
        """The time of day to the second: what somebody did, and what it did."""
        return f"{moment.astimezone(self.zone):%H:%M:%S}"

    def zone_name(self, moment: datetime) -> str:
        """The reader's zone at that instant: KST, JST, CET, UTC-03."""
        name = moment.astimezone(self.zone).tzname() or "UTC"
        return f"UTC{name}" if name[0] in "+-" else name

    def period(self, named: NamedPeriod) -> str:
        """The period as people call it: yesterday, last 7 days, 2026-W27 (6/29 ~ 7/5)."""
        if named.name.startswith("days:"):
            days = int(named.name.removeprefix("days:"))
            return self.ngettext("last {count} day", "last {count} days", days)
        if named.name.startswith("day:"):
            return self.day(named.period.start, with_year=True)
        if named.name.startswith("month:"):
            return format_date(named.period.start, format=_MONTH_AND_YEAR[self.language], locale=self._locale)
        if named.name.startswith("week:"):
            year, week, _ = named.period.start.isocalendar()
            return f"{year}-W{week:02} ({self.days(named.period)})"  # as one may type it, and its days
        return _PERIODS[PeriodName(named.name)](self)

    def span(self, period: Period) -> str:
        """From when to when, in the reader's clock: a charge day runs 09:00 to 09:00 in Seoul and Tokyo."""
        start = self.moment(starts_at(period.start))
        if period.days == 1:
            return self.gettext("24 hours from {start}", start=start)
        return self.gettext("{start} to {end}", start=start, end=self.moment(starts_at(period.end)))

    def days(self, period: Period) -> str:
        """The charge days of a period by their short names, first and last included; with years where it is long."""
        pattern = (_SHORT_DAY if period.days <= _MOST_DAYS_WITHOUT_YEAR else _SHORT_DAY_AND_YEAR)[self.language]
        ends = (period.start, period.end - timedelta(days=1))
        first, last = (format_date(day, format=pattern, locale=self._locale) for day in ends)
        return first if period.days <= 1 else f"{first} ~ {last}" if self.language != "en" else f"{first} - {last}"

    def state(self, state: FigureState) -> str:
        """How far the figure can be trusted, in one word."""
        return _STATES[state](self)

    def badge(self, state: FigureState) -> str:
        """The state with a sign that repeats it for quick eyes; the word carries the meaning."""
        return f"{_SIGNS[state]} {self.state(state)}"

    @staticmethod
    def sign(state: FigureState) -> str:
        """The sign of a state alone, for columns whose legend stands near."""
        return _SIGNS[state]


def translator_for(locale: str | None, timezone: str | None = None) -> Translator:
    """The translator for a Slack locale (`ko-KR`) and zone (`Asia/Seoul`).

    Silence means Korean, a language we do not speak means English, an unknown zone means the language's own.
    """
    language = (locale or DEFAULT_LANGUAGE).replace("_", "-").split("-")[0].lower()
    return _translator(language if language in LANGUAGES else "en", timezone)


@lru_cache(maxsize=512)
def _translator(language: str, timezone: str | None) -> Translator:
    return Translator(language, zone_named(timezone))


_words = lru_cache(maxsize=None)(load)

_SIGNS = {
    FigureState.ESTIMATE: "○",
    FigureState.PROVISIONAL: "◐",
    FigureState.SETTLED: "●",
    FigureState.BLIND: "△",
}
_STATES: dict[FigureState, Callable[[Translator], str]] = {
    FigureState.ESTIMATE: lambda t: t.pgettext("state", "estimate"),
    FigureState.PROVISIONAL: lambda t: t.pgettext("state", "provisional"),
    FigureState.SETTLED: lambda t: t.pgettext("state", "settled"),
    FigureState.BLIND: lambda t: t.pgettext("state", "unknown"),
}
_PERIODS: dict[PeriodName, Callable[[Translator], str]] = {
    PeriodName.TODAY: lambda t: t.pgettext("period", "today"),
    PeriodName.YESTERDAY: lambda t: t.pgettext("period", "yesterday"),
    PeriodName.LAST_7_DAYS: lambda t: t.pgettext("period", "last 7 days"),
    PeriodName.LAST_30_DAYS: lambda t: t.pgettext("period", "last 30 days"),
    PeriodName.THIS_WEEK: lambda t: t.pgettext("period", "this week"),
    PeriodName.LAST_WEEK: lambda t: t.pgettext("period", "last week"),
    PeriodName.THIS_MONTH: lambda t: t.pgettext("period", "this month"),
    PeriodName.LAST_MONTH: lambda t: t.pgettext("period", "last month"),
}
