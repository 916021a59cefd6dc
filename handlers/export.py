"""Export: the bill asked for in words, sent as a file where only the person who asked sees it."""

from __future__ import annotations

from blocks import export
from handlers.filing import sent
from handlers.visit import Visit


async def ask(visit: Visit, words: str) -> None:
    """`/finops export …`"""
    file, figure = await visit.bot.exporting.bill(await visit.person(), words)
    t = await visit.words()
    if file.content is None:
        told = export.no_file(file, figure, t)
    elif await sent(visit, file.name, file.content, export.file_words(file, figure, t)):
        told = export.sent(file, t)
    else:
        told = export.not_allowed(file, t)
    await visit.answer(told)
