"""Amounts as people type them: `$500`, `1,000.50`, `500달러`, `1.5k`; dollars, or a reason why not."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from enum import StrEnum

from finops.budgets import LARGEST_AMOUNT
from finops.money import EXACT, Money


class AmountMistake(StrEnum):
    """Why what was typed is no amount we can use."""

    MISSING = "missing"
    UNREADABLE = "unreadable"  # no number, or one whose digits could be read in two ways
    CURRENCY = "currency"  # another currency than dollars: bills, and so budgets, are in dollars
    NOT_POSITIVE = "not_positive"
    TOO_LARGE = "too_large"


class AmountUnusable(ValueError):
    """What was typed is no amount we can use; `mistake` says why."""

    def __init__(self, mistake: AmountMistake) -> None:
        super().__init__(mistake.value)
        self.mistake = mistake


_OTHERS = re.compile(r"₩|원|krw|¥|円|엔|jpy|cny|元|€|eur|유로|£|gbp|(?:ca|au|hk|nz|sg)\$")
# Three digits between commas, or none: 1,5 and 1.000,50 mean one thing here and another there.
_NUMBER = re.compile(
    r"(?:us)?\$?(?:usd)?\s*(?P<sign>[-\u2212]?)\s*\$?\s*"
    r"(?P<digits>\d{1,3}(?:,\d{3})+|\d{1,12})(?P<decimals>\.\d{1,18})?\s*"
    r"(?P<factor>k|천|千|만|万)?\s*(?:usd|us\$|\$|dollars?|달러|불|ドル|弗)?"
)
_FACTORS = {"k": 1_000, "천": 1_000, "千": 1_000, "만": 10_000, "万": 10_000}


def amount_typed(text: str, *, may_be_zero: bool = False) -> Money:
    """The dollars a person typed, to the last digit. Raises AmountUnusable."""
    words = unicodedata.normalize("NFKC", text).casefold().strip()
    if not words:
        raise AmountUnusable(AmountMistake.MISSING)
    if _OTHERS.search(words):
        raise AmountUnusable(AmountMistake.CURRENCY)
    found = _NUMBER.fullmatch(words)
    if found is None:
        raise AmountUnusable(AmountMistake.UNREADABLE)
    plain = Decimal(found["digits"].replace(",", "") + (found["decimals"] or ""))
    amount = EXACT.multiply(plain, _FACTORS.get(found["factor"] or "", 1))
    if found["sign"] and amount:
        raise AmountUnusable(AmountMistake.NOT_POSITIVE)
    if not amount and not may_be_zero:
        raise AmountUnusable(AmountMistake.NOT_POSITIVE)
    if amount > LARGEST_AMOUNT:
        raise AmountUnusable(AmountMistake.TOO_LARGE)
    return Money(amount)


def as_typed(money: Money) -> str:
    """An amount as one may type it again: plain digits, without needless zeros after the point."""
    digits = f"{money.amount:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
