"""Usage: what providers told by the minute, its roll-ups by hour and day, and how far each has been read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime

from finops.periods import Period
from finops.usage import UsageReading, UsageRow, Width
from storage.charges import Account
from storage.records_live import Estimate, Repricing, UsageChange, UsageHealth, UsageRead, UsageSum
from storage.repository import Repository, across_workspaces

Priced = tuple[UsageRow, int, bool]
"""A row, its price in atto-dollars, and whether a price is known."""


class Usage(Repository):
    """Usage and its estimates. Minutes stay for 90 days, hours and days for good; every sum is exact."""

    async def replace(
        self,
        workspace_id: str,
        connection_id: int,
        reading: UsageReading,
        priced: Sequence[Priced],
        read_at: datetime,
        final_until: int | None,
    ) -> UsageChange:
        """Let what a reading told of each bucket take the place of what we held of it, and move the roll-ups by that.

        `priced` are the rows of the reading's buckets with their prices. A bucket told as empty erases nothing, one
        not told of stays. Hours are the sum of their minutes and days of their hours, but for those that the provider
        told as one: a reading by hour or day is kept where no finer readings cover the whole of it, and once it is
        over; finer readings that come to cover it take its place. `final_until` (minutes since 1970) is kept unless
        None. NotFound for another workspace's connection.
        """
        raise NotImplementedError

    async def reads(self, workspace_id: str, connection_id: int) -> dict[str, UsageRead]:
        """How far each endpoint has been read; one never read is absent."""
        raise NotImplementedError

    async def open_estimates(self, workspace_id: str, days: Collection[date]) -> list[Estimate]:
        """The estimates of whole days, for every connection, project and model."""
        raise NotImplementedError

    async def activity(
        self,
        workspace_id: str,
        from_minute: int,
        to_minute: int,
        accounts: Collection[Account] | None = None,
        *,
        by_key: bool = False,
    ) -> list[UsageSum]:
        """Sums over [from, to), per connection, project and model, and per API key when asked for.

        Whole days and hours come from the roll-ups, the rest from minutes.
        """
        raise NotImplementedError

    async def hourly(
        self, workspace_id: str, from_minute: int, to_minute: int, accounts: Collection[Account] | None = None
    ) -> list[UsageSum]:
        """Sums per hour that begins in [from, to), connection, project and model."""
        raise NotImplementedError

    async def daily(
        self, workspace_id: str, period: Period, accounts: Collection[Account] | None = None
    ) -> list[UsageSum]:
        """Sums per day, connection, project and model."""
        raise NotImplementedError

    async def recent(
        self, workspace_id: str, since_minute: int, accounts: Collection[Account] | None = None
    ) -> list[UsageSum]:
        """Sums per minute from that one on, connection, project and model. Minutes without usage are absent."""
        raise NotImplementedError

    async def busy(
        self, workspace_id: str, connection_id: int, from_minute: int, to_minute: int, width: Width
    ) -> list[tuple[int, int]]:
        """The buckets of one width in [from, to) with any usage, as (start, width in minutes), ascending."""
        raise NotImplementedError

    async def reprice(
        self,
        workspace_id: str,
        connection_id: int,
        period: Period,
        price: Callable[[Sequence[UsageRow]], Sequence[Priced]],
        *,
        from_version: str | None,
        to_version: str,
        at: datetime,
    ) -> Repricing:
        """Price what is stored of some days again, log it, and tell what it moved. `price` runs in a thread."""
        raise NotImplementedError

    async def repricings(self, workspace_id: str, connection_id: int) -> list[Repricing]:
        """Every time history was priced again, oldest first."""
        raise NotImplementedError

    @across_workspaces("old minutes are swept everywhere")
    async def forget_minutes_before(self, minute: int) -> int:
        """Drop minutes before that one; hours and days stay. Tells how many rows went."""
        raise NotImplementedError

    async def health(self, workspace_id: str, connection_id: int) -> UsageHealth | None:
        """How reading a connection goes; None before the first try."""
        raise NotImplementedError

    async def healths(self, workspace_id: str) -> list[UsageHealth]:
        """How reading each connection goes."""
        raise NotImplementedError

    async def mark_read(
        self,
        workspace_id: str,
        connection_id: int,
        at: datetime,
        lateness: Sequence[int] = (),
        price_version: str | None = None,
    ) -> datetime | None:
        """A poll succeeded: keep its lateness samples (seconds) and price version (None: as it was).

        Tells since when it had been failing; None when it had not.
        """
        raise NotImplementedError

    async def mark_failing(self, workspace_id: str, connection_id: int, at: datetime, code: str) -> datetime:
        """A poll failed; tells since when they do."""
        raise NotImplementedError
