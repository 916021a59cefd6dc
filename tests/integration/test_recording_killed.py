"""Killed without warning while recording: what was acknowledged is there, and what is sent again counts once."""

from __future__ import annotations

import pytest

from finops.events import token_hash
from storage import KeyRing, Storage
from tests.databases import MOMENT, WORKSPACE, Tenant
from tests.integration.mortals import Mortals
from tests.integration.recording_crash import OF_A_REQUEST
from tests.integration.recording_world import TOKEN
from tests.integration.test_storage_value import registered


@pytest.fixture
def database_kind() -> str:
    """A file that outlives its processes."""
    return "sqlite"


async def test_killed_at_any_step_everything_acknowledged_is_there_once(
    database_url: str, ring: KeyRing, storage: Storage, tenant: Tenant, mortals: Mortals
) -> None:
    """A process dies at each step of writing a request in turn, after it acknowledged another; all are sent again."""
    project_id, _ = await registered(storage, tenant)
    async with storage.writing() as store:
        await store.event_tokens.add(
            WORKSPACE, project_id=project_id, name="web", token_hash=token_hash(TOKEN), ends_with="x", by="U1",
            at=MOMENT,
        )  # fmt: skip
    *told, last = await mortals.told("recording_crash", database_url, ring.to_text())
    requests = last["requests"]
    assert requests > 12  # of at least six steps each
    before = [each["acknowledged"] for each in told][: -len(last["accepted"])]
    assert len(before) >= requests // 2
    whole = 2 * OF_A_REQUEST
    assert [last["accepted"][number - 1] for number in before] == [0] * len(before)
    assert set(last["accepted"]) == {0, whole}  # all of a request, or nothing
    # Every call once, each with its outcome but for those of the last request; the first tells of calls before it.
    assert last["sums"]["calls"] == (requests + 1) * OF_A_REQUEST
    assert last["sums"]["successes"] == requests * OF_A_REQUEST
