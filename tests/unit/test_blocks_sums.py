"""What stands beside its parts is what they add up to, in whole dollars as in cents: digest, status, why, Home."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from html import unescape

from hypothesis import given, settings
from hypothesis import strategies as st

from blocks import digest, home, kit, status, why
from finops.digest import DigestVersion
from finops.figures import Share, breakdown_of
from finops.money import Money, total
from finops.why import Mover
from tests.unit import digesting as told
from tests.unit.saying import a_figure, a_home, a_status, a_trend, reader
from tests.unit.test_blocks_why import an_answer

EN = reader("en")
AMOUNT = r"[<+]?-?\$[\d,]+(?:\.\d+)?"
# To a tenth of a cent, whole dollars apart and below a cent: where rounding each for itself goes wrong.
cents = st.decimals("0.001", "999", places=3, allow_nan=False)
amounts = st.lists(cents, min_size=1, max_size=6)
few = settings(max_examples=12, deadline=None, database=None)


def read(written: str) -> Decimal:
    """An amount as it stands in a message; what is less than the smallest that is shown adds nothing."""
    return Decimal(0) if written.startswith("<") else Decimal(re.sub(r"[$,+]", "", written))


def lines_of(message: kit.Message) -> list[str]:
    """What a screen without tables and charts shows, line by line."""
    return [line for block in message.plain_blocks for line in _texts(block)]


def _texts(block: object) -> list[str]:
    return [line for text in re.findall(r'"text": "((?:[^"\\]|\\.)*)"', json.dumps(block, ensure_ascii=False))
            for line in unescape(json.loads(f'"{text}"')).split("\n")]  # fmt: skip


def first_after(pattern: str, lines: list[str]) -> list[Decimal]:
    """The amount that follows `pattern` in each line that has it."""
    found = [re.search(rf"{pattern}[^$<]*?({AMOUNT})", line) for line in lines]
    return [read(one.group(1)) for one in found if one is not None]


@given(amounts, cents)
@few
def test_the_projects_of_a_digest_and_what_is_unallocated_add_up_to_it(each: list[Decimal], mine: Decimal) -> None:
    """As people say them in the root and the mail, and to the cent in the table, its sums and the days."""
    projects = [replace(told.a_project(n, f"p{n}", "1", None), cost=Money(one)) for n, one in enumerate(each, 1)]
    whole = Money(sum(each, mine))
    days = a_trend(tuple(str(one) for one in (*[Decimal(0)] * (6 - len(each)), *each, mine)), told.MONDAY)
    week = told.a_digest(
        best=tuple(projects[:3]), improve=tuple(projects[3:]), others=(), unallocated=Money(mine),
        total=replace(told.a_total("1"), amount=whole), trend=days, axes=None, why=None, advice=told.a_digest().advice,
    )  # fmt: skip
    for version in DigestVersion:
        shown = told.shown(week, version)
        root = lines_of(digest.root(shown, EN))
        listed = first_after(r"\*(?:\d\. )?p\d\*", root) + first_after("Unallocated", root)
        assert len(listed) == len(each) + 1
        assert [sum(listed)] == first_after("AI cost" if version is DigestVersion.TEAM else "Total cost", root)
        _, text, _ = digest.mail(shown, EN)
        bills = first_after("^- p", text.split("Appendix" if version is DigestVersion.BRIEF else "All projects")[1]
                            .split("\n"))  # fmt: skip
        assert_sums(bills, text.split("\n"))
    table = digest.line(told.shown(week), "projects", EN)
    assert table is not None
    shown_whole = assert_sums(first_after(r"\*p\d\*", lines_of(table)), lines_of(table))
    by_day = [read(one) for one in re.findall(rf"(?m)^  ?\w{{3}} \w+ \d+  ({AMOUNT})", text)]
    assert sum(by_day) == shown_whole


def assert_sums(bills: list[Decimal], lines: list[str]) -> Decimal:
    """The lines of a table add up to what stands below it, and that to the whole, which is the answer."""
    [found] = [one for line in lines if (one := re.search(rf"Projects ({AMOUNT}) \+ unallocated ({AMOUNT}) = .*?"
                                                          rf"({AMOUNT})", line))]  # fmt: skip
    owned, mine, whole = map(read, found.groups())
    assert owned + mine == whole
    assert sum(bills) == owned
    return whole


@given(st.lists(cents, min_size=14, max_size=14))
@few
def test_a_day_is_the_same_amount_as_a_bar_in_the_text_beside_it_and_by_mail(each: list[Decimal]) -> None:
    """Slack prints the height of the bar one points at: rounded for itself, it said $610.24 and the mail $610.25."""
    whole, days = Money(sum(each[7:], Decimal(0))), a_trend(tuple(map(str, each)), told.WEEK.end)
    before = replace(told.a_total("1"), amount=Money(sum(each[:7], Decimal(0))))
    week = told.a_digest(total=replace(told.a_total("1"), amount=whole), previous=before, trend=days)
    root = digest.root(told.shown(week), EN)
    now, then = bars_of(root)
    _, text, _ = digest.mail(told.shown(week), EN)
    by_mail = re.findall(rf"(?m)^  ?\w{{3}} \w+ \d+  ({AMOUNT}) \(({AMOUNT})\)", text)
    plain = re.findall(rf"(?m)^\w{{3}}  \S* +({AMOUNT})  \( *({AMOUNT})\)", "\n".join(lines_of(root)))
    assert plain == by_mail
    assert [(drawn(one), drawn(other)) for one, other in zip(now, then, strict=True)] == by_mail
    ago = told.a_digest(week=told.WEEK.before(), total=before, trend=days[:7])
    assert [drawn(one) for one in bars_of(digest.root(told.shown(ago), EN))[0]] == [other for _, other in by_mail]
    figure = replace(a_figure(), amount=whole, unread_days=0)
    report = status.message(a_status(figure=figure, trend=days[7:]), EN)
    assert [drawn(one) for one in bars_of(report)[0]] == [one for one, _ in by_mail]


def bars_of(message: kit.Message) -> list[list[float]]:
    """The heights of the bars of each series of the message's chart."""
    [chart] = [block["chart"] for block in message.blocks if block["type"] == "data_visualization"]
    return [[one["value"] for one in series["data"]] for series in chart["series"]]


