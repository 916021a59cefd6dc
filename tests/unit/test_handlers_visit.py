"""Who asks, and what they may do now: when Slack is asked about somebody, and what is believed without it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from handlers import hearing
from tests.unit.listening import JIHOON, SAKURA, FakeBot, FakeSlack, a_visit
from tests.unit.saying import NOW


def asked(slack: FakeSlack) -> int:
    return len(slack.told("users.info"))


@pytest.mark.parametrize(
    ("who", "minutes", "times"),
    [(JIHOON, 9, 0), (JIHOON, 11, 1), (SAKURA, 50, 0), (SAKURA, 61, 1), (JIHOON, -11, 1), (SAKURA, -61, 1)],
)
async def test_slack_is_asked_again_about_admins_sooner_than_about_others(who: str, minutes: int, times: int) -> None:
    """Also where the clock was put back since: what it showed then may be hours ahead."""
    slack = FakeSlack()
    await a_visit(FakeBot(lambda: NOW + timedelta(minutes=minutes)), slack, who).person()
    assert asked(slack) == times


async def test_what_was_known_stands_in_for_a_slack_that_does_not_answer_for_a_day() -> None:
    """An emergency is no time to be refused because Slack is slow; after a day it is not known any more."""
    slack = FakeSlack()
    slack.refuses["users.info"] = "internal_error"
    assert (await a_visit(FakeBot(lambda: NOW + timedelta(hours=23)), slack).person()).is_admin
    slack.refuses["users.info"] = "internal_error"
    with pytest.raises(SlackApiError):
        await a_visit(FakeBot(lambda: NOW + timedelta(hours=25)), slack).person()


async def test_a_connection_that_breaks_leaves_nobody_without_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is told of a failure is told it in some language, also where Slack hung up on the question about them."""
    slack = FakeSlack()

    async def hung_up(**_: Any) -> None:
        raise aiohttp.ServerDisconnectedError

    monkeypatch.setattr(slack, "users_info", hung_up, raising=False)
    assert (await a_visit(FakeBot(lambda: NOW + timedelta(hours=25)), slack).words()).language == "ko"


def of(team_id: str | None, **organization: Any) -> dict[str, Any]:
    return {"id": SAKURA, "team_id": team_id, "enterprise_user": organization or None}


@pytest.mark.parametrize(
    ("user", "is_guest"),
    [
        (of("T0FINOPS01"), False),
        (of(None), False),
        (of("T0OTHER001"), True),
        (of("T0OTHER001", enterprise_id="E0THEIRS01", teams=["T0OTHER001"]), True),
        (of("T0SIBLING1", enterprise_id="E0OURS0001", teams=["T0SIBLING1"]), False),
        (of("E0OURS0001", enterprise_id="E0OURS0001", teams=["T0FINOPS01"]), False),
        ({"id": SAKURA, "is_ultra_restricted": True}, True),
        ({"id": SAKURA, "is_stranger": True}, True),
    ],
)
async def test_whoever_belongs_to_another_company_is_a_guest_and_a_sister_workspace_is_none(
    user: dict[str, Any], is_guest: bool
) -> None:
    visit = a_visit(FakeBot(), FakeSlack(), organization_id="E0OURS0001")
    assert visit.described(user, SAKURA).is_guest is is_guest


async def test_a_change_that_touches_no_right_asks_nobody_anything() -> None:
    """Slack tells of every new picture and status; only what gives or takes rights is looked up."""
    slack, bot = FakeSlack(), FakeBot()
    for user in ({"id": JIHOON, "is_admin": True}, {"id": "U0NOBODY01", "deleted": True}, "U0JIHOON01"):
        user_id = user["id"] if isinstance(user, dict) else JIHOON
        await hearing.changed(a_visit(bot, slack, str(user_id)), {"type": "user_change", "user": user})
    assert slack.calls == []
    await hearing.changed(a_visit(bot, slack), {"type": "user_change", "user": {"id": JIHOON, "is_admin": False}})
    assert asked(slack) == 1


@pytest.mark.parametrize(
    ("event_ts", "is_believed"),
    [(f"{NOW.timestamp() + 1:.6f}", True), (f"{NOW.timestamp() - 86_400:.6f}", False), (None, False), ("soon", False)],
)
async def test_an_old_event_is_not_believed_where_slack_does_not_answer(
    event_ts: str | None, is_believed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delivered again days later, or out of order, it would give back a right that was taken since."""
    slack, bot = FakeSlack(), FakeBot()
    slack.refuses["users.info"] = "internal_error"
    met: list[Any] = []

    async def meet(*given: Any) -> None:
        met.append(given[-1])

    monkeypatch.setattr(bot.people, "meet", meet)
    event = {"type": "user_change", "event_ts": event_ts, "user": {"id": SAKURA, "is_admin": True}}
    await hearing.changed(a_visit(bot, slack, SAKURA), event)
    assert [profile.is_workspace_admin for profile in met] == [True] * is_believed
