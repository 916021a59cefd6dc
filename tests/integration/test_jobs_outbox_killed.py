"""Killed without warning between any two steps of telling, the next process tells the rest, each thing once."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict

from demo.slack import SimulatedSlack, SlackConfig
from storage import KeyRing, open_storage
from storage.records_live import OutboxState
from tests.databases import WORKSPACE, a_tenant
from tests.house.tree import ROOT
from tests.integration.outbox_world import CHANNEL, HISTORY, key_of


async def test_killed_at_any_step_people_see_each_message_once(database_url: str, ring: KeyRing) -> None:
    """A root, its line and an edit: wherever a process died, there is one root as it is now and one line below it."""
    config = SlackConfig(rate_limits=False)
    config.app.scopes += HISTORY
    async with open_storage(database_url, ring) as storage, SimulatedSlack(config=config) as slack:
        await a_tenant(storage)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.outbox_process", database_url, slack.api_url, config.bot_token,
            cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), 120)
        deaths = [json.loads(line) for line in output.splitlines()]
        assert process.returncode == 0
        assert [death["was_killed"] for death in deaths] == [True] * (len(deaths) - 1) + [False]
        assert len(deaths) > (10 if database_url.startswith("sqlite") else 6)  # three messages of two or four steps
        stands = defaultdict(list)
        for message in slack.messages(CHANNEL):
            stands[key_of(message)].append(message)
        for number in range(len(deaths)):
            [root], [line] = stands[f"{number}"], stands[f"{number}:line"]
            assert (root["text"], line["thread_ts"]) == ("as it is", root["ts"]), f"killed at step {number}"
            assert ":repeat:" not in str(root["blocks"]) + str(line["blocks"])
        async with storage.reading() as store:
            rows = [await store.outbox.get(WORKSPACE, key) for key in stands]
            assert await store.outbox.waiting_count() == 0
    assert all(row is not None and row.state is OutboxState.SENT for row in rows)
    # Some died between Slack's taking it and our knowing: those were looked for.
    assert any(call.method.startswith("conversations.") for call in slack.calls)
