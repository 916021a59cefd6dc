"""Polls: questions to a channel, one vote for each person, counted once and changeable until they close.

Anonymous votes are kept under a name that nobody can lead back to a person once the poll is closed: the keyed hash of
the user's id under a salt of the poll's own, random, and dropped when it closes. Before that, whoever holds the
database could still find a vote by trying every user id; the message says so. See docs/polls.md.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from finops import spreadsheets
from finops.frozen import frozen
from finops.spreadsheets import safe

FEWEST_OPTIONS, MOST_OPTIONS = 2, 10
LONGEST_QUESTION, LONGEST_OPTION = 150, 75
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=60)  # messages are forgotten after ninety
SALT_BYTES = 32
# A reminder comes a quarter of the poll's time before its end, at most a day; the shortest polls have none.
_REMIND_AT_MOST, _REMIND_FROM = timedelta(days=1), timedelta(hours=1)
# What one tap below a digest says, from best to worst.
PULSE_OPTIONS = ("good", "fair", "poor")
PULSE_OPEN = timedelta(days=6)
# Fewer answers to a pulse say much about single people, who were asked without having asked for it: none is told.
PULSE_LEAST = 5
# A click made in time may be handled late: so long after its end a poll waits for such, and only then tells its result.
LATE_CLICKS = timedelta(seconds=60)
# Farther in the future than clocks go wrong: such a click is dated by us.
_CLOCKS_DIFFER = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class PollKind(StrEnum):
    """What a poll is for."""

    CUSTOM = "custom"
    NEXT_FEATURE = "next_feature"
    PULSE = "pulse"  # below a digest; its words are the product's, in the language of whoever reads


class NextFeature(StrEnum):
    """What this product could learn next: the options of the ready-made poll."""

    FORECAST = "forecast"
    ANOMALIES = "anomalies"
    CLOUDS = "clouds"  # AWS and Azure beside AI providers
    PROVIDERS = "providers"  # more AI providers
    SHOWBACK = "showback"
    ADVICE = "advice"


class PollMistake(StrEnum):
    """What is wrong with what somebody typed."""

    EMPTY = "empty"
    LONG = "long"
    FEW = "few"
    MANY = "many"
    TWICE = "twice"
    SOON = "soon"
    LATE = "late"
    SECRET = "secret"  # noqa: S105 - somebody typed a key


class PollUnusable(ValueError):
    """A poll that cannot be asked: `mistake` says why, `words` what it is about."""

    def __init__(self, mistake: PollMistake, words: str = "") -> None:
        super().__init__(mistake.value)
        self.mistake = mistake
        self.words = words


@frozen
class Option:
    """One answer: `id` never changes and is never used twice in a poll, `text` is what people read."""

    id: str
    text: str


@frozen
class PollDraft:
    """A poll as somebody fills it in. `options` is one text, an option on each line."""

    question: str
    options: str
    channel_id: str
    closes_at: datetime
    kind: PollKind = PollKind.CUSTOM
    is_multiple: bool = False
    is_anonymous: bool = False
    may_add: bool = False
    is_hidden: bool = True


@frozen
class Poll:
    """A poll. `locale` and `timezone` are '' where the channel's own hold; `created_by` '' is the product itself."""

    id: int
    workspace_id: str
    channel_id: str
    parent_key: str | None
    kind: PollKind
    question: str
    options: tuple[Option, ...]
    is_multiple: bool
    is_anonymous: bool
    may_add: bool
    is_hidden: bool
    locale: str
    timezone: str
    closes_at: datetime
    remind_at: datetime | None
    created_by: str
    created_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None
    salt: bytes | None = field(default=None, repr=False)
    key: str | None = None
    deciding_by: str | None = None  # the administrator who had it decide what comes next

    @property
    def decides(self) -> bool:
        """Whether it decides what comes next: by what it asks, or because an administrator says so."""
        return self.kind is PollKind.NEXT_FEATURE or self.deciding_by is not None

    def is_open(self, now: datetime) -> bool:
        """Whether its result can still change: nobody closed it, and clicks made in time may still come."""
        return self.closed_at is None and now < self.closes_at + LATE_CLICKS

    def takes(self, clicked_at: datetime, now: datetime) -> bool:
        """Whether a click counts that is handled now: made (or handled) before its time was over, and it is open."""
        return self.is_open(now) and min(clicked_at, now) < self.closes_at

    def voter(self, user_id: str) -> str | None:
        """What a person is called among the votes; None when that cannot be told any more (anonymous and closed)."""
        if not self.is_anonymous:
            return user_id
        return None if self.salt is None else voter_of(self.salt, user_id)

    def chosen(self, ids: Iterable[str]) -> tuple[str, ...] | None:
        """The vote that these option ids make, in the poll's order; None when they make none.

        A poll of one answer takes exactly one, the other any number but none; ids it does not have are nobody's.
        """
        wanted = set(ids)
        found = tuple(option.id for option in self.options if option.id in wanted)
        return found if found and len(found) == len(wanted) and (self.is_multiple or len(found) == 1) else None


