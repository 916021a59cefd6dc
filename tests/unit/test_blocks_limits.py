"""Whatever the report and the language, what we say fits Slack and interprets nothing that somebody typed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from blocks import bad_news, collection, home, kit, projects, status, teams
from blocks.fitting import MESSAGE_TEXT, characters
from bot.errors import BadNews, BadNewsKind
from finops.written import visible
from tests.unit import slack_limits
from tests.unit.saying import (
    DATA_TEAM,
    LANGUAGES,
    TEAM,
    a_known_project,
    a_project,
    home_reports,
    many,
    names,
    progresses,
    reader,
    status_reports,
)

languages = st.sampled_from(LANGUAGES)
hurried = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
# New in 2026: slack-sdk has no class for these, and would drop them with a warning.
UNKNOWN_TO_THE_SDK = {"data_visualization", "data_table"}


def modelled(blocks: Sequence[kit.Block]) -> None:
    """Every block that slack-sdk knows, it takes."""
    for block in blocks:
        if block["type"] not in UNKNOWN_TO_THE_SDK:
            _modelled(json.dumps(block))


@lru_cache(maxsize=10_000)
def _modelled(block: str) -> None:
    """Each block once: the versions and languages of a message share most of theirs."""
    parsed = Block.parse(json.loads(block))
    assert parsed is not None
    parsed.to_dict()


def refused(message: kit.Message) -> list[str]:
    """What Slack would refuse, in the rich and in the plain version, by documentation and by slack-sdk's models."""
    faults = []
    for is_plain in (False, True):
        arguments = message.arguments(plain=is_plain)
        faults += slack_limits.of_message(arguments)
        faults += slack_limits.BROADCAST.findall("\n".join(slack_limits.mrkdwn(arguments)))
        modelled(arguments["blocks"])
    return faults + slack_limits.BROADCAST.findall(message.text)


def refused_view(view: kit.View) -> list[str]:
    modelled(view["blocks"])
    View(**view | {"blocks": view["blocks"][:1]}).to_dict()
    return slack_limits.of_view(view) + slack_limits.BROADCAST.findall("\n".join(slack_limits.mrkdwn(view)))


@given(status_reports, languages, st.sampled_from([None, "U0JIHOON01"]))
@hurried
def test_any_status_report_in_any_language_fits_slack(report: Any, language: str, shared_by: str | None) -> None:
    """Private and shared, rich and plain."""
    assert refused(status.message(report, reader(language), shared_by=shared_by)) == []


@given(home_reports, languages)
@hurried
def test_any_home_report_in_any_language_fits_slack(report: Any, language: str) -> None:
    """Without tables: Home was seen to leave them out, and to say nothing."""
    assert refused_view(home.view(report, reader(language))) == []


@given(progresses, status_reports, names, languages)
@hurried
def test_any_news_of_a_collection_fits_slack(progress: Any, report: Any, name: str, language: str) -> None:
    """Progress, the first chart, the end, a failure, blindness and recovery."""
    t, moment = reader(language), datetime(2026, 7, 6, tzinfo=UTC)
    values = {"scope": name, "pointer": name, "retry_after": 7.5}
    assert refused(collection.progress(progress, t)) == []
    assert refused(collection.started((progress,) * 12, (name,) * 12, t)) == []
    assert refused(collection.first_chart(progress, report, t)) == []
    assert refused(collection.finished(progress, t, restated_days=3)) == []
    assert refused(collection.finished(progress, t, is_empty=True)) == []
    for code in ("key_lacks_right", "unexpected_response", "rate_limited", name):
        assert refused(collection.failed(progress, code, values, "k7Q2", t)) == []
        assert refused(collection.blind(name, moment, code, values, t)) == []
    assert refused(collection.recovered(name, moment, moment, t)) == []


