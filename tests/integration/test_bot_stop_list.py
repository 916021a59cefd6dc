"""Who sees a button that gives a stop back: those whose press would do it, and the others who to ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from blocks import ids, stop_beside, stop_form
from bot.errors import Refusal, RefusalCode
from finops.levers import Lever
from finops.registry import Person, Role
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import MINSU, WORKSPACE, a_team
from tests.integration.outbox_world import OTHER_CHANNEL
from tests.integration.quiet_world import ADMIN_KEY, QuietWorld, a_quiet_world
from tests.integration.stopping_world import about
from tests.unit.saying import LANGUAGES, reader


@pytest.fixture
async def world(quick_storage: Storage, clock: FakeClock) -> AsyncIterator[QuietWorld]:
    async with a_quiet_world(quick_storage, clock) as made:
        yield made


async def resume(world: QuietWorld, person: Person, language: str = "en") -> tuple[int, str]:
    """How many stops `/finops resume` offers to give back, and all that it says."""
    found = await world.bot.stopping.listed(person)
    said = str(stop_form.listed(found, reader(language), is_resume=True))
    return said.count(f"'action_id': '{ids.STOP_RESTORE}'"), said


async def test_only_those_who_may_give_a_stop_back_are_offered_it_and_the_others_are_told_whom_to_ask(
    world: QuietWorld,
) -> None:
    """One of everything, which administrators decide about, and one of a team: whoever leads that has one button."""
    lead = replace(world.admin, user_id=MINSU.user_id, role=Role.MEMBER)
    member = replace(lead, user_id="U0EMMA0001")
    data = await a_team(world.bot, world.admin, "데이터팀", OTHER_CHANNEL)
    await world.connect(data, "자회사", ADMIN_KEY + "2")
    [mine, _] = await world.bot.projects.all(WORKSPACE)
    assert "in force" not in (await resume(world, member))[1]

    alert = about(await world.an_alert(is_wide=True))
    wide = await world.bot.stopping.request(world.admin, alert, Lever.SLOW, "모두", is_wide=True)
    with pytest.raises(Refusal) as refused:  # held gently is not stopped, and the other would be let go of
        await world.bot.stopping.request(world.admin, alert, Lever.STOP, "하나만", seen=[mine.id])
    assert refused.value.code is RefusalCode.STOP_UNDER_WAY
    await world.bot.stopping.request(world.admin, about(mine), Lever.STOP, "재시도 루프")
    assert (await resume(world, world.admin))[0] == 2
    count, said = await resume(world, lead)
    assert (count, "1 stop is in force that is not yours to restore. Ask <@U0JIHOON01>." in said) == (1, True)
    for language in LANGUAGES:
        count, said = await resume(world, member, language)
        assert (count, "<@U0MINSU001>" in said, "<@U0JIHOON01>" in said) == (0, True, True)
    with pytest.raises(Refusal) as refused:
        await world.bot.stopping.restore(lead, wide.stop.id or 0)
    assert refused.value.code is RefusalCode.NOT_ADMIN


async def test_a_project_that_others_hold_as_well_tells_its_lead_whom_to_ask(world: QuietWorld) -> None:
    """In the project's window and its status: what holds it is of everything, so its own team cannot give it back."""
    lead = replace(world.admin, user_id=MINSU.user_id, role=Role.MEMBER)
    [project] = await world.bot.projects.all(WORKSPACE)
    await world.bot.stopping.request(
        world.admin, about(await world.an_alert(is_wide=True)), Lever.STOP, "모두", is_wide=True
    )
    seen = {}
    for person in (world.admin, lead):
        may_stop, shown = await world.bot.project_details.stop_of(person, project.id)
        buttons = [one["action_id"] for one in stop_beside.buttons(project.id, shown, reader("en"))]
        line = stop_beside.line(shown, reader("en")) or ""
        seen[person.user_id] = (may_stop, buttons, "It is not yours to restore. Ask <@U0JIHOON01>." in line)
    assert seen == {"U0JIHOON01": (True, [ids.STOP_RESTORE], False), "U0MINSU001": (True, [], True)}


async def test_what_was_stopped_on_another_day_tells_its_date_wherever_it_is_read(world: QuietWorld) -> None:
    """In the list and beside the project: 09:00 alone would be read as of today."""
    [project] = await world.bot.projects.all(WORKSPACE)
    asked = await world.bot.stopping.request(world.admin, about(project), Lever.STOP, "루프")
    t = reader("en")
    date = t.moment(asked.stop.requested_at)
    told = []
    for days in (0, 2):
        world.clock.advance(days=days)
        _, beside = await world.bot.project_details.stop_of(world.admin, project.id)
        said = (stop_beside.line(beside, t), (await resume(world, world.admin))[1])
        told.append([date in str(one) for one in said])
    assert told == [[False, False], [True, True]]
