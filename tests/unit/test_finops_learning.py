"""What was done, as a file for a spreadsheet."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime

from finops.behaviour import Action, ActionKind, ActionSource, Preceded, Told
from finops.effects import Saving, SavingState
from finops.learning import ActionShown, exported
from finops.money import Money
from finops.periods import Period

AT = datetime(2026, 7, 2, 5, 30, tzinfo=UTC)
DAYS = Period(date(2026, 7, 3), date(2026, 7, 17))


def an_action(**more: object) -> Action:
    return Action(AT, AT.date(), ActionKind.STOPPED, ActionSource.TRAIL, "trail:1", **more)  # type: ignore[arg-type]


def test_every_amount_is_exact_and_what_nobody_knows_is_empty() -> None:
    """Names that a spreadsheet would take for formulas are words, and an expected saving nobody foretold is not 0."""
    verified = Saving(
        1,
        SavingState.VERIFIED,
        DAYS,
        "USD",
        None,
        Money.of("412.500000000000000001"),
        Money.of("300"),
        Money.of("520"),
        AT,
    )
    told = Told(Preceded.ALERT, 7, datetime(2026, 7, 1, tzinfo=UTC))
    written = exported(
        [
            ActionShown(an_action(actor="U1", preceded=told), "=cmd()", "마케팅팀", verified),
            ActionShown(an_action(), saving=Saving(2, SavingState.EXPECTED, DAYS)),
            ActionShown(an_action()),
        ]
    )
    first, second, third = csv.DictReader(io.StringIO(written.decode("utf-8-sig")))
    assert (first["project"], first["team"], first["by"]) == ("'=cmd()", "마케팅팀", "U1")
    assert (first["at"], first["answers"], first["told_at"]) == (
        "2026-07-02T05:30:00+00:00", "alert", "2026-07-01T00:00:00+00:00",
    )  # fmt: skip
    assert [first[name] for name in ("saving", "expected", "verified", "low", "high", "currency")] == [
        "verified", "", "412.500000000000000001", "300", "520", "USD",
    ]  # fmt: skip
    assert (first["from_day"], first["to_day"], first["checked_at"]) == (
        "2026-07-03", "2026-07-16", "2026-07-02T05:30:00+00:00",
    )  # fmt: skip
    assert [second[name] for name in ("saving", "expected", "verified", "checked_at")] == ["expected", "", "", ""]
    assert {third[name] for name in ("saving", "expected", "verified", "from_day", "answers")} == {""}


def test_of_nothing_there_are_only_the_names_of_the_columns() -> None:
    assert exported([]).decode("utf-8-sig").count("\r\n") == 1
