"""Learning: what was done about spending and what came of it, asked by a word or a button, or taken as a file."""

from __future__ import annotations

from blocks import learning
from finops.learning import exported
from handlers.filing import sent
from handlers.status import has_channel
from handlers.visit import Visit


async def ask(visit: Visit, words: str = "") -> None:
    """`/finops effect`"""
    del words
    await _answer(visit)


async def show(visit: Visit, value: str) -> None:
    """A button that asks; answered beside it, or in a window from Home."""
    del value
    if not has_channel(visit):
        await visit.loading()
    await _answer(visit)


async def export(visit: Visit, value: str) -> None:
    """Every action with its line of the ledger, as a file in this person's direct conversation."""
    del value
    t = await visit.words()
    if not has_channel(visit):
        await visit.in_place()
    found = await visit.bot.effects.evidence(await visit.person())
    name = f"finops-effect-{visit.bot.clock():%Y-%m-%d}.csv"
    if await sent(visit, name, exported(found), learning.file_words(len(found), t)):
        said = t.gettext("The file is in your direct messages with FinOps.")
    else:
        said = t.gettext("FinOps may not send files here (files:write).")
    await _answer(visit, replaces=True, notice=said)


async def _answer(visit: Visit, *, replaces: bool = False, notice: str | None = None) -> None:
    report = await visit.bot.effects.report(await visit.person())
    await visit.answer(learning.message(report, await visit.words(), notice), replaces=replaces)
