"""Exchange: what dollars are in the won or yen a reader thinks in, at a rate somebody set, never without its date."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from finops.frozen import frozen
from finops.money import EXACT, CurrencyMismatch, Money
from finops.periods import charge_day

BILLED = "USD"
# A rate of more days than this says its own age wherever it is used.
OLD_AFTER_DAYS = 7
LONGEST_SOURCE = 60
# Behind the point of a rate; banks quote two, central banks up to four.
RATE_PLACES = 6


class Beside(StrEnum):
    """The currencies that may stand beside dollars."""

    KRW = "KRW"
    JPY = "JPY"


# A currency's smallest unit, as digits behind the point: neither has coins for less than one.
_PLACES = {Beside.KRW: 0, Beside.JPY: 0}
# One dollar was 670 to 2,000 won and 75 to 360 yen since both float. What lies far outside is a slip of the point or
# the rate the other way round, and the two do not meet: a rate in the wrong currency is seen as well.
PLAUSIBLE = {Beside.KRW: (Decimal(500), Decimal(5000)), Beside.JPY: (Decimal(50), Decimal(500))}
_SIGNS = {Beside.KRW: "krw|won|원|₩|ウォン", Beside.JPY: "jpy|yen|엔|円|¥"}
_ONE_DOLLAR = r"(?:(?:1usd|usd1|\$1|1\$|1달러|1ドル)=)?"
_DIGITS = r"(?P<sign>[-\u2212]?)(?P<digits>\d{1,3}(?:,\d{3})+|\d{1,12})(?P<decimals>\.\d{1,18})?"


class RateMistake(StrEnum):
    """Why what was typed is no rate we can use."""

    CURRENCY = "currency"  # none of those that may stand beside dollars
    MISSING = "missing"
    UNREADABLE = "unreadable"  # no number, one that could be read in two ways, or one with another currency's sign
    NOT_POSITIVE = "not_positive"
    IMPLAUSIBLE = "implausible"  # outside of PLAUSIBLE
    TOO_FINE = "too_fine"  # more than RATE_PLACES digits behind the point
    DAY_MISSING = "day_missing"
    DAY_AHEAD = "day_ahead"


class RateUnusable(ValueError):
    """What was typed is no rate we can use; `mistake` says why."""

    def __init__(self, mistake: RateMistake) -> None:
        super().__init__(mistake.value)
        self.mistake = mistake


@frozen
class Rate:
    """What one dollar was in another currency on a day, exactly, and who says so ('' where nobody was named)."""

    currency: Beside
    per_dollar: Decimal
    day: date
    source: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.per_dollar, Decimal):
            raise TypeError(f"a rate is a Decimal, never a {type(self.per_dollar).__name__}: {self.per_dollar!r}")
        if not self.per_dollar.is_finite() or self.per_dollar <= 0:
            raise ValueError(f"a rate is more than nothing, not {self.per_dollar}")

    def of(self, money: Money) -> Money:
        """The same in the rate's currency, rounded once to its own unit: half a unit goes away from zero.

        So a credit is exactly the opposite of the same cost. Raises CurrencyMismatch for anything but dollars. Each
        amount is rounded by itself: the parts of a whole, converted one by one, need not add up to the whole converted.
        """
        if money.currency != BILLED:
            raise CurrencyMismatch(f"a rate for {BILLED} says nothing about {money.currency} {money.amount}")
        unit = Decimal(1).scaleb(-_PLACES[self.currency])
        exact = EXACT.multiply(money.amount, self.per_dollar)
        return Money(exact.quantize(unit, rounding=ROUND_HALF_UP, context=EXACT), self.currency.value)


@frozen
class Converter:
    """A rate as it is used on a day (`today`)."""

    rate: Rate
    today: date

    @property
    def age_days(self) -> int:
        """How many days old the rate is; one set where the day begins earlier than ours is 0 days old."""
        return max(0, (self.today - self.rate.day).days)

    @property
    def is_old(self) -> bool:
        """Whether the rate's age has to be told beside every amount it makes."""
        return self.age_days > OLD_AFTER_DAYS

    def of(self, money: Money | None) -> Money | None:
        """The amount in the other currency; None where nothing may be said: unknown, nothing, or not in dollars."""
        return self.rate.of(money) if money is not None and money and money.currency == BILLED else None


@frozen
class RateChange:
    """What an administrator decided, and when: the rate from then on, or None for dollars alone."""

    rate: Rate | None
    set_by: str
    set_at: datetime


def converter(decided: RateChange | None, at: datetime) -> Converter | None:
    """How amounts are converted at a moment, after what was decided last; None where nobody asked for it."""
    return None if decided is None or decided.rate is None else Converter(decided.rate, charge_day(at))


def rate_typed(currency: str, text: str, day: date | None, source: str, today: date) -> Rate:
    """The rate an administrator typed: `1,375.50`, `1,375.50원`, `1 USD = 1,375.50 KRW`. Raises RateUnusable.

    `today` is the last day a rate may be of, by the calendar of whoever types it.
    """
    if currency not in set(Beside):
        raise RateUnusable(RateMistake.CURRENCY)
    beside = Beside(currency)
    per_dollar = _digits_typed(beside, text)
    low, high = PLAUSIBLE[beside]
    if not low <= per_dollar <= high:
        raise RateUnusable(RateMistake.IMPLAUSIBLE)
    if day is None:
        raise RateUnusable(RateMistake.DAY_MISSING)
    if day > today:
        raise RateUnusable(RateMistake.DAY_AHEAD)
    return Rate(beside, per_dollar, day, " ".join(source.split())[:LONGEST_SOURCE])


def _digits_typed(beside: Beside, text: str) -> Decimal:
    words = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    if not words:
        raise RateUnusable(RateMistake.MISSING)
    sign = f"(?:{unicodedata.normalize('NFKC', _SIGNS[beside])})?"
    found = re.fullmatch(f"{_ONE_DOLLAR}{sign}{_DIGITS}{sign}", words)
    if found is None:
        raise RateUnusable(RateMistake.UNREADABLE)
    typed = Decimal(found["digits"].replace(",", "") + (found["decimals"] or ""))
    if found["sign"] or not typed:
        raise RateUnusable(RateMistake.NOT_POSITIVE)
    # Zeros behind the last digit say nothing: 1375.50 and 1375.5 are one rate, kept and told in one way.
    plain = typed.normalize(EXACT)
    if _places(plain) > RATE_PLACES:
        raise RateUnusable(RateMistake.TOO_FINE)
    return plain if _places(plain) else plain.quantize(Decimal(1), context=EXACT)


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)
