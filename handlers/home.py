"""The Home tab: published when somebody opens it, and again when something they did changes it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import aiohttp

from blocks import bad_news, home
from bot.errors import BadNews
from finops.approvals import ApprovalShown, HomeReader
from finops.figures import HomeReport
from finops.incident_report import LiveReport
from handlers.guard import attempt
from handlers.links import permalink
from handlers.outages import SLACK_FAILS
from handlers.visit import Visit

log = logging.getLogger(__name__)

# Home is there without what Slack does not tell in time: a link, or which user groups somebody belongs to.
PATIENCE_SECONDS = 2.0


async def publish(visit: Visit) -> None:
    """Draw the Home tab of this person. When its figures cannot be read, it says so instead of showing old ones."""
    report = await attempt(_report(visit))
    t = await visit.words()
    if isinstance(report, BadNews):
        await visit.client.views_publish(user_id=visit.user_id, view=home.trouble(bad_news.sentence(report, t), t))
        return
    reader = await attempt(_reader(visit, report))
    if isinstance(reader, BadNews):
        reader = HomeReader(is_unread=True)
    await visit.client.views_publish(user_id=visit.user_id, view=home.view(report, t, reader))


async def refresh(visit: Visit) -> None:
    """Draw the Home tab again after a change. The change itself stands whatever Slack says about the tab."""
    try:
        await publish(visit)
    except SLACK_FAILS as error:
        log.warning("home not refreshed", extra={"error": type(error).__name__})


async def _report(visit: Visit) -> HomeReport:
    return await visit.bot.reports.home(visit.workspace_id, await visit.person())


async def _reader(visit: Visit, report: HomeReport) -> HomeReader:
    """What waits for this person, each with the link to its message."""

    async def members(group: str) -> frozenset[str] | None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await visit.members(group)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("user group not read in time", extra={"group": group, "error": type(error).__name__})
            return None

    live = report.live or LiveReport()
    unowned_of = report.top.total if any(share.is_unallocated for share in report.top.shares) else None
    reader = await visit.bot.home_readers.of(
        await visit.person(), live.incidents, members, open_count=live.incident_count, unowned_of=unowned_of
    )
    linked = await asyncio.gather(*(_linked(visit, one) for one in (*reader.approvals, *reader.asked)))
    count = len(reader.approvals)
    return replace(reader, approvals=tuple(linked[:count]), asked=tuple(linked[count:]))


async def _linked(visit: Visit, one: ApprovalShown) -> ApprovalShown:
    """With the link to its message."""
    if one.place is None:
        return one
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            found = await permalink(visit, *one.place)
    except TimeoutError:
        found = None
    return replace(one, link=found or "")
