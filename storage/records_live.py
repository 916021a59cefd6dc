"""What storage tells of what happens now: usage and its estimates, what is unpriced, messages on their way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from finops.frozen import frozen
from finops.incidents import EventKind
from finops.money import Money


class UsageSum(NamedTuple):
    """Usage added up. `start` is the bucket's first minute since 1970 (0: of the whole stretch asked for).

    Names that were not asked for, or that the provider did not give, are ''. `tokens` is input (cached included) and
    output. `atto` is the uncorrected estimate in 1e-18 dollars; `unpriced` counts the calls (or what else is counted)
    that no price is known for, and which the estimate therefore lacks.
    """

    start: int
    connection_id: int
    sub_account_id: str
    model: str
    api_key_id: str
    requests: int
    tokens: int
    quantity: int
    atto: int
    unpriced: int


class Estimate(NamedTuple):
    """The estimate of one day of one provider project and model; `atto` is uncorrected, in 1e-18 dollars."""

    connection_id: int
    day: date
    sub_account_id: str
    model: str
    atto: int
    unpriced: int
    requests: int


@frozen
class UsageChange:
    """What one reading did to the stored usage.

    `rows_changed` counts rows written or removed at the width of the reading. `newest_data` is the newest minute with
    usage that we hold. `first_seen` are the minutes that have usage now and had none at the previous reading,
    ascending: what lateness is measured by, and empty for readings wider than a minute. `kept` when the reading was
    set aside because a newer one had overtaken it. Nothing is first seen by the first reading there is.
    """

    rows_changed: int
    newest_data: int | None
    first_seen: tuple[int, ...] = ()
    kept: bool = False


@frozen
class UsageRead:
    """How far one endpoint of a connection has been read; minutes since 1970.

    `final_until` is what the reader told: everything before it is read and need not be read again, but for the tail.
    `read_at` and `newest_data` are of readings by the minute.
    """

    endpoint: str
    final_until: int
    read_at: datetime | None
    newest_data: int | None


@frozen
class UsageHealth:
    """How reading the usage of a connection goes. `lateness_samples` are seconds, newest last, at most 200."""

    connection_id: int
    read_at: datetime | None
    failing_since: datetime | None
    failing_code: str | None
    lateness_samples: tuple[int, ...]
    price_version: str | None


@frozen
class Repricing:
    """History priced again with newer prices: how many rows moved, and what they came to before and after."""

    connection_id: int
    repriced_at: datetime
    from_version: str | None
    to_version: str
    first_day: date
    rows_changed: int
    before: Money
    after: Money


@frozen
class Unpriced:
    """Something used on a day that no price is known for; `endpoint` '' is a line item of the bill."""

    connection_id: int
    day: date
    endpoint: str
    model: str
    first_seen_at: datetime


class Opinion(NamedTuple):
    """What one person thinks of one alert: EventKind.HELPFUL or NOT_HELPFUL."""

    kind: EventKind
    incident_id: int


class Clocks(NamedTuple):
    """The two clocks of one delivered alert: when the provider could tell, when we knew, when Slack had it."""

    available_at: datetime | None
    detected_at: datetime
    delivered_at: datetime


# Why a message is given up that has become pointless: nobody was left without something to know.
NOTHING_TO_SAY = "nothing_to_say"


class OutboxState(StrEnum):
    """Where a message stands. DEAD ones are given up; wanting them again revives them."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"


@frozen
class OutboxMessage:
    """One message as it should stand in Slack. `subject` holds ids and frozen facts, never words.

    With a `ts` it stands there already and wants an edit. `thread_ts` and `thread_channel_id` say where its root
    stands. `is_uncertain`: an earlier attempt may have reached Slack, so look for it before posting again.
    """

    id: int
    workspace_id: str
    key: str
    kind: str
    subject: Mapping[str, Any]
    channel_id: str | None
    recipients: tuple[str, ...]
    thread_key: str | None
    is_broadcast: bool
    urgency: int
    is_prompt: bool
    version: int
    sent_version: int | None
    ts: str | None
    posted_channel_id: str | None
    state: OutboxState
    is_uncertain: bool
    worker: str | None
    leased_until: datetime | None
    attempts: int
    next_at: datetime
    first_wanted_at: datetime
    wanted_at: datetime
    detected_at: datetime | None
    available_at: datetime | None
    delivered_at: datetime | None
    sent_at: datetime | None
    mailed_at: datetime | None
    last_error: str | None
    thread_ts: str | None = None
    thread_channel_id: str | None = None

    @property
    def is_edit(self) -> bool:
        """Whether it stands in Slack and wants to be changed there."""
        return self.ts is not None

    @property
    def place(self) -> str | None:
        """The channel it stands in or belongs in: its thread's, else the wanted one; None: only its recipients."""
        return self.posted_channel_id or self.thread_channel_id or self.channel_id
