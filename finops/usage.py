"""Usage: what was asked of the models, as counts by minute, hour or day; the matter estimates are made of."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from enum import IntEnum, StrEnum
from operator import add
from typing import NamedTuple

from finops.frozen import frozen

MINUTES_PER_DAY = 1440


class Endpoint(StrEnum):
    """The kinds of usage a provider tells of, each by its own door."""

    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    MODERATIONS = "moderations"
    IMAGES = "images"
    AUDIO_SPEECHES = "audio_speeches"
    AUDIO_TRANSCRIPTIONS = "audio_transcriptions"
    VECTOR_STORES = "vector_stores"
    CODE_INTERPRETER_SESSIONS = "code_interpreter_sessions"
    FILE_SEARCH_CALLS = "file_search_calls"
    WEB_SEARCH_CALLS = "web_search_calls"


class Width(IntEnum):
    """How long a bucket is, in minutes."""

    MINUTE = 1
    HOUR = 60
    DAY = MINUTES_PER_DAY


class UsageRow(NamedTuple):
    """One group of one bucket; '' where the provider names nothing. A tuple, because there are very many.

    `start` is the bucket's start in whole minutes since 1970 (UTC). `input_tokens` is everything that went in:
    `cached_input_tokens` (audio and images among them), `cache_write_tokens`, and what was read anew, of which
    `audio_input_tokens` and `image_input_tokens` tell the audio and images, without the cached.
    `output_tokens` holds `audio_output_tokens` and `image_output_tokens`. `quantity` counts what has no tokens: images,
    characters, seconds, sessions, calls, and mebibyte-minutes of stored vectors.
    """

    start: int
    endpoint: str
    sub_account_id: str
    model: str
    api_key_id: str
    service_tier: str
    is_batch: bool
    requests: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    audio_input_tokens: int = 0
    cached_audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    image_input_tokens: int = 0
    cached_image_input_tokens: int = 0
    image_output_tokens: int = 0
    quantity: int = 0


# The names of the counts, which the storage keeps under the same names; what stands before them is a row's key.
COUNTS = UsageRow._fields[7:]


@frozen
class UsageBucket:
    """Everything one bucket told; `rows` are empty where the provider told that nothing was used."""

    start: int
    rows: tuple[UsageRow, ...]


@frozen
class UsageReading:
    """What one reading told of [start, end) (minutes since 1970): the buckets told of, ascending, each start once.

    A bucket that is missing was not told of, which is not the same as nothing used; or it was told word for word as
    the asker knew it. No two rows of a bucket share their key. `marks` are fingerprints of every bucket told, by its
    start: given to the next reading, they save what has not changed; they mean nothing outside this process.
    """

    endpoint: Endpoint
    width: Width
    start: int
    end: int
    buckets: tuple[UsageBucket, ...]
    marks: Mapping[int, int] = field(default_factory=dict, compare=False)


def merged(rows: Sequence[UsageRow]) -> Sequence[UsageRow]:
    """Add up the rows that share a key (everything but the counts), each key in the place it was first seen in."""
    if len({row[:7] for row in rows}) == len(rows):
        return rows
    found: dict[tuple[object, ...], UsageRow] = {}
    for row in rows:
        seen = found.get(row[:7])
        found[row[:7]] = row if seen is None else UsageRow._make((*row[:7], *map(add, seen[7:], row[7:])))
    return list(found.values())


@contextmanager
def keeping_everything() -> Iterator[None]:
    """Make many rows without a search for garbage among them every 700: there is none, and it takes half the time.

    Whoever found the search on puts it on again, so that it is on in the end however many threads do this at once.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
