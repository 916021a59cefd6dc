"""Killed without warning between any two steps of telling, the next process tells the rest, each thing once."""

from __future__ import annotations

from collections import defaultdict

from demo.slack import SimulatedSlack, SlackConfig
from storage import KeyRing
from storage.records_live import OutboxState
from tests.databases import WORKSPACE, a_copy, a_tenant
from tests.integration.mortals import Mortals
from tests.integration.outbox_world import ADMIN, CHANNEL, HISTORY, LEAD, key_of

LOOKING = ("conversations.history", "conversations.replies")


async def test_killed_at_any_step_people_see_each_message_once(
    database_url: str, ring: KeyRing, mortals: Mortals
) -> None:
    """A root, its line and an edit: wherever a process died, there is one root as it is now and one line below it.

    And of a key that ends, who registered it and the lead were each warned once.
    """
    config = SlackConfig(rate_limits=False)
    config.app.scopes += HISTORY
    async with a_copy(database_url, ring) as storage, SimulatedSlack(config=config) as slack:
        await a_tenant(storage)
        deaths = await mortals.told("outbox_process", database_url, slack.api_url, config.bot_token)
        assert [death["was_killed"] for death in deaths] == [True] * (len(deaths) - 1) + [False]
        # Five messages of two or three steps each.
        assert deaths[-1]["number"] > 11
        stands = defaultdict(list)
        for message in slack.messages(CHANNEL):
            stands[key_of(message)].append(message)
        warned = {person: [one["text"] for one in slack.messages(dm(slack, person))] for person in (ADMIN, LEAD)}
        for number in (death["number"] for death in deaths):
            [root], [line] = stands[f"{number}"], stands[f"{number}:line"]
            assert (root["text"], line["thread_ts"]) == ("as it is", root["ts"]), f"killed at step {number}"
            assert ":repeat:" not in str(root["blocks"]) + str(line["blocks"])
            for person, texts in warned.items():
                assert sum(f"...{number:04}" in text for text in texts) == 1, f"{person}, killed at step {number}"
        async with storage.reading() as store:
            rows = [await store.outbox.get(WORKSPACE, key) for key in stands]
            assert await store.outbox.waiting_count() == 0
    assert all(row is not None and row.state is OutboxState.SENT for row in rows)
    # Some died between Slack's taking it and our knowing: those were looked for.
    assert any(call.args["channel"] == CHANNEL for call in slack.calls if call.method in LOOKING)
    assert any(call.args["channel"] != CHANNEL for call in slack.calls if call.method in LOOKING)


def dm(slack: SimulatedSlack, user_id: str) -> str:
    """The bot's direct conversation with a person."""
    found = slack.world.dm_between({user_id, slack.config.app.bot_user_id})
    assert found is not None
    return found.id
