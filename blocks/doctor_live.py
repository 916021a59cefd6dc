"""The doctor's words about seeing a runaway: usage, estimates, prices, and whether alerts arrive in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import ceil
from typing import Protocol

from blocks import kit
from locales import Translator


class Finding(Protocol):
    """What bot.doctor.examine returns."""

    @property
    def code(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def values(self) -> Mapping[str, object]: ...


def duration(seconds: float, t: Translator) -> str:
    """A length of time in whole seconds, or in whole minutes from two minutes on; never nothing."""
    if seconds < 120:
        return t.ngettext("{count} second", "{count} seconds", max(1, ceil(seconds)))
    return t.ngettext("{count} minute", "{count} minutes", ceil(seconds / 60))


def _name(f: Finding) -> str:
    return kit.name(str(f.values.get("name") or "-"))


def _number(f: Finding, key: str) -> float | None:
    given = f.values.get(key)
    return float(given) if isinstance(given, int | float) else None


def _usage(f: Finding, t: Translator) -> str:
    name, age, late = _name(f), _number(f, "age_minutes"), _number(f, "lateness_seconds")
    if age is None:
        return t.gettext("The usage of *{connection}* has never been read.", connection=name)
    told = t.gettext(
        "The usage of *{connection}* was read {age} ago.", connection=name, age=duration(max(1.0, age * 60), t)
    )
    if late is None:
        return told
    usual = t.gettext("It usually arrives within {lateness}.", lateness=duration(late, t))
    return f"{told} {usual}"


def _drift(f: Finding, t: Translator) -> str:
    ratio = f.values.get("ratio")
    if not isinstance(ratio, Decimal):
        return t.gettext("No bill could be compared with the estimate of *{connection}* yet.", connection=_name(f))
    days = f.values.get("days")
    return t.gettext(
        "Estimates of *{connection}*: {error} off the bill over {days} days; the next ones are corrected by that.",
        connection=_name(f),
        error=signed_percent(ratio, t),
        days=t.number(days if isinstance(days, int) else 0),
    )


def signed_percent(billed_by_estimated: Decimal, t: Translator) -> str:
    """How far the bill is from the estimate: +0.8% when the bill was higher."""
    difference = billed_by_estimated - 1
    return f"{'+' if difference > 0 else ''}{t.percent(difference, 1)}"


def _clocks(f: Finding, t: Translator) -> str:
    detected, available = _number(f, "detected_seconds"), _number(f, "available_seconds")
    if detected is None:
        return t.gettext("No alert has been sent yet, so its speed is not measured.")
    sentence = t.gettext("Alerts arrive within {detected} after we see the reason", detected=duration(detected, t))
    if available is not None:
        sentence = t.gettext(
            "Alerts arrive within {detected} after we see the reason, {available} after the provider tells it",
            detected=duration(detected, t),
            available=duration(available, t),
        )
    return f"{sentence}."


def _outbox(f: Finding, t: Translator) -> str:
    waiting, dead = int(_number(f, "waiting") or 0), int(_number(f, "dead") or 0)
    if f.level == "ok" and not waiting:
        return t.gettext("No message is waiting for Slack.")
    told = t.ngettext(
        "{count} message is waiting for Slack, the oldest for {age}.",
        "{count} messages are waiting for Slack, the oldest for {age}.",
        waiting,
        age=duration(_number(f, "oldest_seconds") or 0, t),
    )
    if not dead:
        return told
    lost = t.ngettext(
        "{count} message could be delivered to nobody. See the log.",
        "{count} messages could be delivered to nobody. See the log.",
        dead,
    )
    return f"{told} {lost}" if waiting else lost


def _unpriced(f: Finding, t: Translator) -> str:
    names = f.values.get("names")
    given = [str(name) for name in names] if isinstance(names, Sequence) and not isinstance(names, str) else []
    if not given:
        return t.gettext("Everything used today has a known price.")
    shown = ", ".join(f"`{kit.name(name)}`" for name in given[:5])
    return t.gettext(
        "Used today without a known price, so left out of the estimate: {names}. Add them to `FINOPS_PRICES`.",
        names=shown,
    )


FINDINGS: dict[str, Callable[[Finding, Translator], str]] = {
    "usage": _usage,
    "drift": _drift,
    "alert_clocks": _clocks,
    "outbox": _outbox,
    "unpriced": _unpriced,
}
