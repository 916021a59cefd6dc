"""The audit trail in words: one sentence for each act in three languages, whatever stands in the place of a fact."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blocks import audit, audit_words
from blocks.audit import AuditAsked
from finops.audit import (
    AuditEntry,
    AuditKind,
    AuditPage,
    AuditProblem,
    AuditRow,
    AuditVerdict,
    Outcome,
    filter_of,
    row_after,
)
from finops.audit_files import CSV, lines
from finops.budget_report import OPERATOR
from finops.stops import StopEventKind
from providers.openai_levers import EVENTS
from tests.house.tree import ROOT, modules, nodes
from tests.unit.saying import LANGUAGES, reader
from tests.unit.test_blocks_limits import refused_view

NOW = datetime(2026, 7, 6, 5, 9, tzinfo=UTC)
WHO = "<@U0JIHOON01>"
BUDGET = {"scope": "team:1", "name": "마케팅팀", "period": "day", "currency": "USD", "amount": "750.5"}


def said(action: str, language: str = "en", subject: str = "team:1", **details: Any) -> str:
    return audit_words.what(AuditEntry(NOW, "U0JIHOON01", action, subject, details=details), reader(language))


def page(*entries: AuditEntry, verdict: AuditVerdict | None = None) -> AuditPage:
    rows: list[AuditRow] = []
    for entry in entries:
        rows.append(row_after((rows[-1].seq, rows[-1].hash) if rows else None, "T0FINOPS01", entry))
    found = verdict or AuditVerdict(ok=True, rows=len(rows), head="a" * 64)
    return AuditPage(tuple(reversed(rows)), has_older=True, verdict=found, checked_at=NOW)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "ko",
            f"`#1` 7월 6일 14:09 · {WHO} · 예산을 변경했습니다: *마케팅팀* · 일일 한도 $750.50 ($500 → $750.50) · 완료",
        ),
        (
            "en",
            f"`#1` Jul 6 01:09 · {WHO} · changed the budget *마케팅팀* · Daily limit $750.50: $500 → $750.50 · done",
        ),
        (
            "ja",
            f"`#1` 7月6日 14:09 · {WHO} · 予算を変更しました: *마케팅팀* · 1日の上限 $750.50（$500 → $750.50） · 完了",
        ),
    ],
)
def test_an_act_is_one_line(language: str, words: str) -> None:
    """Time, who, what and what became of it."""
    details: Any = {**BUDGET, "amount_before": "500", "amount_after": "750.5"}
    shown = page(AuditEntry(NOW, "U0JIHOON01", "budget.changed", "budget:12", details=details))
    view = audit.listed(shown, AuditAsked(), reader(language))
    assert words in [block["text"]["text"] for block in view["blocks"] if block["type"] == "section"]


def test_what_changed_is_told_before_and_after() -> None:
    told = said(
        "team.changed", name="마케팅팀", lead_before="U0MINSU001", lead_after="U0SEOYEON1", name_before="<!channel>",
        name_after="SALES", approvers_before="", approvers_after="S0FINANCE1,U0SEOYEON1", levels_before=[75],
        levels_after=[75, 100], needs_two_before=False, needs_two_after=True,
    )  # fmt: skip
    assert told == (
        "changed the team *마케팅팀*: Lead <@U0MINSU001> → <@U0SEOYEON1>, name &lt;!channel&gt; → SALES, "
        "approvers none → <!subteam^S0FINANCE1> <@U0SEOYEON1>, Alert levels 75% → 75·100%, second person no → yes"
    )


def test_a_refusal_says_what_was_wanted_and_why_not() -> None:
    refused = AuditEntry(NOW, "U0MINSU001", "command.audit", "", Outcome.REFUSED, {"code": "not_admin"})
    assert audit_words.what(refused, reader("en")) == "wanted `/finops audit` and may not (only admins may)"
    pressed = AuditEntry(
        NOW, "U0MINSU001", "budget.delete", "budget:12", Outcome.REFUSED, {"code": "not_team_manager", "team": "영업팀"}
    )
    assert audit_words.what(pressed, reader("ko")) == (
        "권한 없이 `budget.delete` 작업을 시도했습니다 (영업팀 담당자와 승인자만 가능) · budget:12"
    )


def test_who_may_be_the_app_or_an_operator() -> None:
    who = [audit_words.who(AuditEntry(NOW, one, "x.y"), reader("ko")) for one in (None, OPERATOR, "<b>", "U0MINSU001")]
    assert who == ["FinOps", "운영자", "&lt;b&gt;", "<@U0MINSU001>"]


@cache
def recorded() -> list[str]:
    """Every act there is: whatever bot/ names as one, what installing records, and every event of a stop."""
    acts = {f"stop.{kind.value}" for kind in StopEventKind}
    for path in [*modules("bot"), ROOT / "handlers/installing.py"]:
        for node in nodes(path):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                acts.update(re.findall(r"^[a-z]+\.[a-z_]+$", node.value))
    assert {"team.created", "key.replaced", "budgets.imported", "admin.appointed", "app.removed", "lead.told"} <= acts
    return sorted(acts - set(EVENTS))  # what the provider calls its own events is not ours to record


def test_every_act_there_is_has_a_sentence() -> None:
    """A new one is told by its id until it has one."""
    assert [one for one in recorded() if "`" in said(one)] == []
    assert said("thing.happened", subject="thing:1") == "`thing.happened` thing:1"


def test_every_act_there_is_can_be_looked_for_by_its_kind() -> None:
    """Whoever looks for one kind of act misses none of them."""
    kinds = {noun for kind in AuditKind for noun in filter_of(kind).nouns}
    assert [one for one in recorded() if one.partition(".")[0] not in kinds] == []


def test_every_act_there_is_stands_in_the_documentation() -> None:
    """docs/audit.md names them all; of a noun, the further ones by their verb alone."""
    page, named = (ROOT / "docs/audit.md").read_text(encoding="utf-8"), set()
    for row in re.findall(r"^\|[^|\n]+\|([^|\n]+)\|$", page, re.MULTILINE):
        noun = ""
        for one in re.findall(r"`([a-z]*\.[a-z_]+)`", row):
            noun = one.partition(".")[0] or noun
            named.add(f"{noun}.{one.partition('.')[2]}")
    acts = recorded()
    assert [one for one in acts if one not in named and not one.startswith("stop.")] == []
    assert named - set(acts) - set(audit_words._SAID) == {"budget.delete", "command.audit"}  # what a refusal names


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_broken_chain_is_told_with_its_row_and_what_to_do(language: str) -> None:
    for problem in AuditProblem:
        verdict = AuditVerdict(ok=False, rows=5, first_bad_seq=3, problem=problem)
        view = audit.listed(page(verdict=verdict), AuditAsked(), reader(language))
        text = view["blocks"][1]["text"]["text"]
        assert text.startswith("🚨"), problem
        assert "#3" in text, problem
        assert audit_words.problem(problem, reader(language)) in text, problem
        assert "\n" in text, problem


@given(
    language=st.sampled_from(LANGUAGES),
    action=st.sampled_from(sorted(audit_words._SAID)) | st.text(max_size=20),
    details=st.dictionaries(
        st.sampled_from(
            [*BUDGET, "amount_before", "levels_before", "until", "lever", "way", "reason", "code", "count"]
        ),
        st.none() | st.integers() | st.booleans() | st.text(max_size=40) | st.lists(st.integers(), max_size=3),
    )
    | st.sampled_from(["not even json", None, [1]]),
    outcome=st.sampled_from([*Outcome, "x"]),
    at=st.sampled_from(
        [NOW, NOW - timedelta(days=800), datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
    ),
)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_somebody_put_in_the_database_the_window_opens(
    language: str, action: str, details: Any, outcome: str, at: datetime
) -> None:
    """Also rows that nobody of us wrote: they are what an admin wants to see. The file is written all the same."""
    row = AuditRow(1, "", "", AuditEntry(at, "U0JIHOON01", action, "budget:12", outcome, details))
    shown = AuditPage((row,), has_older=True, verdict=AuditVerdict(ok=True, rows=1), checked_at=NOW)
    asked = AuditAsked(AuditKind.BUDGETS, "U0JIHOON01", None, tuple(range(10**15, 10**15 + 300)), 3)
    view = audit.listed(shown, asked, reader(language))
    assert refused_view(view) == []
    text = next(block["text"]["text"] for block in view["blocks"] if block["type"] == "section")
    assert "\n" not in text.removesuffix("\n…")
    assert "".join(lines([row], "T0FINOPS01", CSV)).startswith("seq,")
