"""Moved: what waits to be told goes where its teams are told by now, for they may move to another channel meanwhile.

What stands in Slack stays where it is: it was told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from finops.frozen import frozen
from finops.registry import Team
from storage import Store
from storage.records_live import OutboxMessage, OutboxState

Places = Mapping[str | None, Sequence[Team]]


@frozen
class Move:
    """A message that is to be told in another channel (None: to people alone), under its own key or as another one."""

    message: OutboxMessage
    key: str
    channel_id: str | None
    teams: Sequence[Team]

    @property
    def moved(self) -> OutboxMessage:
        """The message as it is wanted then."""
        return replace(self.message, key=self.key, channel_id=self.channel_id)


def waits(message: OutboxMessage) -> bool:
    """Whether it was told nowhere yet, as far as anybody can know, and nobody is about to tell it."""
    return message.ts is None and message.state is OutboxState.WAITING and not message.is_uncertain


def free_key(key: str, taken: Collection[str]) -> str:
    """The key, or the first one after it that no message has: one that moved away keeps its own."""
    number, found = 1, key
    while found in taken:
        number += 1
        found = f"{key}:{number}"
    return found


def moves(one: OutboxMessage, alike: Iterable[OutboxMessage], places: Places, taken: Collection[str]) -> list[Move]:
    """Where a message has to go instead, or besides, of where it waits; nothing where it does not wait any more.

    `alike` are all messages of its story, and `places` the channels that is told in now, each with the teams concerned.
    One whose channel is none of them goes to the first that has none; where a team left a channel that others stay in,
    it is told in the new one as well. `taken` are the keys that cannot be given to another one.
    """
    told = {each.channel_id for each in alike}
    new = [channel_id for channel_id in places if channel_id not in told]
    if not waits(one) or not new:
        return []
    found = [Move(one, one.key, new[0], places[new[0]])] if one.channel_id not in places else []
    keys = set(taken)
    for channel_id in new[len(found) :]:
        if any(team.lead_user_id in one.recipients for team in places[channel_id]):
            found.append(Move(one, free_key(one.key, keys), channel_id, places[channel_id]))
            keys.add(found[-1].key)
    return found


async def keep(store: Store, move: Move, at: datetime) -> None:
    """Have it told there, and those who lead the teams there told directly where that channel takes nothing."""
    one = move.message
    leads = [team.lead_user_id for team in move.teams]
    await store.outbox.want(
        one.workspace_id,
        move.key,
        one.kind,
        one.subject,
        move.channel_id,
        tuple(dict.fromkeys([*leads, *one.recipients])),
        urgency=one.urgency,
        at=at,
        detected_at=one.detected_at,
        is_prompt=one.is_prompt,
    )
