"""Line items: every spelling that was seen has its axis or says that it has none, and the shares are a whole."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.axes import Axis
from finops.line_items import axes_of, axis_of
from finops.money import Money, total

SEEN = Path(__file__).parent.parent / "data" / "openai_line_items.csv"
# What says neither in nor out, and a gift.
SILENT = {"", "Text tokens", "Image models", "Completions", "gpt-5", "o1-mini", "Promotional credit"}
OTHERS = {
    "web search tool calls": Axis.TOOLS,
    "Web search tool calls": Axis.TOOLS,
    "assistants api | file search": Axis.TOOLS,
    "Code interpreter sessions": Axis.STORAGE,
    "Vector storage": Axis.STORAGE,
    "Vector store storage": Axis.STORAGE,
    "Embeddings": Axis.EMBEDDING,
    "text-embedding-3-large-2024-01-25, input": Axis.EMBEDDING,
    "dall-e-3": Axis.OUTPUT,
    "whisper-1, audio": Axis.INPUT,
}


def test_every_spelling_that_was_seen_is_mapped_or_known_not_to_be():
    """38 of them; whatever tells in or out is what it tells."""
    with SEEN.open() as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert len(rows) == 38
    for row in rows:
        name, kind = row["line_item"], row["kind"]
        told = Axis.OUTPUT if "output" in kind else Axis.INPUT
        expected = OTHERS.get(name, Axis.UNMAPPED if name in SILENT else told)
        assert axis_of(name or None) is expected, name


@pytest.mark.parametrize(
    ("name", "axis"),
    [
        ("batch | text-embedding-3-small, input", Axis.EMBEDDING),
        ("ft-gpt-4o-2024-08-06, training", Axis.TRAINING),
        ("gpt-4o-mini-2024-07-18, training input", Axis.TRAINING),
        ("Fine-tuning training", Axis.TRAINING),
        ("fine-tuning | gpt-4.1, training tokens", Axis.TRAINING),
        ("ft-gpt-4o-2024-08-06, output", Axis.OUTPUT),
        ("tts-1, audio", Axis.OUTPUT),
        ("gpt-image-1, images", Axis.OUTPUT),
        ("some-new-model, audio", Axis.UNMAPPED),
        ("File search tool calls", Axis.TOOLS),
        ("containers | code interpreter", Axis.STORAGE),
        ("something nobody has heard of", Axis.UNMAPPED),
        (None, Axis.UNMAPPED),
    ],
)
def test_what_is_not_in_the_list_follows_the_same_rules(name: str | None, axis: Axis):
    """And a name that says nothing is not guessed at."""
    assert axis_of(name) is axis


def test_a_bill_by_axis_is_compared_with_what_is_typical():
    """The biggest is named; an axis without any charge is a true zero."""
    axes = axes_of(
        [("gpt-4o, input", Money.of(70)), ("gpt-4o, output", Money.of(20)), ("Vector storage", Money.of(10))]
    )
    assert [(share.axis, share.ratio) for share in axes.shares] == [
        (Axis.INPUT, Decimal("0.700")),
        (Axis.OUTPUT, Decimal("0.200")),
        (Axis.EMBEDDING, Decimal(0)),
        (Axis.TOOLS, Decimal(0)),
        (Axis.STORAGE, Decimal("0.100")),
    ]
    assert axes.biggest is axes.shares[0]
    assert axes.biggest.typical == (Decimal("0.40"), Decimal("0.60"))


def test_training_is_told_apart_and_nothing_is_made_of_it():
    """Out of scope and on the bill all the same: it has its share, and is never what to look at first."""
    training = ("ft-gpt-4o-2024-08-06, training", Money.of(80))
    axes = axes_of([training, ("gpt-4o, input", Money.of(15)), ("Vector storage", Money.of(5))])
    assert [(share.axis, share.ratio) for share in axes.shares if share.amount] == [
        (Axis.INPUT, Decimal("0.150")),
        (Axis.STORAGE, Decimal("0.050")),
        (Axis.TRAINING, Decimal("0.800")),
    ]
    assert axes.total == Money.of(100)
    assert axes.biggest is axes.shares[0]
    assert axes_of([training]).biggest is None
    assert Axis.TRAINING not in {share.axis for share in axes_of([("gpt-4o, input", Money.of(1))]).shares}


def test_a_credit_is_no_share_and_stays_in_the_whole():
    """What is unmapped is shown, below zero without a ratio; nothing charged, no ratios at all."""
    axes = axes_of([("gpt-4o, input", Money.of(70)), ("Promotional credit", Money.of(-100))])
    assert (axes.total, axes.shares[0].ratio, axes.shares[-1].axis, axes.shares[-1].ratio) == (
        Money.of(-30), 1, Axis.UNMAPPED, None,
    )  # fmt: skip
    nothing = axes_of([])
    assert (nothing.total, nothing.biggest) == (Money.zero(), None)
    assert {share.ratio for share in nothing.shares} == {None}


names = st.sampled_from(
    ["gpt-4o, input", "gpt-4o, output", "gpt-4o, cached input", "Embeddings", "odd", "gpt-4o, training", None, *OTHERS]
)


@given(st.lists(st.tuples(names, st.decimals("-5", "1000000", places=18).map(Money)), max_size=12))
def test_amounts_add_up_to_the_whole_and_ratios_to_one(lines: list[tuple[str | None, Money]]):
    """To the last digit, and to a tenth of a percent."""
    axes = axes_of(lines)
    assert total(share.amount for share in axes.shares) == axes.total == total(amount for _, amount in lines)
    ratios = [share.ratio for share in axes.shares if share.ratio is not None]
    assert sum(ratios) == (1 if ratios else 0)
