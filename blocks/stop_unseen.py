"""Why a stop cannot be confirmed: of which calls no usage could be read, and since when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from blocks.why_words import endpoint_name
from finops.incidents import instant_of
from finops.proof import CALLED
from finops.usage import Endpoint
from locales import Translator

_NAMED = 3


def unseen_words(values: Mapping[str, object], time: Callable[[datetime], str], t: Translator) -> str:
    """What could not be read and since when, as plain text. `values` are the facts of an UNPROVED event."""
    told = str(values.get("unread") or "").split(",")
    kinds = [Endpoint(one) for one in told if one in CALLED]
    if not kinds:  # of an event from before this was written down
        return t.gettext("usage cannot be seen, so it is not certain")
    since = instant_of(values.get("unread_since"))
    if set(kinds) == CALLED:
        if since is None:
            return t.gettext("usage was never read, so it cannot be confirmed")
        return t.gettext("usage could not be read since {time}, so it cannot be confirmed", time=time(since))
    if since is None:
        return t.gettext("usage of {kinds} was never read, so it cannot be confirmed", kinds=_names(kinds, t))
    return t.gettext(
        "usage of {kinds} could not be read since {time}, so it cannot be confirmed",
        kinds=_names(kinds, t), time=time(since),
    )  # fmt: skip


def _names(kinds: list[Endpoint], t: Translator) -> str:
    said = ", ".join(_KINDS[one](t) if one in _KINDS else endpoint_name(one, t) for one in kinds[:_NAMED])
    more = len(kinds) - _NAMED
    if more <= 0:
        return said
    return t.ngettext("{names} and {count} more kind", "{names} and {count} more kinds", more, names=said)


_KINDS: dict[Endpoint, Callable[[Translator], str]] = {
    Endpoint.COMPLETIONS: lambda t: t.pgettext("usage", "text"),
    Endpoint.EMBEDDINGS: lambda t: t.pgettext("usage", "embeddings"),
    Endpoint.MODERATIONS: lambda t: t.pgettext("usage", "moderation"),
}
