"""Runbooks: the steps that somebody put below an alert, ticked by whoever did them. They live with their message."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot import telling
from bot.audit import record
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.incident_scopes import recipients_of, whose
from finops.incidents import Fact
from finops.registry import Person
from finops.runbooks import Runbook, RunbookStep, StepState
from storage import Store
from storage.records_live import OutboxMessage, OutboxState

_ENDED = (OutboxState.SENT, OutboxState.DEAD)


class Runbooks:
    """Puts the steps into the thread of an alert, once, and keeps what is ticked there."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def put(self, actor: Person, incident_id: int) -> None:
        """Put the steps into the thread of an alert; they stand there once, with what is ticked, whoever asks again.

        Deleted in Slack, or given up because nobody could be told, they are put there again.
        Refused where there is no such alert, and where its message is forgotten.
        """
        desk, workspace_id = self._desk, actor.workspace_id
        async with desk.storage.writing() as store:
            message = await _held(store, workspace_id, incident_id)
            if message is None:
                await self._want(store, workspace_id, Runbook(incident_id, actor.user_id, {}))
                await self._record(store, actor, incident_id, "incident.runbook_put", {})
            elif message.state in _ENDED:
                # Only Slack knows whether they still stand there: an edit posts anew what does not.
                await self._want(store, workspace_id, runbook_of(message))
        desk.wake_outbox.set()

    async def tick(self, actor: Person, incident_id: int, step: RunbookStep, *, is_done: bool) -> None:
        """Keep that a step is done, or is not after all; what stands so already stays as it is, with its name.

        Refused where no such steps stand any more.
        """
        desk, workspace_id = self._desk, actor.workspace_id
        async with desk.storage.writing() as store:
            message = await _held(store, workspace_id, incident_id)
            if message is None:
                raise Refusal(RefusalCode.INCIDENT_CLOSED)
            before = runbook_of(message)
            after = before.after(step, actor.user_id, desk.now(), is_done=is_done)
            if after is before:
                return
            await self._want(store, workspace_id, after)
            values: dict[str, Fact] = {"step": step.value, "is_done": is_done}
            await self._record(store, actor, incident_id, "incident.step_ticked", values)
        desk.wake_outbox.set()

    async def _want(self, store: Store, workspace_id: str, runbook: Runbook) -> None:
        incident = await store.incidents.get(workspace_id, runbook.incident_id)
        assert incident is not None, "its message stands"
        its = await whose(store, workspace_id, incident.scope_kind, incident.scope_id)
        await store.outbox.want(
            workspace_id,
            _key(runbook.incident_id),
            telling.RUNBOOK,
            _subject(runbook),
            incident.channel_id,
            await recipients_of(store, workspace_id, its),
            thread_key=telling.root_key(runbook.incident_id),
            at=self._desk.now(),
            is_prompt=True,
        )

    async def _record(
        self, store: Store, actor: Person, incident_id: int, action: str, values: dict[str, Fact]
    ) -> None:
        subject = f"incident:{incident_id}"
        await record(self._desk, store, actor.workspace_id, actor.user_id, action, subject, values)


def runbook_of(message: OutboxMessage) -> Runbook:
    """The runbook that a message of the outbox shows."""
    subject = message.subject
    states = {
        RunbookStep(name): StepState(one["is_done"], one["by"], datetime.fromisoformat(one["at"]), one["turns"])
        for name, one in subject["steps"].items()
    }
    return Runbook(int(subject["incident_id"]), str(subject["by"]), states)


async def _held(store: Store, workspace_id: str, incident_id: int) -> OutboxMessage | None:
    """The message of the steps, which nobody else changes before this transaction ends; None before they were put.

    One after the other: two who ask at once would both find none, and two who tick lose one tick. Refused where the
    alert's own message is forgotten.
    """
    await store.workspaces.hold(workspace_id)
    await telling.require_root(store, workspace_id, incident_id)
    return await store.outbox.get(workspace_id, _key(incident_id))


def _subject(runbook: Runbook) -> dict[str, Any]:
    steps = {
        step.value: {"is_done": one.is_done, "by": one.by, "at": one.at.isoformat(), "turns": one.turns}
        for step, one in runbook.states.items()
    }
    return {"incident_id": runbook.incident_id, "by": runbook.by, "steps": steps}


def _key(incident_id: int) -> str:
    return f"{telling.root_key(incident_id)}:runbook"
