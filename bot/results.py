"""What the bot answers: values, never words. blocks/ turns them into messages."""

from __future__ import annotations

from dataclasses import field
from datetime import date, datetime, timedelta
from enum import StrEnum

from bot.errors import BadNews
from finops.figures import CollectionProgress
from finops.frozen import frozen
from finops.registry import Connection, Credential, KnownProject, Project, Team
from providers.contract import MANAGEMENT_READ
from storage.records import CollectionKind as CollectionKind  # named in what the bot answers


@frozen
class Profile:
    """A person as Slack describes them (users.info). `is_guest`: or of another company (Slack Connect)."""

    user_id: str
    name: str
    locale: str | None = None
    timezone: str | None = None
    is_workspace_admin: bool = False
    is_bot: bool = False
    is_guest: bool = False
    is_deactivated: bool = False

    @property
    def is_outsider(self) -> bool:
        """Whether this is nobody of the workspace whom rights could be given to."""
        return self.is_bot or self.is_guest or self.is_deactivated


@frozen
class KeyRegistered:
    """A key is in. `is_shared`: the organization was connected before; it is collected once.

    `is_same`: it was there before, in its own place. `other_organizations` are those that the team has keys of besides.
    """

    credential: Credential
    connection: Connection
    rights: frozenset[str]
    organization_name: str | None
    key_name: str | None
    expires_at: datetime | None
    is_shared: bool
    projects_found: int | None  # None: this key may not list projects, or the provider did not answer in time
    is_same: bool = False
    other_organizations: tuple[str, ...] = ()

    @property
    def may_manage(self) -> bool:
        """Whether the key may list projects (and later set limits), beside reading costs."""
        return MANAGEMENT_READ in self.rights


@frozen
class KeyChanged:
    """A key was replaced, disabled, enabled or deleted. `still_collected`: some enabled key of it remains."""

    credential: Credential
    connection: Connection
    still_collected: bool
    collection_started: bool = False


@frozen
class ProjectsRegistered:
    """What became of a choice of projects. `taken` belong to another team already (`team_name` says whose).

    `has_history`: charges of these projects are stored already, so a chart can be drawn now.
    `collection_started`: a back-fill runs or waits, and `is_told`: this person is shown its progress, for they asked
    first. Neither started nor history: from tomorrow on.
    """

    team: Team
    registered: tuple[Project, ...]
    taken: tuple[KnownProject, ...]
    collection_started: bool
    has_history: bool
    is_told: bool = True


@frozen
class CollectionStarted:
    """Answer to "collect now": what runs or waits, and which connections cannot be read (every key disabled)."""

    collections: tuple[CollectionProgress, ...]
    without_key: tuple[Connection, ...] = ()


@frozen
class Told:
    """Where the news about one collection belongs: who asked, and the message that already shows it."""

    workspace_id: str
    connection_id: int
    collection_id: int
    kind: CollectionKind
    requested_by: str | None
    channel_id: str | None
    message_ts: str | None


@frozen
class Progress:
    """A chunk of days is stored for good. `total` is what the collected days of this run sum to."""

    told: Told
    collection: CollectionProgress


@frozen
class Finished:
    """A collection is complete. `is_empty`: the provider knows no cost in it, which is not the same as zero.

    `unread` are the days that were left out of its answers and are not known from before: they are asked for again.
    """

    told: Told
    collection: CollectionProgress
    is_empty: bool
    restated_days: int = 0
    unread: tuple[date, ...] = ()


@frozen
class Failed:
    """A collection could not go on; what is stored stays. `retry_at` None: waits for a person (a new key)."""

    told: Told
    collection: CollectionProgress
    news: BadNews
    blind_since: datetime
    newly_blind: bool
    retry_at: datetime | None


CollectionEvent = Progress | Finished | Failed


class Level(StrEnum):
    """How a finding of the doctor feels."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@frozen
class SlackCheck:
    """What only the caller can know about Slack: made by handlers/ or the command line, judged by the doctor.

    `bot_token_ok` is None where Slack could not be asked: then nothing else is known of it either.
    `clock_skew_seconds`: our clock minus Slack's (Date header); None when not measured.
    """

    bot_token_ok: bool | None
    error: str | None = None
    app_token_ok: bool | None = None  # None: no Socket Mode in use
    missing_scopes: tuple[str, ...] = ()
    clock_skew_seconds: float | None = None


class FindingCode(StrEnum):
    """Everything the doctor looks at. The comment names the values of the finding."""

    SLACK_TOKEN = "slack_token"  # noqa: S105 - a code, no secret. error, is_asked (False: Slack was not reached)
    SLACK_APP_TOKEN = "slack_app_token"  # noqa: S105 - a code, no secret
    SLACK_SCOPES = "slack_scopes"  # missing: tuple
    CLOCK = "clock"  # skew_seconds
    DATABASE = "database"  # dialect, milliseconds; error instead when it does not answer
    MIGRATIONS = "migrations"  # current, head
    ADMINS = "admins"  # count
    KEYS = "keys"  # enabled, disabled, without_key (connections that nobody can read): counts
    KEYS_SEALED = "keys_sealed"  # old: keys sealed with a former master key; unreadable: connections
    KEY_EXPIRY = "key_expiry"  # ends_with, expires_at, days_left (one for each key near its end; else one that is well)
    KEY_RIGHTS = "key_rights"  # without_management: how many connections cannot list projects
    KEY_STOPS = "key_stops"  # without_stop: of how many connections no key is known to have the right to stop
    CONNECTION = "connection"  # name, since, code (one for each that is blind; OK, of one left: name alone)
    COLLECTION = "collection"  # name, age_minutes (None: never)
    QUEUE = "queue"  # waiting, oldest_minutes
    USAGE = "usage"  # name, age_minutes (None: never read), lateness_seconds (p95; None: not measured)
    DRIFT = "drift"  # name, ratio (Decimal: billed / estimated of 14 days; None: nothing compared yet), days
    ALERT_CLOCKS = "alert_clocks"  # count, detected_seconds (p99), available_seconds (p95); None without an alert
    OUTBOX = "outbox"  # waiting, oldest_seconds, dead (messages nobody could be told)
    UNWATCHED = "unwatched"  # since, until: the last stretch in which nobody looked; None where none is remembered
    TRIAL = "trial"  # state (missing: none is kept), channel, at, there, back (seconds), trouble, is_mailed
    UNPRICED = "unpriced"  # names: tuple of models and line items without a price today


@frozen
class Finding:
    """One line of the doctor's report."""

    code: FindingCode
    level: Level
    values: dict[str, object] = field(default_factory=dict)


@frozen
class Polled:
    """What one reading of a connection's usage came to: `read`, or the code of what went wrong.

    `lateness` is within what time 95 % of its usage arrived (None: not measured). `recovered_since` is since when it
    had been blind, if that is over now. `unwatched` is how long nobody had looked at it before, beyond what is usual.
    """

    connection: Connection
    result: str
    lateness: timedelta | None
    newly_blind: bool = False
    recovered_since: datetime | None = None
    unwatched: timedelta = timedelta(0)