def drawn(height: float) -> str:
    """What Slack prints beside a bar, as the text says it."""
    return f"${height:,.2f}" if height >= 0.01 else "<$0.01"


@given(amounts)
@few
def test_the_parts_of_a_status_of_home_and_of_the_daily_card_add_up(each: list[Decimal]) -> None:
    """By project and, where a screen draws no chart, by day."""
    shares = [Share(f"p{n}", f"p{n}", Money(one)) for n, one in enumerate(each)]
    whole = Money(sum(each, Decimal(0)))
    seven = tuple(str(one) for one in (*each, *[Decimal(0)] * (7 - len(each))))
    figure = replace(a_figure(), amount=whole)
    report = a_status(figure=figure, breakdown=breakdown_of(shares, 3), trend=a_trend(seven))
    said = lines_of(status.message(report, EN))
    [headline] = [read(line.rsplit(" · ", 1)[1]) for line in said[:1]]
    rows = first_after(r"^• .+?  \*", said)
    assert sum(rows[:-1]) == rows[-1]
    assert rows[-1] == headline
    by_day = [read(one) for line in said for one in re.findall(rf"^\w+ \d+ .*?({AMOUNT}) [○◐●]", line)]
    assert sum(by_day) == headline
    blocks = home.view(a_home(top=breakdown_of(shares)), EN)["blocks"]
    [listed] = [_texts(block) for block in blocks if "• Total" in str(block)]
    top = first_after(r"^• .+?  \*", listed)
    assert sum(top[:-1]) == top[-1]
    card = told.a_card(figure=figure, breakdown=breakdown_of(shares[:3]), today=None, trend=())
    card = replace(card, figure=replace(figure, amount=total(one.amount for one in shares[:3])))
    said = lines_of(digest.daily(card, EN))
    [headline] = first_after("AI cost", said)
    assert sum(first_after(r"\*p\d\*", said)) == headline


