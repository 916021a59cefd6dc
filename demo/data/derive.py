"""Derive the demo trace from the published ServeGen trace: `python -m demo.data.derive SOURCE.csv.gz`.

See ATTRIBUTION.md for what is real here (the shape of every hour), what is scaled and what is made up.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from demo.billing import spent
from demo.prices import Rates
from demo.trace import CACHED, NOTHING, REQUIRED, Series, Usage, read_trace

TARGET = Path(__file__).parent / "trace.csv.gz"
SOURCE_DAYS, REPEATED = 14, 5
# The source starts at midnight of its own (Chinese) working day, ours ends at 00:00 UTC, which is 09:00 in Seoul:
# turned by nine hours, the office hours of the source are office hours in Seoul.
TURN_HOURS = 9
MODELS = {"m-large": "gpt-4o-2024-08-06", "m-small": "gpt-4o-mini-2024-07-18"}
RATES = {
    "m-large": Rates(Decimal("2.5"), Decimal("1.25"), Decimal(10)),
    "m-small": Rates(Decimal("0.15"), Decimal("0.075"), Decimal("0.6")),
}


class Cast(NamedTuple):
    """One application: the client whose traffic it plays, its dollars a day, and its (synthetic) cached share."""

    application: str
    client: str
    dollars_a_day: int
    cached_percent: int


CAST = (
    Cast("ad-copy-writer", "m-large-client-095", 45, 0),
    Cast("chatbot-experiment", "m-large-client-048", 50, 22),
    Cast("code-review-bot", "m-large-client-037", 80, 38),
    Cast("doc-summary", "m-large-client-049", 95, 12),
    Cast("fraud-check", "m-small-client-039", 30, 30),
    Cast("meeting-notes", "m-large-client-083", 40, 8),
    Cast("search-assistant", "m-large-client-056", 130, 26),
    Cast("search-assistant", "m-small-client-029", 15, 10),
    Cast("translation-api", "m-small-client-036", 60, 5),
    Cast("voc-classifier", "m-small-client-031", 30, 0),
)


def derive(source: Path) -> list[tuple[int | str, ...]]:
    """The rows of the demo trace, ordered by application: repeats lie close together and compress well."""
    clients = {one.application: one for one in read_trace(source).series}
    rows: list[tuple[int | str, ...]] = []
    for role in CAST:
        client = clients[role.client]
        fortnight = _scaled(client, role)
        for hour in range(SOURCE_DAYS * 24 * REPEATED):
            usage = fortnight.get(hour % (SOURCE_DAYS * 24))
            if usage is not None:
                counts = (usage.requests, usage.input, usage.output, usage.cached)
                rows.append((hour, role.application, MODELS[client.model], *counts))
    return rows


def _scaled(client: Series, role: Cast) -> dict[int, Usage]:
    """The client's fortnight, turned to Seoul's day and scaled to the dollars its role spends."""
    whole, turned = NOTHING, {}
    for hour, usage in client.hours.items():
        cached = usage.input * role.cached_percent * _wobble(hour) // 10_000
        turned[(hour - TURN_HOURS) % (SOURCE_DAYS * 24)] = told = usage._replace(
            uncached=usage.input - cached, cached=cached
        )
        whole = whole.plus(told)
    scale = role.dollars_a_day * SOURCE_DAYS / spent(whole, RATES[client.model])
    parts_per_million = int(scale * 1_000_000)
    scaled = {hour: usage.scaled(parts_per_million, 1_000_000) for hour, usage in sorted(turned.items())}
    return {hour: usage for hour, usage in scaled.items() if usage.requests}


def _wobble(hour: int) -> int:
    """Between 85 and 115: cache hits are never the same share twice."""
    return 85 + hour * 7919 % 31


def write(rows: list[tuple[int | str, ...]], target: Path) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*REQUIRED, CACHED))
    writer.writerows(rows)
    target.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write(derive(Path(sys.argv[1])), TARGET)
