"""Whose a cost may be that nobody registered: by what is left out, by what it is called, by whose key it is."""

from __future__ import annotations

from dataclasses import replace

from finops.owners import Because, Suggested, suggested
from tests.unit.saying import a_project

MARKETING, DATA = 1, 2
CHATBOT = a_project(1, "chatbot-experiment")
SEARCH = replace(a_project(2, "search dev"), team_id=DATA)
BATCH = replace(a_project(3, "batch", excluded=True), team_id=DATA)
ALL = (CHATBOT, SEARCH, BATCH)


def test_what_a_team_left_out_is_still_that_teams() -> None:
    """Its cost counts as unallocated, and nobody needs to guess."""
    assert suggested((1, "proj_3"), "batch", ALL, {MARKETING}) == Suggested(DATA, Because.EXCLUDED)


def test_a_name_suggests_the_one_team_that_calls_its_projects_alike() -> None:
    """Where something runs is no name of its own, and two teams with the same word are no hint."""
    alike = Suggested(DATA, Because.NAME, "search dev")
    assert suggested((1, "proj_9"), "Search_PROD-2", ALL, ()) == alike
    assert suggested((1, "proj_9"), "prod-search", ALL, ()) == alike
    assert suggested((1, "proj_9"), "prod-dev", ALL, ()) is None
    both = (*ALL, replace(a_project(4, "search-api"), team_id=MARKETING))
    assert suggested((1, "proj_9"), "search-prod", both, ()) is None


def test_the_only_team_with_a_key_is_suggested_where_the_name_says_nothing() -> None:
    """Not for cost of no project at all: that cannot be registered for anybody."""
    assert suggested((1, "proj_9"), "x-42", ALL, [DATA, DATA]) == Suggested(DATA, Because.KEY)
    assert suggested((1, "proj_9"), "x-42", ALL, [DATA, MARKETING]) is None
    assert suggested((1, None), "", ALL, [DATA]) is None
