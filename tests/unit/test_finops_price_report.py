"""Unit prices: what holds since when, and which model some words mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from finops.price_report import Held, Kind, alike, held, named
from finops.prices import RateCard

TODAY = date(2026, 7, 6)
CHAT = Kind("completions", "gpt-5")
OLD, NEW = RateCard("list-1 gpt-5", input_tokens=3), RateCard("list-1 gpt-5", input_tokens=2)


class Dated:
    """Prices that change on some days."""

    version = "dated"

    def __init__(self, cards: Mapping[date, RateCard | None]) -> None:
        self._cards = cards

    def card(self, endpoint: str, model: str, service_tier: str, is_batch: bool, day: date) -> RateCard | None:
        assert Kind(endpoint, model, service_tier, is_batch) == CHAT
        return self._cards[max(begun for begun in self._cards if begun <= day)]


def days_ago(number: int) -> date:
    return TODAY - timedelta(days=number)


@pytest.mark.parametrize(
    ("cards", "days", "told"),
    [
        ({date.min: NEW}, 10, [Held(NEW, None)]),
        ({date.min: OLD, days_ago(3): NEW}, 10, [Held(NEW, days_ago(3)), Held(OLD, None)]),
        ({date.min: OLD, days_ago(9): NEW}, 10, [Held(NEW, None)]),
        ({date.min: OLD, days_ago(8): NEW}, 10, [Held(NEW, days_ago(8)), Held(OLD, None)]),
        ({date.min: OLD, TODAY: NEW}, 1, [Held(NEW, None)]),
        ({date.min: None, days_ago(2): OLD, TODAY: NEW}, 10, [Held(NEW, TODAY), Held(OLD, days_ago(2))]),
        ({date.min: OLD, days_ago(4): None}, 10, [Held(None, days_ago(4)), Held(OLD, None)]),
        ({date.min: None}, 10, [Held(None, None)]),
    ],
)
def test_each_price_is_told_with_the_day_it_holds_from(
    cards: Mapping[date, RateCard | None], days: int, told: list[Held]
) -> None:
    assert list(held(Dated(cards), CHAT, TODAY, days)) == told


def test_the_same_price_in_a_newer_list_is_no_change() -> None:
    newer = RateCard("list-2 gpt-5", input_tokens=3)
    assert held(Dated({date.min: OLD, days_ago(3): newer}), CHAT, TODAY, 10) == (Held(newer, None),)


def test_a_model_is_found_by_its_name_and_others_by_what_their_names_share() -> None:
    names = ("gpt-5", "gpt-5-2026-01-31", "gpt-5-mini", "ft:gpt-5:acme", "o4-mini")
    used = [Kind("completions", name) for name in names]
    assert [one.model for one in named(used, "GPT-5")] == ["gpt-5", "gpt-5-2026-01-31"]
    assert [one.model for one in named(used, "gpt-5-2026-01-31")] == ["gpt-5-2026-01-31"]
    assert named(used, "gpt") == []
    found = {words: [one.model for one in alike(used, words)] for words in ("gpt-5-m", "Mini", "4o")}
    assert found == {"gpt-5-m": ["gpt-5-mini"], "Mini": ["gpt-5-mini", "o4-mini"], "4o": []}
