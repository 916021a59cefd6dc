"""Expiring: who can replace a key is told of its end while there is time; once for each mark, whoever looks first.

What is told waits in the outbox until Slack has it, and says what is true then: a key that was replaced, switched off
or deleted meanwhile is not warned of. A warning that stands says so once its key was replaced.
"""

from __future__ import annotations

from datetime import datetime

from bot.desk import Desk
from bot.telling import ROUTINE, URGENT
from finops.expiry import FIRST_WARNING, LAST_WARNING, days_left, warning_due
from finops.frozen import frozen
from finops.registry import Credential, CredentialState, Team
from storage import Store
from storage.records_live import NOTHING_TO_SAY, OutboxMessage, OutboxState

EXPIRY = "expiry"
_URGENT_DAYS = 1
_REPLACED = "replaced"  # in the subject of a warning that stands


@frozen
class ExpiryWarning:
    """A key that will soon not be accepted any more, or is not already, and whom to tell directly."""

    credential: Credential
    team: Team
    expires_at: datetime
    mark: int  # which of the warnings it is: so many days ahead, or finops.expiry.EXPIRED
    days_left: int  # begun days; 0 from the end on
    user_ids: tuple[str, ...]

    @property
    def key(self) -> str:
        """The name of this warning; a key put in its place keeps the row's id, so it holds the end it warns of."""
        return f"{EXPIRY}:{self.credential.id}:{self.expires_at.isoformat()}:{self.mark}"

    @property
    def subject(self) -> dict[str, str | int]:
        """The same, for whoever makes words of it later."""
        return {"credential_id": self.credential.id, "expires_at": self.expires_at.isoformat(), "mark": self.mark}


@frozen
class KeyReplaced:
    """What became of a key that was warned of: another stands in its place."""

    ends_with_before: str
    ends_with: str
    user_id: str
    at: datetime
    expires_at: datetime | None


class Expiring:
    """Knows which keys end soon, and sees to it that those who can replace them are told."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def warnings(self) -> list[ExpiryWarning]:
        """The warning that holds now of every enabled key of every workspace that is near its end or just past it."""
        now = self._desk.now()
        async with self._desk.storage.reading() as store:
            found = await store.credentials.expiring_everywhere(now + FIRST_WARNING)
            made = [await _warning(store, one, now) for one in found]
        return [one for one in made if one is not None]

    async def everywhere(self) -> int:
        """Have everybody told whom a warning concerns and who was not; how many messages that makes.

        Who leads the team by now is told of a warning that others were told of before.
        """
        wanted = 0
        for warning in await self.warnings():
            async with self._desk.storage.reading() as store:
                if not await _untold(store, warning):
                    continue
            async with self._desk.storage.writing() as store:
                wanted += await self._tell(store, warning.credential)
        if wanted:
            self._desk.wake_outbox.set()
        return wanted

    async def told(self, wanted: OutboxMessage) -> ExpiryWarning | None:
        """A warning that waits to be told, as it stands now; None when it does not hold any more.

        The key has another end by now, or none, or is not used; or its end has come so near that another one holds.
        """
        async with self._desk.storage.reading() as store:
            credential = await store.credentials.get(wanted.workspace_id, int(wanted.subject["credential_id"]))
            warning = None if credential is None else await _warning(store, credential, self._desk.now())
        return warning if warning is not None and warning.subject.items() <= wanted.subject.items() else None

    async def _tell(self, store: Store, seen: Credential) -> bool:
        """Want the warning of a key as it stands in this transaction; whether there was somebody to be told."""
        workspace_id, now = seen.workspace_id, self._desk.now()
        # Two replicas that look at once would both find nobody told.
        await store.workspaces.hold(workspace_id)
        credential = await store.credentials.get(workspace_id, seen.id)
        warning = None if credential is None else await _warning(store, credential, now)
        people = () if warning is None else await _untold(store, warning)
        if warning is None or not people:
            return False
        # One message with a copy for each further person: it stands in one conversation as soon as Slack has it, and
        # where nobody can be told there, one mail says it.
        await store.outbox.want(
            workspace_id,
            warning.key,
            EXPIRY,
            warning.subject,
            None,
            people,
            urgency=URGENT if warning.mark <= _URGENT_DAYS else ROUTINE,
            at=now,
        )
        return True


async def settle(store: Store, old: Credential, new: Credential, now: datetime) -> None:
    """Have every warning of a key that stands say that it was replaced, in the transaction that replaces it.

    What waits still is left: it has nothing to say any more. Where the new key has the same end, the warning holds.
    """
    if old.expires_at is None or old.expires_at == new.expires_at:
        return
    facts = {
        "ends_with_before": old.ends_with,
        "ends_with": new.ends_with,
        "user_id": new.registered_by,
        "at": now.isoformat(),
        "new_end": new.expires_at.isoformat() if new.expires_at is not None else None,
    }
    for told in await store.outbox.beginning(old.workspace_id, f"{EXPIRY}:{old.id}:{old.expires_at.isoformat()}:"):
        if told.ts is not None and _REPLACED not in told.subject:
            subject = {**told.subject, _REPLACED: facts}
            await store.outbox.want(
                told.workspace_id, told.key, told.kind, subject, told.channel_id, told.recipients,
                urgency=told.urgency, at=now, is_prompt=True,
            )  # fmt: skip


def replaced(wanted: OutboxMessage) -> KeyReplaced | None:
    """What a warning says since its key was replaced; None while it warns."""
    facts = wanted.subject.get(_REPLACED)
    if facts is None:
        return None
    end = facts["new_end"]
    return KeyReplaced(
        facts["ends_with_before"],
        facts["ends_with"],
        facts["user_id"],
        datetime.fromisoformat(facts["at"]),
        datetime.fromisoformat(end) if end is not None else None,
    )


async def _warning(store: Store, credential: Credential, now: datetime) -> ExpiryWarning | None:
    """The warning of a key that holds now.

    Whoever registered the key can make a new one; the lead of the team answers for its costs.
    """
    expires_at, mark = credential.expires_at, warning_due(credential.expires_at, now)
    is_long_past = expires_at is not None and now - expires_at > LAST_WARNING
    if expires_at is None or mark is None or is_long_past or credential.state is not CredentialState.ENABLED:
        return None
    team = await store.teams.get(credential.workspace_id, credential.team_id)
    if team is None:
        return None
    people = tuple(dict.fromkeys((credential.registered_by, team.lead_user_id)))
    return ExpiryWarning(credential, team, expires_at, mark, days_left(expires_at, now), people)


async def _untold(store: Store, warning: ExpiryWarning) -> tuple[str, ...]:
    """Whom the message of a warning has to name though it does not, after those it names; empty when it names all."""
    known = await store.outbox.get(warning.credential.workspace_id, warning.key)
    if known is None or (known.state is OutboxState.DEAD and known.last_error == NOTHING_TO_SAY):
        return warning.user_ids  # a key that was switched off for a while is warned of once it is on again
    if set(warning.user_ids) <= set(known.recipients):
        return ()
    return tuple(dict.fromkeys((*known.recipients, *warning.user_ids)))
