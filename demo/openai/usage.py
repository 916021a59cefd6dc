"""Usage: what was asked of the models, in minutes, hours or days; completions from the trace, the rest quiet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from demo.openai.answers import Query
from demo.openai.behaviour import Behaviour
from demo.openai.buckets import Bucket, Page, page_of
from demo.openai.organization import Organization, Project
from demo.openai.traffic import Traffic
from demo.trace import NOTHING, Usage

WIDTH_LIMITS = {"1m": (60, 1440), "1h": (24, 168), "1d": (7, 31)}  # default and most
_CALLER = ("project_id", "user_id", "api_key_id")
MISSING_MINUTES = 15
# Projects looked through before others have their turn: a few milliseconds of minutes in which hardly anybody asked.
AT_ONCE = 200
_CALLER_FILTERS = ("project_ids", "user_ids", "api_key_ids")


@dataclass(frozen=True, slots=True)
class Family:
    """One usage endpoint: what may be grouped and filtered. `metrics` stand in its rows."""

    object: str
    group_by: tuple[str, ...]
    filters: tuple[str, ...]
    metrics: tuple[str, ...]


def _by_model(name: str, *metrics: str, group_by: tuple[str, ...] = (), filters: tuple[str, ...] = ()) -> Family:
    return Family(
        f"organization.usage.{name}.result",
        (*_CALLER, "model", *group_by),
        (*_CALLER_FILTERS, "models", *filters),
        (*metrics, "num_model_requests"),
    )


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "completions": _by_model(
            "completions", "input_tokens", "output_tokens", group_by=("batch", "service_tier"), filters=("batch",)
        ),
        "embeddings": _by_model("embeddings", "input_tokens"),
        "moderations": _by_model("moderations", "input_tokens"),
        "images": _by_model("images", "images", group_by=("size", "source"), filters=("sizes", "sources")),
        "audio_speeches": _by_model("audio_speeches", "characters"),
        "audio_transcriptions": _by_model("audio_transcriptions", "seconds"),
        "vector_stores": Family(
            "organization.usage.vector_stores.result", ("project_id",), ("project_ids",), ("usage_bytes",)
        ),
        "code_interpreter_sessions": Family(
            "organization.usage.code_interpreter_sessions.result", ("project_id",), ("project_ids",), ("num_sessions",)
        ),
        # The object names of these two differ from their paths, in the documentation and live.
        "file_search_calls": Family(
            "organization.usage.file_searches.result",
            (*_CALLER, "vector_store_id"),
            (*_CALLER_FILTERS, "vector_store_ids"),
            ("num_requests",),
        ),
        "web_search_calls": _by_model(
            "web_searches", "num_requests", group_by=("context_level",), filters=("context_levels",)
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Deed:
    """Usage that is not chat: a search, an image, stored files. `usd` is billed as `line_item` on its day."""

    family: str
    application: str
    minute: int
    counts: Mapping[str, int]
    model: str | None = None
    dimensions: dict[str, str] = field(default_factory=dict)
    line_item: str = ""
    usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """What a request to one of /organization/usage/* asks for."""

    family: Family
    page: Page
    group_by: tuple[str, ...]
    filters: Mapping[str, frozenset[str]]
    batch: bool | None

    @classmethod
    def read(cls, query: Query, family: Family, now: int) -> UsageQuery:
        width = query.choice("bucket_width", tuple(WIDTH_LIMITS), "1d")
        limit = query.limit(*WIDTH_LIMITS[width])
        arrays = [name for name in family.filters if name != "batch"]
        return cls(
            family,
            page_of(query, width, limit, now),
            query.choices("group_by", family.group_by),
            {name: frozenset(values) for name in arrays if (values := query.array(name))},
            query.flag("batch") if "batch" in family.filters else None,
        )

    def wants(self, name: str, value: str | None) -> bool:
        return name not in self.filters or value in self.filters[name]


@dataclass(frozen=True, slots=True)
class UsageBook:
    """Answers usage questions about one organization."""

    organization: Organization
    traffic: Traffic
    behaviour: Behaviour
    deeds: list[Deed] = field(default_factory=list)

    async def page(self, asked: UsageQuery, now_minute: int) -> dict[str, Any]:
        """One page. Of a thousand applications by the minute it takes seconds, in which Slack waits for its answer."""
        buckets: list[dict[str, Any]] = []
        looked = 0
        for bucket in self._told(asked, now_minute):
            buckets.append(self._bucket(asked, bucket, now_minute))
            looked += 1 + len(self.organization.projects)
            if looked >= AT_ONCE:
                await asyncio.sleep(0)  # the product and Slack live in this process, too
                looked = 0
        if self.behaviour.newest_first:
            buckets.reverse()
        following = asked.page.next_page
        return {"object": "page", "data": buckets, "has_more": following is not None, "next_page": following}

    def _told(self, asked: UsageQuery, now: int) -> Iterator[Bucket]:
        """The buckets of a page as a provider on a bad day tells them: some fresh ones missing, some twice."""
        every = self.behaviour.missing_every
        for bucket in asked.page.buckets:
            minute = bucket.minutes[0]
            if every and minute % every == 0 and now - minute <= MISSING_MINUTES:
                continue
            yield bucket
            if self.behaviour.repeat_buckets:
                yield bucket

    def _bucket(self, asked: UsageQuery, bucket: Bucket, now: int) -> dict[str, Any]:
        stamps = {}
        if self.behaviour.extra_keys:
            stamps = {
                "start_time_iso": datetime.fromtimestamp(bucket.start, UTC).isoformat(),
                "end_time_iso": datetime.fromtimestamp(bucket.end, UTC).isoformat(),
            }
        results = list(self._results(asked, bucket, now))
        told = {"object": "bucket", "start_time": bucket.start, "end_time": bucket.end}
        return told | stamps | {self.behaviour.bucket_key: results}

    def _results(self, asked: UsageQuery, bucket: Bucket, now: int) -> Iterator[dict[str, Any]]:
        if asked.family is not FAMILIES["completions"]:
            yield from self._side_results(asked, bucket, now)
            return
        groups: dict[tuple[tuple[str, Any], ...], Usage] = {}
        for project in self.organization.projects.values():
            if not self._wants(asked, project):
                continue
            for model in self.traffic.models_of(project.application):
                if not asked.wants("models", model):
                    continue
                for is_batch, usage in self.traffic.parts((project.application, model), *bucket.minutes, now):
                    if any(usage) and asked.batch in (None, is_batch):
                        group = self._dimensions(asked, project, model, {"batch": is_batch})
                        groups[group] = groups.get(group, NOTHING).plus(usage)
        for group, usage in groups.items():
            yield _completions(asked.family, usage, dict(group))

    def _side_results(self, asked: UsageQuery, bucket: Bucket, now: int) -> Iterator[dict[str, Any]]:
        """The rows of the families that the trace does not know, from what was added by hand."""
        family, (start, end) = asked.family, bucket.minutes
        groups: dict[tuple[tuple[str, Any], ...], dict[str, int]] = {}
        for deed in self.deeds:
            project = self.organization.named(deed.application)
            told = deed.dimensions | {"model": deed.model}
            seen_until = min(end, self.traffic.visible_until(now))
            is_wanted = self._wants(asked, project) and all(
                asked.wants(f"{name}s", value) for name, value in told.items() if name not in _CALLER
            )
            if FAMILIES[deed.family] is not family or not start <= deed.minute < seen_until or not is_wanted:
                continue
            counts = groups.setdefault(self._dimensions(asked, project, deed.model, deed.dimensions), {})
            for name, count in deed.counts.items():
                counts[name] = counts.get(name, 0) + count
        for group, counts in groups.items():
            yield {"object": family.object} | dict.fromkeys(family.metrics, 0) | counts | dict(group)

    def _wants(self, asked: UsageQuery, project: Project) -> bool:
        return (
            asked.wants("project_ids", project.id)
            and asked.wants("api_key_ids", project.main_key_id)
            and asked.wants("user_ids", self.organization.people[0]["id"])
        )

    def _dimensions(
        self, asked: UsageQuery, project: Project, model: str | None, others: Mapping[str, Any] = MappingProxyType({})
    ) -> tuple[tuple[str, Any], ...]:
        known: dict[str, Any] = {
            "project_id": project.id,
            "user_id": self.organization.people[0]["id"],
            "api_key_id": project.main_key_id,
            "model": model,
            "batch": False,
            "service_tier": "default",
            **others,
        }
        return tuple((name, known.get(name) if name in asked.group_by else None) for name in asked.family.group_by)


def _completions(family: Family, usage: Usage, dimensions: dict[str, Any]) -> dict[str, Any]:
    """One row of completions: text only, so the split fields follow from three counts."""
    return {
        "object": family.object,
        "input_tokens": usage.input,
        "input_cached_tokens": usage.cached,
        "input_cache_write_tokens": 0,
        "input_uncached_tokens": usage.uncached,
        "output_tokens": usage.output,
        "input_text_tokens": usage.uncached,
        "output_text_tokens": usage.output,
        "input_cached_text_tokens": usage.cached,
        "input_audio_tokens": 0,
        "input_cached_audio_tokens": 0,
        "output_audio_tokens": 0,
        "input_image_tokens": 0,
        "input_cached_image_tokens": 0,
        "output_image_tokens": 0,
        "num_model_requests": usage.requests,
        **dimensions,
    }
