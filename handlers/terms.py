"""Terms: what a word means, asked by name or chosen from a menu."""

from __future__ import annotations

from blocks import terms
from handlers.visit import Visit


async def ask(visit: Visit, words: str = "") -> None:
    """`/finops term [word]`: what it means; alone, all there are."""
    await visit.person()
    t = await visit.words()
    term = terms.find(words)
    if term is not None:
        await visit.answer(terms.message(t, term))
    elif words:
        await visit.answer(terms.unknown(t, words))
    else:
        await visit.answer(terms.listed(t))


async def choose(visit: Visit, key: str) -> None:
    """An entry of the menu; one of a version that had other words answers with those there are."""
    t = await visit.words()
    term = terms.of_key(key)
    await visit.answer(terms.listed(t) if term is None else terms.message(t, term))
