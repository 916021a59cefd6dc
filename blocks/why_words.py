"""Why it moved, in one sentence: what changed and by how much, and what that points to. One place for every surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from blocks import kit
from finops.money import Money
from finops.usage import Endpoint
from finops.why import Beside, Factor, Why, WhyKind, WhyPart
from finops.why_kind import length_change
from locales import Translator

_SAME = (Decimal("0.95"), Decimal("1.05"))
_SAYABLE = Decimal("0.0005")  # rounds to a tenth of a percent
_SAID_AS_TIMES = Decimal(2)
_WHOLE_FROM = 10
_COUNTED_TO = 10_000
Parts = Mapping[Factor, WhyPart]


def sentence(why: Why, t: Translator, *, is_first: bool = True) -> str:
    """The cause in one sentence of plain text (escape it for mrkdwn), also where there is none to tell.

    `is_first`: it begins a line, and so with a capital; behind a name or another fact it does not.
    """
    if why.kind in _WHOLE:
        return _WHOLE[why.kind](t) if is_first else _first_small(_WHOLE[why.kind](t))
    begun = _first_capital if is_first else _first_small
    parts = {part.factor: part for part in why.parts}
    told = [fact for fact in _FACTS[_MAIN[why.kind]](parts, t) if fact]
    if not told:
        return begun(_CONCLUSIONS[why.kind](t))
    points_to = [_CONCLUSIONS[why.kind](t)]
    if why.beside is not None:
        # As long as ever is what a suspicion of retries rests on; of any other cause, what moved is worth more.
        told = [*(told if why.kind is WhyKind.RETRY_LOOP else told[:1]), _beside(why.beside, parts, t)]
        points_to += _also(why.beside, t) if why.kind is not WhyKind.RETRY_LOOP else []
    # i18n: what changed, and what that points to
    said = t.gettext("{facts} → {cause}", facts=_listed(told, t), cause=_listed(points_to, t))
    # A model is spelled as its provider spells it.
    is_named = any(part.subject and said.startswith(kit.bare(part.subject)) for part in why.parts)
    return said if is_named else begun(said)


def conclusion(why: Why, t: Translator) -> str:
    """What it points to alone, as plain text: `Likely a retry loop`; '' where there is none to tell."""
    return "" if why.kind in _WHOLE else _first_capital(_CONCLUSIONS[why.kind](t))


def _listed(said: Sequence[str], t: Translator) -> str:
    whole = said[0]
    for other in said[1:]:
        whole = t.gettext("{fact}, {other}", fact=whole, other=other)
    return whole


def _beside(beside: Beside, parts: Parts, t: Translator) -> str:
    """What moved the cost of each request, or by how much it moved where nothing tells."""
    if beside.kind is not None and beside.part is not None and _is_seen(beside.part, t):
        found = _FACTS[_MAIN[beside.kind]]({**parts, beside.part.factor: beside.part}, t)
        if found and found[0]:
            return found[0]
    return moved(t.pgettext("why", "cost per request"), beside.change, t)


def _is_seen(part: WhyPart, t: Translator) -> bool:
    """Whether a reader sees that it moved: of a share of 99.2% and one of 99.6% nobody does."""
    is_share = part.factor in (Factor.MODEL_MIX, Factor.CACHE, Factor.TIER)
    return not is_share or part.before is None or part.now is None or t.share(part.before) != t.share(part.now)


def _also(beside: Beside, t: Translator) -> list[str]:
    """What that points to, beside the requests."""
    if beside.kind is None:
        return []
    return [_ALSO.get(beside.kind, _CONCLUSIONS[beside.kind])(t)]


def times(factor: Decimal | None, t: Translator) -> str:
    """A factor as people say it: 15, 3.2, 0.8; beyond ten thousand nobody counts."""
    if factor is None:
        return "-"
    if factor > _COUNTED_TO:
        return f"{t.number(_COUNTED_TO)}+"
    if factor >= _WHOLE_FROM:
        return t.number(factor)
    return f"{factor.quantize(Decimal('0.1'))}".removesuffix(".0")


def moved(what: str, change: Decimal | None, t: Translator, *, is_cause: bool = False) -> str:
    """How something changed, as people say it: fifteen times, up 12%, unchanged; '' where nobody can tell.

    A cause is never called unchanged, however little it moved: it moved the bill.
    """
    if change is None:
        return ""
    if _SAME[0] <= change <= _SAME[1] and not (is_cause and abs(change - 1) >= _SAYABLE):
        # i18n: {what} is one of: requests, tokens per request, …
        return t.gettext("{what} unchanged", what=what)
    if change > _COUNTED_TO:
        return t.gettext("{what} more than ×{times}", what=what, times=t.number(_COUNTED_TO))
    if change >= _SAID_AS_TIMES:
        return t.gettext("{what} ×{times}", what=what, times=times(change, t))
    # A little is told to a tenth of a percent, and so is what is left of nearly nothing.
    places = 1 if change < Decimal("0.01") or _SAME[0] <= change <= _SAME[1] else 0
    if change > 1:
        return t.gettext("{what} up {percent}", what=what, percent=t.percent(change - 1, places))
    return t.gettext("{what} down {percent}", what=what, percent=t.percent(1 - change, places))


def factor_name(factor: Factor, t: Translator) -> str:
    """What a cost is made of, as a row of a table is headed."""
    return _first_capital(_NOUNS[factor](t))


def endpoint_name(endpoint: str | None, t: Translator) -> str:
    """What is bought without tokens, as people call it; as the provider spells it where we do not know it."""
    known = _TOOLS.get(endpoint or "")
    return known(t) if known is not None else kit.bare(endpoint or "-")


def _first_capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _first_small(text: str) -> str:
    return text[:1].lower() + text[1:]


def _requests(parts: Parts, t: Translator, *, is_cause: bool = False) -> str:
    part = parts.get(Factor.REQUESTS)
    if part is None:
        return ""
    if part.subject is not None:
        what = t.gettext("{model} requests", model=kit.bare(part.subject))
        return moved(what, part.change, t, is_cause=is_cause)
    return moved(_NOUNS[Factor.REQUESTS](t), part.change, t, is_cause=is_cause)


def _asked(parts: Parts, t: Translator) -> list[str]:
    return [_requests(parts, t, is_cause=True), moved(t.pgettext("why", "tokens per request"), length_change(parts), t)]


def _longer(factor: Factor) -> Callable[[Parts, Translator], list[str]]:
    def told(parts: Parts, t: Translator) -> list[str]:
        part = parts.get(factor)
        return [moved(_NOUNS[factor](t), part.change if part else None, t, is_cause=True), _requests(parts, t)]

    return told


def _share(factor: Factor, what: Callable[[Translator], str]) -> Callable[[Parts, Translator], list[str]]:
    def told(parts: Parts, t: Translator) -> list[str]:
        part = parts.get(factor)
        return [_from_to(what(t), part, t) if part else "", _requests(parts, t)]

    return told


def _from_to(what: str, part: WhyPart, t: Translator) -> str:
    if part.before is None or part.now is None:
        return ""
    before, now = t.share(part.before), t.share(part.now)
    # i18n: {what} is a share: of cached input, of batch, of a model
    return t.gettext("{what} from {before} to {now}", what=what, before=before, now=now)


def _mix(parts: Parts, t: Translator) -> list[str]:
    part = parts.get(Factor.MODEL_MIX)
    if part is None or part.subject is None:
        return [_requests(parts, t)]
    what = t.gettext("{model} share of requests", model=kit.bare(part.subject))
    return [_from_to(what, part, t), _requests(parts, t)]


def _tier(parts: Parts, t: Translator) -> list[str]:
    part = parts.get(Factor.TIER)
    subject = part.subject if part is not None else None
    more = t.gettext("more in tier {tier}", tier=kit.bare(subject)) if subject else ""
    return [more, _requests(parts, t)]


def _price(parts: Parts, t: Translator) -> list[str]:
    part = parts.get(Factor.PRICE)
    return [moved(_NOUNS[Factor.PRICE](t), part.change if part else None, t, is_cause=True)]


def _tools(parts: Parts, t: Translator) -> list[str]:
    part = parts.get(Factor.TOOLS)
    if part is None or part.subject is None:
        return []
    amount = t.money(Money(abs(part.amount.amount), part.amount.currency))
    name = endpoint_name(part.subject, t)
    if part.amount.amount > 0:
        return [t.gettext("{what} {amount} more", what=name, amount=amount)]
    return [t.gettext("{what} {amount} less", what=name, amount=amount)]


_WHOLE: Mapping[WhyKind, Callable[[Translator], str]] = {
    WhyKind.BEGUN: lambda t: t.gettext("Nothing was spent before → new spending"),
    WhyKind.ENDED: lambda t: t.gettext("Nothing is spent any more → spending has ended"),
    WhyKind.UNCHANGED: lambda t: t.gettext("About the same as before"),
    WhyKind.UNKNOWN: lambda t: t.gettext("Usage does not tell enough to say why"),
}
_NOUNS: Mapping[Factor, Callable[[Translator], str]] = {
    Factor.REQUESTS: lambda t: t.pgettext("why", "requests"),
    Factor.INPUT_LENGTH: lambda t: t.pgettext("why", "input tokens per request"),
    Factor.OUTPUT_LENGTH: lambda t: t.pgettext("why", "output tokens per request"),
    Factor.MODEL_MIX: lambda t: t.pgettext("why", "mix of models"),
    Factor.CACHE: lambda t: t.pgettext("why", "cached input"),
    Factor.TIER: lambda t: t.pgettext("why", "batch and tier"),
    Factor.PRICE: lambda t: t.pgettext("why", "price of the same usage"),
    Factor.TOOLS: lambda t: t.pgettext("why", "tools and storage"),
    Factor.UNEXPLAINED: lambda t: t.pgettext("why", "not told by usage"),
}
_MAIN: Mapping[WhyKind, Factor | WhyKind] = {
    WhyKind.RETRY_LOOP: Factor.REQUESTS,
    WhyKind.MORE_TRAFFIC: Factor.REQUESTS,
    WhyKind.LESS_TRAFFIC: Factor.REQUESTS,
    WhyKind.LONGER_PROMPTS: Factor.INPUT_LENGTH,
    WhyKind.SHORTER_PROMPTS: Factor.INPUT_LENGTH,
    WhyKind.LONGER_ANSWERS: Factor.OUTPUT_LENGTH,
    WhyKind.SHORTER_ANSWERS: Factor.OUTPUT_LENGTH,
    WhyKind.DEARER_MODEL: Factor.MODEL_MIX,
    WhyKind.CHEAPER_MODEL: Factor.MODEL_MIX,
    WhyKind.LOST_CACHE: Factor.CACHE,
    WhyKind.GAINED_CACHE: Factor.CACHE,
    WhyKind.BATCH_OFF: WhyKind.BATCH_OFF,
    WhyKind.BATCH_ON: WhyKind.BATCH_OFF,
    WhyKind.DEARER_TIER: Factor.TIER,
    WhyKind.CHEAPER_TIER: Factor.TIER,
    WhyKind.DEARER_PRICE: Factor.PRICE,
    WhyKind.CHEAPER_PRICE: Factor.PRICE,
    WhyKind.MORE_TOOLS: Factor.TOOLS,
    WhyKind.FEWER_TOOLS: Factor.TOOLS,
}
_FACTS: Mapping[Factor | WhyKind, Callable[[Parts, Translator], list[str]]] = {
    Factor.REQUESTS: _asked,
    Factor.INPUT_LENGTH: _longer(Factor.INPUT_LENGTH),
    Factor.OUTPUT_LENGTH: _longer(Factor.OUTPUT_LENGTH),
    Factor.MODEL_MIX: _mix,
    Factor.CACHE: _share(Factor.CACHE, _NOUNS[Factor.CACHE]),
    WhyKind.BATCH_OFF: _share(Factor.TIER, lambda t: t.pgettext("why", "batch share")),
    Factor.TIER: _tier,
    Factor.PRICE: _price,
    Factor.TOOLS: _tools,
}
_CONCLUSIONS: Mapping[WhyKind, Callable[[Translator], str]] = {
    WhyKind.RETRY_LOOP: lambda t: t.pgettext("why", "likely a retry loop"),
    WhyKind.MORE_TRAFFIC: lambda t: t.pgettext("why", "more traffic"),
    WhyKind.LESS_TRAFFIC: lambda t: t.pgettext("why", "less traffic"),
    WhyKind.LONGER_PROMPTS: lambda t: t.pgettext("why", "longer prompts"),
    WhyKind.SHORTER_PROMPTS: lambda t: t.pgettext("why", "shorter prompts"),
    WhyKind.LONGER_ANSWERS: lambda t: t.pgettext("why", "longer answers"),
    WhyKind.SHORTER_ANSWERS: lambda t: t.pgettext("why", "shorter answers"),
    WhyKind.DEARER_MODEL: lambda t: t.pgettext("why", "a more expensive model"),
    WhyKind.CHEAPER_MODEL: lambda t: t.pgettext("why", "a cheaper model"),
    WhyKind.LOST_CACHE: lambda t: t.pgettext("why", "prompt cache lost"),
    WhyKind.GAINED_CACHE: lambda t: t.pgettext("why", "prompt cache at work"),
    WhyKind.BATCH_OFF: lambda t: t.pgettext("why", "batch turned off"),
    WhyKind.BATCH_ON: lambda t: t.pgettext("why", "batch turned on"),
    WhyKind.DEARER_TIER: lambda t: t.pgettext("why", "a dearer service tier"),
    WhyKind.CHEAPER_TIER: lambda t: t.pgettext("why", "a cheaper service tier"),
    WhyKind.DEARER_PRICE: lambda t: t.pgettext("why", "a higher list price"),
    WhyKind.CHEAPER_PRICE: lambda t: t.pgettext("why", "a lower list price"),
    WhyKind.MORE_TOOLS: lambda t: t.pgettext("why", "more use of tools and storage"),
    WhyKind.FEWER_TOOLS: lambda t: t.pgettext("why", "less use of tools and storage"),
}
_ALSO: Mapping[WhyKind, Callable[[Translator], str]] = {
    WhyKind.DEARER_MODEL: lambda t: t.pgettext("why", "more of it on dearer models"),
    WhyKind.CHEAPER_MODEL: lambda t: t.pgettext("why", "more of it on cheaper models"),
}
_TOOLS: Mapping[str, Callable[[Translator], str]] = {
    Endpoint.IMAGES: lambda t: t.pgettext("why", "images"),
    Endpoint.AUDIO_SPEECHES: lambda t: t.pgettext("why", "speech"),
    Endpoint.AUDIO_TRANSCRIPTIONS: lambda t: t.pgettext("why", "transcription"),
    Endpoint.VECTOR_STORES: lambda t: t.pgettext("why", "vector storage"),
    Endpoint.CODE_INTERPRETER_SESSIONS: lambda t: t.pgettext("why", "code interpreter sessions"),
    Endpoint.FILE_SEARCH_CALLS: lambda t: t.pgettext("why", "file searches"),
    Endpoint.WEB_SEARCH_CALLS: lambda t: t.pgettext("why", "web searches"),
}