@given(st.lists(st.decimals("0.1", "999", places=3), min_size=3, max_size=9))
@few
def test_a_bar_of_a_project_is_what_the_table_below_it_says(each: list[Decimal]) -> None:
    """Also of a day whose smallest projects are told as one: $18.57 above $18.56 is two answers."""
    parts = breakdown_of([Share(f"p{n}", f"p{n}", Money(one)) for n, one in enumerate(each)], 2)
    figure = replace(a_figure(), amount=parts.total)
    message = status.message(a_status(figure=figure, breakdown=parts, trend=()), EN)
    rows = first_after(r"^• p\d+  \*", lines_of(message))
    assert [read(drawn(one)) for one in bars_of(message)[0]] == rows


def test_a_share_of_the_daily_card_is_the_one_of_the_status() -> None:
    """Of three equal projects: 34, 33 and 33 per cent there, and 33 each here, is two answers."""
    shares = [Share(f"p{n}", f"p{n}", Money.of("10")) for n in range(3)]
    whole = breakdown_of(shares)
    in_status = re.findall(r"\d+%", " ".join(lines_of(status.message(a_status(breakdown=whole), EN))[1:]))
    on_card = re.findall(r"\((\d+%)\)", " ".join(lines_of(digest.daily(told.a_card(breakdown=whole), EN))))
    assert on_card == ["34%", "33%", "33%"]
    assert " ".join(on_card) in " ".join(in_status)


@given(st.lists(st.tuples(cents, cents), min_size=1, max_size=5))
@few
def test_what_was_before_and_each_difference_add_up_to_what_is_now(pairs: list[tuple[Decimal, Decimal]]) -> None:
    """Also where both bills are rounded the one up and the other down; by factor, and by project."""
    now, before = (sum((pair[n] for pair in pairs), Decimal(0)) for n in (0, 1))
    factors = [replace(told.part(told.Factor.REQUESTS, "1"), amount=Money(new - old)) for new, old in pairs]
    whole = replace(told.WHOLE, now=Money(now), before=Money(before), parts=tuple(factors))
    movers = tuple(
        Mover(n, f"p{n}", replace(whole, now=Money(new), before=Money(old), parts=()))
        for n, (new, old) in enumerate(pairs)
    )
    said = lines_of(why.message(an_answer(whole, movers=movers), EN))
    headline = read(re.findall(AMOUNT, said[0])[-1])
    [[new, old]] = [(read(one), read(two)) for line in said for one, two in
                    re.findall(rf"({AMOUNT}) \([^)]*\), ({AMOUNT}) before", line)]  # fmt: skip
    assert new - old == headline
    rows = first_after(r"^• (?:Calls|Total)  \*", said)
    if rows:
        assert rows[-1] == headline
        assert sum(rows[:-1]) == headline
    assert sum(first_after(r"^• \*p\d\*", said)) == headline


def test_whole_dollars_are_rounded_together_and_not_cut() -> None:
    """Two projects of $150.90 are $302 together, and told as 151 and 151, not as 150 and 150."""
    two = [told.a_project(n, f"p{n}", "150.90", None) for n in (1, 2)]
    week = told.a_digest(best=(two[0],), improve=(two[1],), others=(), total=told.a_total("301.80"), unallocated=None)
    said = " ".join(lines_of(digest.root(told.shown(week), EN)))
    assert "AI cost $302" in said
    assert said.count("$151") == 2
