"""Pacing: how fast Slack may be spoken to, and for how long not at all; seconds of a monotonic clock, in memory.

Each replica keeps its own pace; what several are too fast together Slack tells them, and each slows down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

# Slack takes about one post a second in a channel; a little more than that, because what leaves us one second apart
# may arrive a little closer.
POST_EVERY = 1.05
# "Several hundred a minute" in a workspace, says Slack, and takes more for a while. We begin at more and listen.
FASTEST_POSTS = 25.0
SLOWEST_POSTS = 1.0
# chat.update is a tier 3 method: 50 a minute, and bursts.
EDITS_A_SECOND = 50 / 60
EDIT_BURST = 25
# One limited channel is busy; so many, one after the other, are a limited workspace.
CHANNELS_IN_A_ROW = 3
# A message whose turn is further away than this is put back instead of being held.
LONGEST_TURN = 2.0
# After each limit and each post: soon at what Slack takes, and long near it.
_SLOWER, _FASTER = 0.7, 1.005


class Method(StrEnum):
    """The methods that are paced."""

    POST = "chat.postMessage"
    EDIT = "chat.update"


@dataclass(slots=True)
class _Pace:
    """A steady stream with room for a burst: `due` is when the next call would be, were there no room."""

    per_second: float
    burst: int
    due: float = float("-inf")
    held_until: float = float("-inf")

    def turn(self, now: float) -> float:
        """How long the next call has to wait."""
        room = (self.burst - 1) / self.per_second
        return max(0.0, self.due - room - now, self.held_until - now)

    def take(self, now: float) -> None:
        self.due = max(self.due, now, self.held_until) + 1 / self.per_second

    def hold(self, until: float) -> None:
        """Nothing before `until`, and no burst then."""
        self.held_until = max(self.held_until, until)
        self.due = max(self.due, self.held_until + (self.burst - 1) / self.per_second)


@dataclass(slots=True)
class Paces:
    """The paces of all workspaces and channels this process has spoken to lately."""

    monotonic: Callable[[], float]
    _paces: dict[tuple[str, Method], _Pace] = field(default_factory=dict)
    _channels: dict[tuple[str, str], float] = field(default_factory=dict)  # when a channel may be posted in again
    # The channels of a workspace that heard 429 since Slack last took a post there.
    _limited: dict[str, set[str]] = field(default_factory=dict)

    def turn(self, workspace_id: str, method: Method) -> float | None:
        """Take a turn: the seconds until it comes. None, and no turn, when that is too far away."""
        pace, now = self._of(workspace_id, method), self.monotonic()
        wait = pace.turn(now)
        if wait > LONGEST_TURN:
            return None
        pace.take(now)
        return wait

    def until_turn(self, workspace_id: str, method: Method) -> float:
        """The seconds until a turn could be taken."""
        return self._of(workspace_id, method).turn(self.monotonic())

    def until_free(self, workspace_id: str, method: Method) -> float:
        """The seconds for which Slack wants to be left alone."""
        return max(0.0, self._of(workspace_id, method).held_until - self.monotonic())

    def place(self, workspace_id: str, channel_id: str) -> float:
        """Take the next place in a channel: the seconds until it comes."""
        now = self.monotonic()
        free = max(now, self._channels.get((workspace_id, channel_id), now))
        self._channels[workspace_id, channel_id] = free + POST_EVERY
        return free - now

    def posted(self, workspace_id: str, channel_id: str) -> None:
        """Slack took a post: the next in this channel a second later, and a little more trust in the pace."""
        self._channels[workspace_id, channel_id] = self.monotonic() + POST_EVERY
        self._limited.pop(workspace_id, None)
        pace = self._of(workspace_id, Method.POST)
        pace.per_second = min(FASTEST_POSTS, pace.per_second * _FASTER)

    def limited(self, workspace_id: str, method: Method, channel_id: str, retry_after: float) -> None:
        """Slack said 429: about this channel; and about the workspace when several hear it and none is served."""
        now = self.monotonic()
        pace = self._of(workspace_id, method)
        if method is Method.POST:
            before = self._channels.get((workspace_id, channel_id), now)
            self._channels[workspace_id, channel_id] = max(before, now + retry_after)
            in_a_row = self._limited.setdefault(workspace_id, set())
            in_a_row.add(channel_id)
            if len(in_a_row) < CHANNELS_IN_A_ROW:
                return
        # What was under way at that moment hears the same: it counts once.
        if method is Method.POST and now >= pace.held_until:
            pace.per_second = max(SLOWEST_POSTS, pace.per_second * _SLOWER)
        pace.hold(now + retry_after)

    def hold(self, workspace_id: str, seconds: float) -> None:
        """Leave a workspace alone."""
        for method in Method:
            self._of(workspace_id, method).hold(self.monotonic() + seconds)

    def busy_channels(self) -> set[str]:
        """The channels in which nothing may be posted now."""
        now = self.monotonic()
        self._channels = {where: until for where, until in self._channels.items() if until > now}
        return {channel_id for _, channel_id in self._channels}

    def held(self, method: Method) -> set[str]:
        """The workspaces in which the turn for this method is not near."""
        now = self.monotonic()
        return {where for (where, asked), pace in self._paces.items() if asked is method and pace.turn(now) > 0}

    def next_change(self) -> float | None:
        """The seconds until something that is held now is free; None when nothing is."""
        now = self.monotonic()
        waits = [until - now for until in self._channels.values()]
        waits += [pace.turn(now) for pace in self._paces.values()]
        return min((wait for wait in waits if wait > 0), default=None)

    def _of(self, workspace_id: str, method: Method) -> _Pace:
        found = self._paces.get((workspace_id, method))
        if found is None:
            is_post = method is Method.POST
            found = _Pace(FASTEST_POSTS, int(FASTEST_POSTS)) if is_post else _Pace(EDITS_A_SECOND, EDIT_BURST)
            self._paces[workspace_id, method] = found
        return found