@frozen
class Ballot:
    """One person's vote. `voted_at` of an anonymous one is the hour."""

    voter: str
    options: tuple[str, ...]
    voted_at: datetime
    revision: int


@frozen
class Count:
    """One option's result: its votes, its share of all who voted (None: nobody did), and of a named poll by whom."""

    option: Option
    votes: int
    share: Decimal | None
    voters: tuple[str, ...] = ()


@frozen
class PollShown:
    """A poll and how it stands: `counts` in the poll's order, `people` who voted."""

    poll: Poll
    counts: tuple[Count, ...]
    people: int
    as_of: datetime

    @property
    def is_open(self) -> bool:
        return self.poll.is_open(self.as_of)

    @property
    def is_told(self) -> bool:
        """Whether anybody may see how it stands: a pulse tells nobody before it closes, nor where few answered."""
        is_pulse = self.poll.kind is PollKind.PULSE
        return not is_pulse or (not self.is_open and not 0 < self.people < PULSE_LEAST)

    @property
    def is_public(self) -> bool:
        """Whether everybody may see how it stands: it is told, and closed or never to be hidden."""
        return self.is_told and (not self.is_open or not self.poll.is_hidden)

    @property
    def leaders(self) -> tuple[Count, ...]:
        """The options with the most votes: several when they are equal, none when nobody voted."""
        most = max((count.votes for count in self.counts), default=0)
        return tuple(count for count in self.counts if count.votes == most and most > 0)


def shown(poll: Poll, ballots: Sequence[Ballot], as_of: datetime) -> PollShown:
    """Count the votes. Votes for options that are not the poll's count for nothing."""
    by: dict[str, list[str]] = {option.id: [] for option in poll.options}
    for ballot in sorted(ballots, key=lambda one: (one.voted_at, one.voter)):
        for option_id in ballot.options:
            if option_id in by:
                by[option_id].append(ballot.voter)
    people = len(ballots)
    counts = tuple(
        Count(
            option,
            len(by[option.id]),
            Decimal(len(by[option.id])) / people if people else None,
            () if poll.is_anonymous else tuple(by[option.id]),
        )
        for option in poll.options
    )
    return PollShown(poll, counts, people, as_of)


def voter_of(salt: bytes, user_id: str) -> str:
    """The name of an anonymous voter: HMAC-SHA256 of the user's id under the poll's salt, in hex."""
    return hmac.new(salt, user_id.encode(), hashlib.sha256).hexdigest()