@given(many(names, 0, 120), languages)
@hurried
def test_any_number_of_teams_and_projects_fits_a_window(found: list[str], language: str) -> None:
    """Hundreds of them, whatever they are called: shown as far as they fit, and the rest counted."""
    t = reader(language)
    own = [a_project(number, name) for number, name in enumerate(found, 1)]
    known = [a_known_project(number, name, DATA_TEAM) for number, name in enumerate(found, 1)]
    many = [TEAM] * 100
    assert refused_view(projects.manage(t, many, TEAM, own, chosen=own[0] if own else None)) == []
    assert refused_view(projects.registered(t, TEAM, own, known, collection_started=True, has_history=False)) == []
    assert refused_view(teams.manage(t, many)) == []
    for options in (projects.options(known, TEAM.id, t), projects.registered_options(own, t)):
        assert len(options) <= 100
        assert [fault for option in options for fault in slack_limits.of_option(option)] == []


@given(st.text(max_size=8000))
@hurried
def test_text_of_any_length_fits_its_place(text: str) -> None:
    """Truncation never breaks a block, and what was cut says so."""
    parts = [kit.header(text or "-"), kit.section(kit.escape(text)), kit.context(kit.escape(text)), kit.fields([text])]
    assert slack_limits.of_message(kit.message(text or "-", parts).arguments()) == []
    assert len(kit.section(text)["text"]["text"]) >= min(len(text), 1000)


@pytest.mark.parametrize("typed", ["<!channel>", "<@U0MINSU001>", "a & b", "<https://evil.example|click>"])
def test_what_somebody_typed_is_shown_and_never_interpreted(typed: str) -> None:
    """A team may be called <!channel>; naming it rings nobody."""
    assert kit.name(typed) == typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert kit.name(f"{typed}\n\n {'x' * 200}").endswith(kit.ELLIPSIS)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("*prod*", "∗prod∗"),
        ("2*3", "2∗3"),  # whatever drops our own stars leaves it
        ("_old_ `x`", "ˍoldˍ ˋxˋ"),
        ("~old~", "∼old∼"),
        ("my_project_2", "my_project_2"),
        ("6/29 ~ 7/5", "6/29 ~ 7/5"),
    ],
)
def test_a_name_is_shown_with_its_marks_and_never_set_by_them(typed: str, shown: str) -> None:
    """Bold, struck or code by chance, and in notifications without its stars: a name is what somebody typed."""
    assert kit.name(typed) == kit.escape(typed) == shown
    assert kit.unmarked(f"*{kit.name(typed)}*") == visible(shown) == typed
    told = BadNews(BadNewsKind.REFUSAL, "team_name_taken", {"team": typed})
    assert shown in bad_news.message(told, reader("ko")).text


def test_a_notification_keeps_apart_what_stood_on_lines_of_their_own() -> None:
    """It is one line, and a screen reader goes on to the next word: only a sentence that ended needs no mark."""
    said = kit.message("Over its limit\n\n  stopped by Ann \nAll is well.\nReason: a loop", [])
    assert said.text == "Over its limit | stopped by Ann | All is well. Reason: a loop"
    assert kit.message(" \n ", []).text == "-"


def test_a_message_of_too_many_blocks_keeps_the_first_fifty() -> None:
    """Slack refuses the whole message at 51."""
    message = kit.message("many", [kit.divider()] * 70)
    assert len(message.blocks) == len(message.plain_blocks) == 50


@given(st.lists(st.text(st.sampled_from("가a \n"), max_size=4000), min_size=1, max_size=50))
@hurried
def test_a_message_in_older_blocks_is_never_too_long_together(texts: list[str]) -> None:
    """Slack refuses the sum as well: the longest are cut, no block is left out, and what is short stays whole."""
    parts = [kit.section(text) for text in texts]
    message = kit.message("many", parts)
    assert characters(message.plain_blocks) <= MESSAGE_TEXT
    assert len(message.plain_blocks) == len(parts)
    for whole, kept in zip(parts, message.plain_blocks, strict=True):
        assert len(whole["text"]["text"]) > 100 or kept == whole
    assert message.blocks == parts
