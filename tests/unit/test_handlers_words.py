"""What was typed: one command in three languages, by slash, in a direct message or after our name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from pytest_mock import MockerFixture
from sqlalchemy.exc import OperationalError

from blocks import ids
from blocks import status as status_words
from finops.roles import Belonging
from handlers import commands, hearing, home, status
from handlers.visit import SLACKBOT, posted, without_mention
from tests.conftest import FakeClock
from tests.unit.listening import JIHOON, SAKURA, SEOYEON, FakeBot, FakeRespond, FakeSlack, a_visit
from tests.unit.saying import TEAM, a_status, reader

# Assembled, so that no scanner takes it for somebody's key.
KEY = "sk-" + "admin-" + "canary0000000000000000abc1"


async def said(text: str, user_id: str = JIHOON, bot: FakeBot | None = None, **more: Any) -> dict[str, Any]:
    respond = FakeRespond()
    await commands.answer(a_visit(bot or FakeBot(), FakeSlack(), user_id, respond=respond, **more), text)
    return respond.said[-1]


@pytest.mark.parametrize("words", ["status 7d", "상태 7d", "STATUS 7d", "状態 7d", "비용 7d", "ステータス 7d"])
async def test_status_is_asked_in_any_of_three_languages(words: str) -> None:
    """The words after the command are the question."""
    bot = FakeBot()
    answer = await said(words, bot=bot)
    assert bot.asked == [("status", "7d")]
    assert answer["response_type"] == "ephemeral"


@pytest.mark.parametrize("words", ["어제", "last week", "先月", "30d"])
async def test_a_period_alone_is_a_question_about_status(words: str) -> None:
    """`/finops 어제` can only mean one thing."""
    bot = FakeBot()
    await said(words, bot=bot)
    assert bot.asked == [("status", words)]


async def test_team_names_arrive_as_they_were_typed() -> None:
    """Slack escapes & < > on the way and turns channel names into links."""
    bot = FakeBot()
    await said("status R&amp;D &lt;1&gt; <#C0MARKET01|마케팅팀>", bot=bot)
    assert bot.asked == [("status", "R&D <1> 마케팅팀")]


@pytest.mark.parametrize(
    ("arrives", "typed"),
    [
        ("status <http://search.py|search.py> 30d", "search.py 30d"),
        ("status <mailto:ml@hanbit.example|ml@hanbit.example>", "ml@hanbit.example"),
        ("status <https://x.example/?a=1&amp;b=2>", "https://x.example/?a=1&b=2"),
        ("status <#C0MARKET01|> 30d", f"{TEAM.name} 30d"),
        ("status <#C0MARKET01> 30d", f"{TEAM.name} 30d"),
        ("status <#C0NOTEAM01|> 30d", "<#C0NOTEAM01> 30d"),
    ],
)
async def test_what_slack_makes_a_link_of_is_read_as_it_was_typed(arrives: str, typed: str) -> None:
    """A name with a dot that could be a domain comes as a link, a channel at times without its name: it is its team."""
    bot = FakeBot()
    await said(arrives, bot=bot)
    assert bot.asked == [("status", typed)]


@pytest.mark.parametrize(("typo", "meant"), [("sttaus", "status"), ("상테", "상태"), ("porject", "project")])
async def test_a_typo_gets_a_suggestion(typo: str, meant: str) -> None:
    """In the language of the typo."""
    assert f"/finops {meant}" in (await said(typo))["text"]


async def test_nothing_typed_shows_help_by_example() -> None:
    """Members see what members can do."""
    assert "/finops 설정" in str(await said(""))
    assert "/finops 設定" not in str(await said("", SAKURA))
    assert "/finops 状態" in str(await said("", SAKURA))


@pytest.mark.parametrize("words", [f"key {KEY}", f"status {KEY}", KEY, f"등록 {KEY} 부탁"])
async def test_a_pasted_key_is_refused_and_never_repeated(words: str) -> None:
    """Whatever else the message asks for; the way on is a button."""
    bot = FakeBot()
    answer = await said(words, bot=bot)
    assert "폐기" in answer["text"]
    assert KEY not in str(answer)
    assert KEY[-8:] not in str(answer)
    assert ids.KEY_NEW in str(answer["blocks"])
    assert bot.asked == []


async def test_a_key_in_a_direct_message_is_refused_too() -> None:
    """People paste keys where they talk."""
    slack = FakeSlack()
    visit = a_visit(FakeBot(), slack, channel_id="D0JIHOON01", trigger_id=None)
    await hearing.direct_message(visit, {"type": "message", "channel_type": "im", "text": f"여기 {KEY}"})
    (answer,) = slack.told("chat.postMessage")
    assert "폐기" in answer["text"]
    assert KEY not in str(slack.calls)


async def test_a_direct_message_is_the_command_without_the_command() -> None:
    """Windows need a click, so they come as a button."""
    slack, bot = FakeSlack(), FakeBot()
    for words in ("상태 어제", "설정"):
        visit = a_visit(bot, slack, channel_id="D0JIHOON01", trigger_id=None)
        await hearing.direct_message(visit, {"type": "message", "channel_type": "im", "text": words})
    assert bot.asked == [("status", "어제")]
    assert ids.SETUP_NEXT in str(slack.told("chat.postMessage")[-1])


@pytest.mark.parametrize(
    "event",
    [
        {"channel_type": "im", "text": "status", "bot_id": "B1"},
        {"channel_type": "im", "text": "status", "subtype": "message_changed"},
        {"channel_type": "im", "text": "Reminder: status", "user": SLACKBOT},
        {"channel_type": "channel", "text": "status"},
    ],
)
async def test_bots_edits_and_channels_are_not_answered(event: dict[str, Any]) -> None:
    """We answer people who talk to us, and read nothing else."""
    slack, bot = FakeSlack(), FakeBot()
    await hearing.direct_message(a_visit(bot, slack), event)
    assert slack.calls == bot.asked == []


async def test_a_reminder_that_says_our_name_is_not_answered() -> None:
    """Slackbot says it for somebody, in its own name; it reads no answer and cannot be written to."""
    slack, bot = FakeSlack(), FakeBot()
    told = {"type": "app_mention", "text": "Reminder: <@U0FINOPSBT> status", "user": SLACKBOT}
    await hearing.mention(a_visit(bot, slack, trigger_id=None), told)
    assert slack.calls == bot.asked == []


async def test_an_answer_to_a_mention_is_seen_by_the_one_who_asked() -> None:
    """Money is nobody else's business until it is shared."""
    slack, bot = FakeSlack(), FakeBot()
    visit = a_visit(bot, slack, trigger_id=None)
    await hearing.mention(visit, {"type": "app_mention", "text": "<@U0FINOPSBT> 상태 지난주"})
    (answer,) = slack.told("chat.postEphemeral")
    assert (answer["user"], answer.get("thread_ts"), bot.asked) == (JIHOON, None, [("status", "지난주")])
    assert without_mention("<@U1> <@U2|bot>  status") == "status"


