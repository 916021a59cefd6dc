"""Won beside dollars, through signed requests: an administrator's window, everybody's answers, a bill that stays."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from demo.clock import StageClock
from demo.slack.cast import TEAM_ID
from finops.charges import Charge, ChargedDay
from finops.money import Money
from handlers.addresses import BOT
from tests.databases import a_tenant
from tests.e2e.stages import EMMA, JIHOON, SEOYEON, a_trace, answer_to, ids, scene, window, words_of


@pytest.fixture
def database_kind() -> str:
    """Nothing here is decided by the database."""
    return "sqlite"


async def test_an_admin_sets_a_rate_and_everybody_reads_both(sqlite_template: Path, tmp_path: Path) -> None:
    """A slip of the point is refused in the window; then 742 dollars are 1,020,621 won, and the bill is what it was."""
    clock = StageClock()
    clock.advance(timedelta(days=5))
    path = tmp_path / "exchange.db"
    shutil.copy(sqlite_template, path)
    how = {"clock": clock, "socket_mode": False, "FINOPS_ADMINS": JIHOON}
    async with scene(f"sqlite:///{path}", a_trace(days=1), **how) as stage:
        storage, day = stage.product[BOT].storage, clock().date() - timedelta(days=1)
        tenant = await a_tenant(storage, TEAM_ID, "org-1")
        async with storage.writing() as store:
            lines = (Charge(day, "proj_1", "gpt-5.4, input", Money.of("742").amount),)
            await store.charges.replace_day(TEAM_ID, tenant.connection.id, ChargedDay(day, lines), clock())
        jihoon, seoyeon, emma = (stage.slack.person(one) for one in (JIHOON, SEOYEON, EMMA))
        assert "원" not in words_of(await answer_to(stage, jihoon, "/finops 상태 어제"))

        await jihoon.command("/finops 환율")
        opened = await window(stage, jihoon, ids.VIEW_CURRENCY)
        assert "달러만 표시" in words_of(opened)
        typed = {
            ids.CURRENCY_BESIDE: "KRW", ids.CURRENCY_RATE: "13.75", ids.CURRENCY_DAY: day.isoformat(),
            ids.CURRENCY_SOURCE: "<하나> & 은행",
        }  # fmt: skip
        refused = await jihoon.submits(values=typed)
        assert "500원에서 5,000원 사이" in str(refused)
        assert jihoon.view["callback_id"] == ids.VIEW_CURRENCY
        await jihoon.submits(values={ids.CURRENCY_RATE: "1 USD = 1,375.50 KRW"})
        assert "저장했습니다: 1달러 = 1,375.5원" in words_of(await window(stage, jihoon, ids.VIEW_CURRENCY))
        jihoon.closes(everything=True)

        said = words_of(await answer_to(stage, seoyeon, "/finops 상태 어제"))
        assert "$742.00 (약 1,020,621원)" in said
        assert f"환율 1달러 = 1,375.5원, {day} (&lt;하나&gt; &amp; 은행) 기준, 참고용" in said
        assert "≈ ₩1,020,621" in words_of(await answer_to(stage, emma, "/finops status yesterday"))
        clock.advance(timedelta(days=8))
        said = words_of(await answer_to(stage, seoyeon, f"/finops 상태 {day}"))
        assert f"$742.00 (약 1,020,621원, {day} 환율)" in said
        assert "△ *9일 지난 환율입니다*" in said

        await seoyeon.command("/finops 통화")
        assert f"<@{JIHOON}>" in words_of(await window(stage, seoyeon))
        seoyeon.closes(everything=True)
        await answer_to(stage, jihoon, f"/finops 내보내기 {day}")
        [file] = [each for one in jihoon.messages(jihoon.dm) for each in one.get("files", [])]
        bill = stage.slack.hub.contents[file["id"]].decode("utf-8-sig")
        assert "742,USD" in bill.replace(";", ",")
        assert "1020621" not in bill
        assert "KRW" not in bill
        assert stage.slack.complaints == []
