"""Speech: whom a message speaks to, in which language, and what it is about, read when it is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bot import Bot
from bot.errors import Refusal, RefusalCode
from finops.digest import DigestShown, DigestVersion
from finops.frozen import frozen
from finops.incident_report import IncidentShown
from finops.registry import Team
from finops.stop_report import StopShown
from finops.stops import StopEvent
from locales import Translator, translator_for
from storage.records_live import OutboxMessage


class NothingToSay(Exception):
    """What the message is about does not exist any more."""


@contextmanager
def gone(code: RefusalCode) -> Iterator[None]:
    """What is refused with this code does not exist any more, so there is nothing to say of it."""
    try:
        yield
    except Refusal as refusal:
        if refusal.code is code:
            raise NothingToSay from refusal
        raise


@frozen
class Reader:
    """Who reads it: a person directly, or everybody in a channel (None: unknown, the workspace at large)."""

    channel_id: str | None = None
    user_id: str | None = None


@frozen
class Speech:
    """What a kind of message needs to be made: the bot to ask, whom to speak to, and what was wanted."""

    bot: Bot
    wanted: OutboxMessage
    reader: Reader

    async def words(self, team: Team | None = None) -> Translator:
        """The reader's language: a person's own; in a channel that of the team which is told there.

        In a channel no team has, that of the team it is about; of none, the workspace's.
        """
        bot, workspace_id = self.bot, self.wanted.workspace_id
        if self.reader.user_id is not None:
            person = await bot.people.known(workspace_id, self.reader.user_id)
            if person is not None:
                return translator_for(person.locale, person.timezone)
        here = self.reader.channel_id
        if here is not None and (team is None or team.channel_id != here):
            async with bot.storage.reading() as store:
                teams = await store.teams.all(workspace_id)
            team = next((one for one in teams if one.channel_id == here), team)
        workspace = await bot.people.workspace(workspace_id)
        zone = workspace.timezone if workspace else bot.policy.default_timezone
        if team is not None:
            return translator_for(team.locale, zone)
        return translator_for(workspace.locale if workspace else bot.policy.default_locale, zone)

    async def shown(self, *, is_line: bool = False) -> IncidentShown:
        """The incident it is about, read now; for a line of its thread without history and picture."""
        read = self.bot.incidents.told if is_line else self.bot.incidents.shown
        with gone(RefusalCode.UNKNOWN_INCIDENT):
            return await read(self.wanted.workspace_id, int(self.wanted.subject["incident_id"]))

    async def digest(self) -> DigestShown:
        """The digest it is about, as it was kept: whoever reads it later reads the same."""
        subject = self.wanted.subject
        with gone(RefusalCode.UNKNOWN_DIGEST):
            return await self.bot.digests.told(
                self.wanted.workspace_id, int(subject["digest_id"]), DigestVersion(subject["version"])
            )

    async def digest_words(self) -> Translator:
        """The language decided for the place; a person who is told directly reads their own."""
        locale = str(self.wanted.subject.get("locale") or "")
        if self.reader.user_id is not None or not locale:
            team_id = self.wanted.subject.get("team_id")
            team = None
            if team_id is not None:
                async with self.bot.storage.reading() as store:
                    team = await store.teams.get(self.wanted.workspace_id, int(team_id))
            return await self.words(team)
        workspace = await self.bot.people.workspace(self.wanted.workspace_id)
        return translator_for(locale, workspace.timezone if workspace else self.bot.policy.default_timezone)

    async def stop(self) -> StopShown:
        """The stop it is about, read now."""
        with gone(RefusalCode.UNKNOWN_STOP):
            return await self.bot.stopping.shown(self.wanted.workspace_id, int(self.wanted.subject["stop_id"]))

    async def stop_event(self) -> tuple[StopEvent, StopShown]:
        """What happened to a stop, and how that stands now."""
        shown = await self.stop()
        event = next((one for one in shown.events if one.key == self.wanted.subject["event"]), None)
        if event is None:
            raise NothingToSay
        return event, shown
