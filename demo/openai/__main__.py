"""The simulated OpenAI on its own, for whoever wants to try a client: `python -m demo.openai [--trace FILE] …`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from demo.openai.server import SimulatedOpenAI
from demo.prices import ListPrices, PriceError, Prices, read_prices
from demo.trace import TraceError, read_trace

DEMO_TRACE = Path(__file__).parent.parent / "data" / "trace.csv.gz"


async def serve(trace: Path, prices: Path | None, port: int) -> None:
    """Serve until interrupted; one line of JSON on standard output says where and with which key."""
    known: Prices = ListPrices() if prices is None else read_prices(prices)
    openai = SimulatedOpenAI(read_trace(trace), known, lambda: datetime.now(UTC))
    await openai.start(port)
    try:
        sys.stdout.write(json.dumps({"url": openai.url, "admin_key": openai.admin_key}) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()
    finally:
        await openai.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo.openai", description="A simulated OpenAI on this machine.")
    parser.add_argument("--trace", type=Path, default=DEMO_TRACE, help="CSV, plain or gzipped (default: the demo's)")
    parser.add_argument("--prices", type=Path, help="CSV of prices (default: dated list prices)")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.trace, arguments.prices, arguments.port))
    except (TraceError, PriceError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