async def test_an_answer_to_a_mention_below_a_message_stands_below_it() -> None:
    """Whoever asks under an alert looks there, and not at the end of the channel."""
    slack, bot = FakeSlack(), FakeBot()
    bot.leads = SimpleNamespace(asked=nobody_was_asked)
    told = {"type": "app_mention", "text": "<@U0FINOPSBT> 상태", "thread_ts": "1783299600.000100"}
    await hearing.mention(a_visit(bot, slack, trigger_id=None), told)
    (answer,) = slack.told("chat.postEphemeral")
    assert answer["thread_ts"] == "1783299600.000100"


async def nobody_was_asked(*_: str) -> None:
    """No lead was asked anything in this thread."""


async def test_everyone_is_answered_in_the_language_slack_says_they_read() -> None:
    """Met for the first time: Slack is asked once."""
    slack, bot, respond = FakeSlack(), FakeBot(), FakeRespond()
    del bot.met[SAKURA]
    for _ in range(2):
        await commands.answer(a_visit(bot, slack, SAKURA, respond=respond), "help")
    assert "コスト" in respond.said[-1]["text"]
    assert slack.told("users.info") == [{"user": SAKURA, "include_locale": True}]


@pytest.mark.parametrize("code", ["user_not_in_channel", "is_archived", "not_in_channel", "restricted_action"])
async def test_a_mention_that_cannot_be_answered_in_its_channel_is_answered_directly(code: str) -> None:
    """They left, the channel was archived or made read-only meanwhile: whoever asked is answered all the same."""
    slack = FakeSlack()
    slack.refuses["chat.postEphemeral"] = code
    await hearing.mention(a_visit(FakeBot(), slack, trigger_id=None), {"text": "<@U0FINOPSBT> help"})
    assert [call["channel"] for call in slack.told("chat.postMessage")] == [JIHOON]


async def test_home_is_drawn_only_for_the_home_tab() -> None:
    """Opening the messages tab draws nothing."""
    slack = FakeSlack()
    await hearing.home_opened(a_visit(FakeBot(), slack), {"tab": "messages"})
    assert slack.calls == []
    await hearing.home_opened(a_visit(FakeBot(), slack), {"tab": "home"})
    assert [call["user_id"] for call in slack.told("views.publish")] == [JIHOON]


