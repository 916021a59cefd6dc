"""The language of a team's channel in its windows: three names, one of them standing, and never a step too many."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from blocks import audit_words, ids, kit, setup, teams
from bot import teams as bot_teams
from finops.audit import AuditEntry, Outcome
from finops.registry import LONGEST_TEAM_NAME
from locales import catalogue
from tests.unit.saying import LANGUAGES, NOW, TEAM, reader
from tests.unit.slack_limits import of_view


def standing(view: kit.View) -> str | None:
    """The language that stands in the menu when the window opens; None where there is no menu."""
    menus: list[dict[str, Any]] = [one["element"] for one in view["blocks"] if one.get("block_id") == ids.TEAM_LANGUAGE]
    return str(menus[0]["initial_option"]["value"]) if menus else None


def test_every_room_means_the_same_languages() -> None:
    """What can be chosen is what the bot takes and what there are words for."""
    assert tuple(teams.LANGUAGES) == bot_teams.LANGUAGES == catalogue.LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_further_team_opens_in_the_language_of_who_makes_it(language: str) -> None:
    """The first one has no menu: it names that language, and where it is changed."""
    t = reader(language)
    further = setup.team(t, user_id="U0JIHOON01", is_further=True)
    assert (standing(further), of_view(further)) == (language, [])
    first = setup.team(t, user_id="U0JIHOON01")
    assert (standing(first), of_view(first)) == (None, [])
    assert teams.LANGUAGES[language] in str(first)
    assert not [name for one, name in teams.LANGUAGES.items() if one != language and name in str(first)]


@pytest.mark.parametrize(
    ("kept", "shown"), [("ko", "ko"), ("ko-KR", "ko"), ("en_GB", "en"), ("ja-JP", "ja"), ("de-DE", "en")]
)
def test_a_team_is_edited_with_its_own_language_standing(kept: str, shown: str) -> None:
    """Not the reader's; in whatever spelling it was kept, it is the one the channel is spoken to in."""
    view = teams.edit(reader("ko"), replace(TEAM, locale=kept))
    assert (standing(view), of_view(view)) == (shown, [])
    assert standing(teams.edit(reader("ko"), TEAM, "no", {ids.TEAM_LANGUAGE: "ja"})) == "ja"


def test_a_team_s_name_is_typed_no_longer_than_it_is_kept() -> None:
    """Not found out when it is saved: the field takes as many letters, in both windows that ask for it."""
    t = reader("ko")
    for view in (setup.team(t, user_id="U0JIHOON01"), teams.edit(t, TEAM)):
        [field] = [one["element"] for one in view["blocks"] if one.get("block_id") == ids.TEAM_NAME]
        assert field["max_length"] == LONGEST_TEAM_NAME


def test_the_trail_tells_a_change_of_language_by_name() -> None:
    """Before and after, and nothing that was kept there makes it fail."""
    details = {"name": "마케팅팀", "locale_before": "ko-KR", "locale_after": "en"}
    entry = AuditEntry(NOW, "U0JIHOON01", "team.changed", "team:1", Outcome.DONE, details)
    assert "Language 한국어 → English" in audit_words.what(entry, reader("en"))
    strange = replace(entry, details={"locale_before": "", "locale_after": 7})
    assert "Language" in audit_words.what(strange, reader("en"))