def voting_time(poll: Poll, now: datetime) -> datetime:
    """When a vote is said to have been given: of an anonymous one only the hour, so that no log can be laid beside."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) if poll.is_anonymous else now


def clicked_us(stamp: str, now: datetime) -> int:
    """When somebody clicked, in microseconds since 1970: Slack's own `action_ts`, or now where it tells none.

    Clicks may be handled in another order than they were made; the last one made is the one that counts.
    """
    received = (now - _EPOCH) // _MICROSECOND
    try:
        told = Decimal(stamp)
    except InvalidOperation:
        return received
    if not told.is_finite() or not 0 < told < 10**11:
        return received
    clicked = int(told * 1_000_000)
    return clicked if clicked <= received + _CLOCKS_DIFFER // _MICROSECOND else received


def clicked_at(stamp: str, now: datetime) -> datetime:
    """The same as a time."""
    return _EPOCH + timedelta(microseconds=clicked_us(stamp, now))


def parse_question(text: str) -> str:
    """A question on one line; raises PollUnusable."""
    question = " ".join(text.split())
    if not question:
        raise PollUnusable(PollMistake.EMPTY)
    if len(question) > LONGEST_QUESTION:
        raise PollUnusable(PollMistake.LONG)
    return question


def parse_options(text: str) -> tuple[Option, ...]:
    """The options of a text, one a line, numbered from 1; raises PollUnusable."""
    texts: list[str] = []
    for line in filter(None, (" ".join(line.split()) for line in text.splitlines())):
        texts.append(parse_option(line, texts))
    if len(texts) < FEWEST_OPTIONS:
        raise PollUnusable(PollMistake.FEW)
    if len(texts) > MOST_OPTIONS:
        raise PollUnusable(PollMistake.MANY)
    return tuple(Option(str(number), text) for number, text in enumerate(texts, start=1))


def parse_option(text: str, beside: Iterable[str]) -> str:
    """One option beside others, on one line; raises PollUnusable."""
    option = " ".join(text.split())
    if not option:
        raise PollUnusable(PollMistake.EMPTY)
    if len(option) > LONGEST_OPTION:
        raise PollUnusable(PollMistake.LONG, option)
    if option.casefold() in {other.casefold() for other in beside}:
        raise PollUnusable(PollMistake.TWICE, option)
    return option


def with_option(options: Sequence[Option], text: str) -> tuple[Option, ...]:
    """The options and one more, its id new; raises PollUnusable."""
    if len(options) >= MOST_OPTIONS:
        raise PollUnusable(PollMistake.MANY)
    added = parse_option(text, [option.text for option in options])
    number = 1 + max((int(option.id) for option in options if option.id.isdecimal()), default=0)
    return (*options, Option(str(number), added))


def check_closing(closes_at: datetime, now: datetime) -> None:
    """Raise PollUnusable unless a poll may be open from now until then."""
    if closes_at < now + SHORTEST:
        raise PollUnusable(PollMistake.SOON)
    if closes_at > now + LONGEST:
        raise PollUnusable(PollMistake.LATE)


def reminder(now: datetime, closes_at: datetime) -> datetime | None:
    """When those who have not voted are reminded, once, in the message's thread; None when there is no time for it."""
    lasts = closes_at - now
    return closes_at - min(_REMIND_AT_MOST, lasts / 4) if lasts >= _REMIND_FROM else None


def exported(poll: PollShown, ballots: Sequence[Ballot], texts: Mapping[str, str], question: str) -> bytes:
    """A CSV for spreadsheets: of a named poll a line for each person and answer, of an anonymous one counts only.

    `texts` are the options' words by id.
    """
    rows: list[tuple[object, ...]] = []
    if poll.poll.is_anonymous:
        rows.append(("question", "option", "votes", "voters_in_all"))
        rows += [(safe(question), safe(texts[one.option.id]), one.votes, poll.people) for one in poll.counts]
    else:
        rows.append(("question", "option", "user_id", "voted_at", "changes"))
        for ballot in sorted(ballots, key=lambda one: (one.voted_at, one.voter)):
            for option_id in ballot.options:
                words, at = texts.get(option_id, option_id), spreadsheets.second(ballot.voted_at)
                rows.append((safe(question), safe(words), safe(ballot.voter), at, ballot.revision - 1))
    return spreadsheets.file(rows)
