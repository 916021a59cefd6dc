"""Money: exact amounts that know their currency, and parts that always add up to the whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, localcontext
from itertools import repeat

from finops.frozen import frozen

# Providers answer with up to 30 decimals; 28 digits (the default) would round a long sum in silence.
EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)
NANO_PLACES = 9
ATTO_PLACES = 18
_ATTO_PER_NANO = 10**9
_ATTO = Decimal(1).scaleb(-ATTO_PLACES)


class CurrencyMismatch(TypeError):
    """Two currencies met in one sum. Convert first: a rate is a decision, never an accident."""


# Codes seen to be right: a report makes thousands of sums in one or two currencies.
_CODES: set[str] = set()


def _remember(code: str) -> None:
    if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        raise ValueError(f"a currency is three capital letters, not {code!r}")
    _CODES.add(code)


@frozen
class Money:
    """An exact amount in one currency (ISO 4217, upper case). Adding two currencies raises CurrencyMismatch."""

    amount: Decimal
    currency: str = "USD"

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"money is a Decimal, never a {type(self.amount).__name__}: {self.amount!r}")
        if not self.amount.is_finite():
            raise ValueError(f"money is finite, not {self.amount}")
        if self.currency not in _CODES:
            _remember(self.currency)

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str = "USD") -> Money:
        """Money from the digits a person or a provider wrote."""
        return cls(Decimal(amount), currency)

    @classmethod
    def zero(cls, currency: str = "USD") -> Money:
        return cls(Decimal(0), currency)

    def __add__(self, other: Money) -> Money:
        self._same(other, "add")
        return Money(EXACT.add(self.amount, other.amount), self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other, "subtract")
        return Money(EXACT.subtract(self.amount, other.amount), self.currency)

    def __neg__(self) -> Money:
        return Money(self.amount.copy_negate(), self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __lt__(self, other: Money) -> bool:
        self._same(other, "compare")
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same(other, "compare")
        return self.amount <= other.amount

    def ratio_of(self, whole: Money) -> Decimal | None:
        """This amount as a share of `whole` (0.25 is a quarter); None when the whole is zero and no share exists."""
        self._same(whole, "divide")
        return EXACT.divide(self.amount, whole.amount) if whole.amount else None

    def _same(self, other: Money, verb: str) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(
                f"cannot {verb} {self.currency} {self.amount} and {other.currency} {other.amount}; convert first"
            )


def total(amounts: Iterable[Money], currency: str = "USD") -> Money:
    """The exact sum; of nothing, zero in `currency`."""
    result = Money.zero(currency)
    for amount in amounts:
        result = result + amount
    return result


def to_units(amount: Decimal) -> tuple[int, int]:
    """Split an amount into whole nano-units and the atto-units (1e-18) left over.

    `from_units` gives the same amount back, rounded half-even to 18 decimals. The rest is in 0 ≤ rest < 1e9, so sums
    of both columns stay exact integers and a ledger of millions of rows still ties to the provider's bill.
    """
    return divmod(to_atto(amount), _ATTO_PER_NANO)


def to_atto(amount: Decimal) -> int:
    """An amount in whole atto-units (1e-18), to be added and compared exactly; `from_units(0, …)` is its way back."""
    # One call per line of a bill: handing the context over costs a third of entering one.
    return int(amount.quantize(_ATTO, None, EXACT).scaleb(ATTO_PLACES, EXACT))


def all_to_units(amounts: Iterable[Decimal]) -> tuple[list[int], list[int]]:
    """`to_units` of many amounts, as a list of nano-units and a list of rests: bills have millions of lines."""
    attos = list(map(Decimal.__round__, map(EXACT.scaleb, amounts, repeat(Decimal(ATTO_PLACES)))))
    return [atto // _ATTO_PER_NANO for atto in attos], [atto % _ATTO_PER_NANO for atto in attos]


def from_units(nano: int | Decimal, rest: int | Decimal = 0) -> Decimal:
    """The amount that `to_units` split, or the sum of many: exact whatever the size.

    PostgreSQL sums integers into decimals; they are taken back to integers before anything could round them.
    """
    return Decimal(int(nano) * _ATTO_PER_NANO + int(rest)).scaleb(-ATTO_PLACES, EXACT)


def rounded_parts(parts: Sequence[Decimal], places: int, whole: Decimal | None = None) -> list[Decimal]:
    """Round parts for display so that they still add up to the rounded total (largest remainder method).

    Every part moves by less than one unit of the last place; ties go to the earlier part. `whole`, in those places, is
    what they add up to instead where it was rounded already, as a difference of two amounts is: then a part may move by
    as much more as that lies off. Of no parts there is nothing to add up.
    """
    if not parts:
        return []
    unit = Decimal(1).scaleb(-places)
    with localcontext(EXACT):
        whole = sum(parts, Decimal(0)).quantize(unit) if whole is None else whole
        floors = [part.quantize(unit, rounding=ROUND_FLOOR) for part in parts]
        missing = int((whole - sum(floors, Decimal(0))) / unit)
        by_remainder = sorted(range(len(parts)), key=lambda i: (floors[i] - parts[i], i))
        each, more = divmod(missing, len(parts))
        for place, i in enumerate(by_remainder):
            floors[i] += (each + (place < more)) * unit
    return floors