async def test_a_home_that_cannot_be_drawn_is_told_once_an_hour() -> None:
    """Slack stumbles, and somebody looks again and again: one message, not one for each look; then one an hour."""
    slack, clock = FakeSlack(), FakeClock(datetime(2026, 7, 6, 1, tzinfo=UTC))
    bot = FakeBot(clock)
    for looks, told in ((3, 1), (2, 2)):
        for _ in range(looks):
            slack.refuses["views.publish"] = "internal_error"
            await hearing.home_opened(a_visit(bot, slack, trigger_id=None), {"tab": "home"})
        assert [call["channel"] for call in slack.told("chat.postMessage")] == [JIHOON] * told
        clock.advance(hours=1)
    await hearing.home_opened(a_visit(bot, slack, trigger_id=None), {"tab": "home"})
    assert len(slack.told("chat.postMessage")) == told


async def test_home_itself_says_that_nobody_can_be_looked_up() -> None:
    """The database is away: what cannot be read is said where it would stand, and nobody is written to."""
    slack, bot = FakeSlack(), FakeBot()

    async def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, OSError("gone"), connection_invalidated=True)

    bot.people.present = bot.people.known = bot.claims.once = away
    await hearing.home_opened(a_visit(bot, slack, trigger_id=None), {"tab": "home"})
    [drawn] = slack.told("views.publish")
    assert "저희 쪽에서" in str(drawn["view"])
    assert slack.told("chat.postMessage") == []


async def test_home_says_so_when_its_figures_cannot_be_read() -> None:
    """Old figures would look current."""
    slack, bot = FakeSlack(), FakeBot()

    async def broken(*_: Any) -> Any:
        raise OSError("database is away")

    bot.reports.home = broken
    await home.publish(a_visit(bot, slack))
    assert "문제가 생겼습니다" in str(slack.told("views.publish")[0]["view"])


async def test_a_report_is_shared_in_the_channels_language_and_its_buttons_vanish() -> None:
    """佐藤 reads Japanese; 마케팅팀's channel reads Korean."""
    slack, bot, respond = FakeSlack(), FakeBot(), FakeRespond()
    await status.share(a_visit(bot, slack, SAKURA, respond=respond), "workspace//last_7_days/1")
    (shared,) = slack.told("chat.postMessage")
    assert "최근 7일" in shared["text"]
    assert shared["channel"] == "C0MARKET01"
    assert respond.said[-1]["replace_original"] is True
    assert "actions" not in str(respond.said[-1]["blocks"])


async def test_sharing_works_where_the_bot_was_never_invited() -> None:
    """The click's own address reaches the channel."""
    slack, respond = FakeSlack(), FakeRespond()
    slack.refuses["chat.postMessage"] = "not_in_channel"
    await status.share(a_visit(FakeBot(), slack, respond=respond), "workspace//last_7_days/1")
    assert respond.said[0]["response_type"] == "in_channel"


async def test_charts_a_workspace_does_not_know_are_sent_as_words() -> None:
    """Nothing is lost: the same numbers, without the drawing."""
    slack = FakeSlack()
    slack.refuses["chat.postMessage"] = "invalid_blocks"
    message = status_words.message(a_status(), reader("ko"))
    await posted(slack, "chat.postMessage", message, channel="C1")  # type: ignore[arg-type]
    first, second = slack.told("chat.postMessage")
    assert "data_visualization" in str(first)
    assert "data_visualization" not in str(second)
    assert "$233.00" in str(second)


async def test_an_answer_whose_address_has_expired_arrives_as_a_direct_message() -> None:
    """A response url lives for half an hour and five uses."""
    slack, respond = FakeSlack(), FakeRespond(refuses=["expired_url"])
    await commands.answer(a_visit(FakeBot(), slack, respond=respond), "help")
    assert slack.told("chat.postMessage")[0]["channel"] == JIHOON


async def test_approvers_by_user_group_are_looked_up_when_it_matters() -> None:
    """Only groups somebody named; a workspace without groups has none."""
    slack, bot = FakeSlack(), FakeBot()
    assert await a_visit(bot, slack).groups() == Belonging()
    bot.team = replace(bot.team, approvers=("S0FINANCE1", JIHOON))
    told = frozenset({"S0FINANCE1"})
    assert await a_visit(bot, slack, SEOYEON).groups() == Belonging(told)
    slack.refuses["usergroups.users.list"] = "missing_scope"
    assert await a_visit(bot, slack, SEOYEON).groups() == Belonging(unread=told)


async def test_a_slack_that_hangs_up_on_user_groups_breaks_no_click(mocker: MockerFixture) -> None:
    """Whose right does not come from a group goes on as if nothing had been; of an administrator nothing is asked."""
    slack, bot = FakeSlack(), FakeBot()
    bot.team = replace(bot.team, approvers=("S0FINANCE1",))
    asked = mocker.patch.object(slack, "usergroups_users_list", side_effect=aiohttp.ServerDisconnectedError)
    assert list(await a_visit(bot, slack, SEOYEON).groups()) == []
    assert asked.await_count == 1
    assert await a_visit(bot, slack, JIHOON).groups() == Belonging()
    assert asked.await_count == 1
