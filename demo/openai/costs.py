"""Costs: the bill, one row per charge day, project and line item, spelled digit by digit as the wire has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

from aiohttp import web

from demo.billing import bill
from demo.openai.answers import Query
from demo.openai.behaviour import Behaviour, NoProject, NumberSpelling
from demo.openai.buckets import Bucket, Page, page_of
from demo.openai.faults import CUT_OFF
from demo.openai.organization import Organization, Project
from demo.openai.traffic import Traffic
from demo.openai.usage import Deed
from demo.prices import Prices
from finops.money import EXACT

DIMENSIONS = ("project_id", "line_item", "api_key_id")
DEFAULT_LIMIT, MOST = 7, 180
SCALE_TIER, ADJUSTMENT = "Scale Tier", "adjustment"
_SPLIT = Decimal("0.3")


@dataclass(frozen=True, slots=True)
class Restatement:
    """A correction of one closed day: every amount times `factor`, then `delta` dollars on top."""

    day: date
    project_id: str | None  # None: every project of the organization
    factor: Decimal = Decimal(1)
    delta: Decimal = Decimal(0)


class Row(NamedTuple):
    """One row of a bucket before it is grouped and spelled."""

    project: Project | None
    api_key_id: str | None
    line_item: str
    quantity: int | None
    amount: Decimal


@dataclass(slots=True)
class Bill:
    """Everything that was billed to one organization, restatements included."""

    organization: Organization
    traffic: Traffic
    prices: Prices
    behaviour: Behaviour
    deeds: list[Deed]
    restatements: list[Restatement] = field(default_factory=list)

    def rows(self, bucket: Bucket, now: int, wanted: frozenset[str]) -> Iterator[Row]:
        """The rows of one bucket; `wanted` names the projects (none named: all, and what belongs to none)."""
        day = datetime.fromtimestamp(bucket.start, UTC).date()
        start, end = bucket.minutes
        if start >= self.traffic.visible_until(now) or end <= self.traffic.starts_at:
            return
        for project in self.organization.projects.values():
            if wanted and project.id not in wanted:
                continue
            corrections = [one for one in self.restatements if one.day == day and one.project_id in (None, project.id)]
            rows = self._project_rows(project, day, (start, end, now))
            yield from _corrected(rows, corrections, project) if corrections else rows
        tier = self.behaviour.organization_daily_usd
        if tier is not None and not wanted:
            yield Row(None, None, SCALE_TIER, None, tier)

    def _project_rows(self, project: Project, day: date, minutes: tuple[int, int, int]) -> Iterator[Row]:
        for model in self.traffic.models_of(project.application):
            key = (project.application, model)
            rates = self.prices.rates(model, day)
            if rates is None:
                continue
            for is_batch, usage in self.traffic.parts(key, *minutes):
                if not any(usage):
                    continue
                charged = rates.of_batch() if is_batch else rates
                for line in bill(model, usage, charged, tells_cached=self.traffic.tells_cached(key)):
                    name = f"batch | {line.line_item}" if is_batch else line.line_item
                    row = Row(project, project.main_key_id, name, line.quantity, line.amount)
                    yield from self._split(row) if self.behaviour.split_rows else (row,)

        start, end, now = minutes
        end = min(end, self.traffic.visible_until(now))
        for deed in self.deeds:
            if deed.application == project.application and deed.usd and start <= deed.minute < end:
                yield Row(project, project.main_key_id, deed.line_item, None, deed.usd)

    def _split(self, row: Row) -> tuple[Row, Row]:
        """The same line item twice, as happens in live answers; together they are the row."""
        part = EXACT.multiply(row.amount, _SPLIT)
        quantity = (row.quantity or 0) * 3 // 10
        first = Row(row.project, row.api_key_id, row.line_item, quantity, part)
        rest = EXACT.subtract(row.amount, part)
        return first, Row(row.project, row.api_key_id, row.line_item, (row.quantity or 0) - quantity, rest)


def _corrected(rows: Iterator[Row], corrections: list[Restatement], project: Project) -> Iterator[Row]:
    factor, delta = Decimal(1), Decimal(0)
    for one in corrections:
        factor, delta = EXACT.multiply(factor, one.factor), EXACT.add(delta, one.delta)
    for row in rows:
        yield Row(row.project, row.api_key_id, row.line_item, row.quantity, EXACT.multiply(row.amount, factor))
    if delta:
        yield Row(project, project.main_key_id, ADJUSTMENT, None, delta)


@dataclass(frozen=True, slots=True)
class CostsQuery:
    """What a request to /organization/costs asks for."""

    page: Page
    group_by: tuple[str, ...]
    projects: frozenset[str]
    keys: frozenset[str]

    @classmethod
    def read(cls, query: Query, behaviour: Behaviour, now: int) -> CostsQuery:
        query.choice("bucket_width", ("1d",), "1d")
        limit = query.limit(DEFAULT_LIMIT, MOST)
        return cls(
            page_of(query, "1d", limit, now, floors_start=behaviour.costs_floor_start, clips_end=False),
            query.choices("group_by", DIMENSIONS),
            frozenset(query.array("project_ids")),
            frozenset(query.array("api_key_ids")),
        )


class CostsSpeller:
    """Spells pages of costs. A page can be hundreds of megabytes, so it is told bucket by bucket."""

    def __init__(self, ledger: Bill, asked: CostsQuery, now_minute: int) -> None:
        self.ledger = ledger
        self.asked = asked
        self.now = now_minute
        self.behaviour = ledger.behaviour
        self._names: dict[str | None, str] = {}
        self._texts: dict[str, str] = {}

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Write the page as it is spelled; a request that a fault cuts off gets the beginning only."""
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for number, part in enumerate(self.parts()):
            if number and request.get(CUT_OFF):
                await response.write(part[: len(part) // 2])
                if request.transport is not None:
                    request.transport.close()
                return response
            await response.write(part)
        await response.write_eof()
        return response

    def parts(self) -> Iterator[bytes]:
        """The whole body in pieces, one bucket each."""
        yield b'{"object":"page","data":['
        buckets = self.asked.page.buckets
        for number, bucket in enumerate(reversed(buckets) if self.behaviour.newest_first else buckets):
            yield (("," if number else "") + self.bucket(bucket)).encode()
        following = self.asked.page.next_page
        yield f'],"has_more":{json.dumps(following is not None)},"next_page":{json.dumps(following)}}}'.encode()

    def bucket(self, bucket: Bucket) -> str:
        stamps = ""
        if self.behaviour.extra_keys:
            stamps = f'"start_time_iso":"{_iso(bucket.start)}","end_time_iso":"{_iso(bucket.end)}",'
        return (
            f'{{"object":"bucket","start_time":{bucket.start},"end_time":{bucket.end},{stamps}'
            f'"{self.behaviour.bucket_key}":[{",".join(self._results(bucket))}]}}'
        )

    def _results(self, bucket: Bucket) -> Iterator[str]:
        rows: Iterator[Row] = self.ledger.rows(bucket, self.now, self.asked.projects)
        if self.asked.keys:
            rows = (row for row in rows if row.api_key_id in self.asked.keys)
        group_by = self.asked.group_by
        if "project_id" in group_by and "line_item" in group_by:
            return map(self._spelled, rows)
        return map(self._spelled, _grouped(rows, group_by))

    def _spelled(self, row: Row) -> str:
        group_by = self.asked.group_by
        by_line = "line_item" in group_by
        line_item = self._text(row.line_item) if by_line else "null"
        by_project = "project_id" in group_by
        key = f'"{row.api_key_id}"' if "api_key_id" in group_by and row.api_key_id else "null"
        has_quantity = by_line and row.quantity is not None
        quantity = f'{row.quantity},"quantity_unit":"tokens"' if has_quantity else 'null,"quantity_unit":null'
        return (
            f'{{"object":"organization.costs.result","amount":{{"value":{self._number(row.amount)},"currency":"usd"}},'
            f'"line_item":{line_item},"project_id":{self._project(row.project, by_project=by_project)},'
            f'"api_key_id":{key},"quantity":{quantity}{self._extras(row.project, by_project=by_project)}}}'
        )

    def _text(self, text: str) -> str:
        """A JSON string; a bill repeats few texts very often."""
        spelled = self._texts.get(text)
        if spelled is None:
            spelled = self._texts[text] = json.dumps(text, ensure_ascii=False)
        return spelled

    def _number(self, amount: Decimal) -> str:
        spelled = "0E-6176" if self.behaviour.exponent_zero and not amount else format(amount, "f")
        return f'"{spelled}"' if self.behaviour.numbers is NumberSpelling.STRING else spelled

    def _project(self, project: Project | None, *, by_project: bool) -> str:
        if project is None or not by_project:
            is_empty = by_project and self.behaviour.organization_project is NoProject.EMPTY
            return '""' if is_empty else "null"
        return f'"{project.id}"'

    def _extras(self, project: Project | None, *, by_project: bool) -> str:
        """Keys live answers carry and no documentation names, a person's address among them."""
        if not self.behaviour.extra_keys:
            return ""
        known = project if by_project else None
        key = known.id if known else None
        if key not in self._names:
            organization, person = self.ledger.organization, self.ledger.organization.people[0]
            told = {
                "organization_id": organization.id,
                "organization_name": organization.name,
                "project_name": known.name if known else None,
                "user_id": person["id"] if known else None,
                "user_email": person["email"] if known else None,
                "api_source": None,
            }
            self._names[key] = "," + json.dumps(told, ensure_ascii=False)[1:-1]
        return self._names[key]


def _grouped(rows: Iterator[Row], group_by: tuple[str, ...]) -> Iterator[Row]:
    """Add up rows that differ only in what nobody asked to see."""
    found: dict[tuple[str | None, str | None, str | None], Row] = {}
    for row in rows:
        project = row.project if "project_id" in group_by else None
        key_id = row.api_key_id if "api_key_id" in group_by else None
        line_item = row.line_item if "line_item" in group_by else ""
        key = (project.id if project else None, key_id, line_item)
        seen = found.get(key)
        amount = row.amount if seen is None else EXACT.add(seen.amount, row.amount)
        quantity = row.quantity if seen is None else _added(seen.quantity, row.quantity)
        found[key] = Row(project, key_id, line_item, quantity, amount)
    return iter(found.values())


def _added(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
