"""The doctor's words about seeing a runaway: usage, estimates, prices, and whether alerts arrive in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from blocks import kit
from blocks.outages import provider_words
from blocks.spans import between, duration
from locales import Translator

# What no key of ours can mend, and what passes by itself.
_OF_THE_PROVIDER = frozenset({"rate_limited", "unavailable", "usage_unreadable"})


class Finding(Protocol):
    """What bot.doctor.examine returns."""

    @property
    def code(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def values(self) -> Mapping[str, object]: ...


def _name(f: Finding) -> str:
    return kit.name(str(f.values.get("name") or "-"))


def _number(f: Finding, key: str) -> int | float | None:
    given = f.values.get(key)
    return given if isinstance(given, int | float) else None


def _usage(f: Finding, t: Translator) -> str:
    name, age, late = _name(f), _number(f, "age_minutes"), _number(f, "lateness_seconds")
    if age is None:
        return t.gettext("The usage of *{connection}* has never been read. See its key: `/finops key`", connection=name)
    old = duration(max(1, age * 60), t)
    if f.level != "ok" and f.values.get("code") in _OF_THE_PROVIDER:
        return t.gettext(
            "The usage of *{connection}* was last read {age} ago, so today's estimate is old. {reason}",
            connection=name,
            age=old,
            reason=provider_words(str(f.values["code"]), f.values, t),
        )
    if f.level != "ok":
        return t.gettext(
            "The usage of *{connection}* was last read {age} ago, so today's estimate is old. See its key: "
            "`/finops key`",
            connection=name,
            age=old,
        )
    told = t.gettext("The usage of *{connection}* was read {age} ago.", connection=name, age=old)
    if late is None:
        return told
    usual = t.gettext("It usually arrives within {lateness}.", lateness=duration(late, t))
    return f"{told} {usual}"


def _unwatched(f: Finding, t: Translator) -> str:
    since, until = f.values.get("since"), f.values.get("until")
    if not isinstance(since, datetime) or not isinstance(until, datetime):
        if f.level == "ok":
            return t.gettext("FinOps itself was never away for long in the last 7 days.")
        return t.gettext("FinOps itself was away, and nobody looked meanwhile. The log says when it stopped.")
    told = t.gettext(
        "FinOps itself was last away from {since} to {until} {zone} ({duration}).",
        since=t.moment(since),
        until=t.moment(until),
        zone=t.zone_name(until),
        duration=between(since, until, t),
    )
    if f.level == "ok":
        return told
    return f"{told} " + t.gettext("See in its log why it was not running, or could not reach its database.")


def _drift(f: Finding, t: Translator) -> str:
    ratio, days = f.values.get("ratio"), f.values.get("days")
    if not isinstance(ratio, Decimal):
        if f.level == "ok":
            return t.gettext("No bill could be compared with the estimate of *{connection}* yet.", connection=_name(f))
        return t.gettext("The estimates of *{connection}* are far off its bills.", connection=_name(f))
    given = {
        "connection": _name(f),
        "error": signed(ratio - 1, t),
        "days": t.number(days if isinstance(days, int) else 0),
    }
    if given["error"] == signed(Decimal(0), t):
        return t.gettext("The bills of *{connection}* agree with our estimates of {days} days.", **given)
    if f.level == "ok":
        return t.gettext(
            "The bills of *{connection}* differ from our estimates by {error} over {days} days; the next estimates "
            "are corrected by that.",
            **given,
        )
    return t.gettext(
        "The bills of *{connection}* differ from our estimates by {error} over {days} days. See whether the prices in "
        "`FINOPS_PRICES` are up to date.",
        **given,
    )


def signed(ratio: Decimal, t: Translator) -> str:
    """A difference with its sign: +0.8%; what rounds to none has none."""
    percent = t.percent(ratio, 1)
    return f"+{percent}" if ratio > 0 and percent != t.percent(Decimal(0), 1) else percent


def _clocks(f: Finding, t: Translator) -> str:
    detected, available = _number(f, "detected_seconds"), _number(f, "available_seconds")
    if detected is None:
        if f.level == "ok":
            return t.gettext("No alert has been sent yet, so its speed is not measured.")
        return t.gettext("Alerts arrive late. See whether Slack limits us: the log says so.")
    if available is None:
        told = t.gettext("Alerts arrive within {detected} after we see the reason.", detected=duration(detected, t))
    else:
        told = t.gettext(
            "Alerts arrive within {detected} after we see the reason, {available} after the provider tells it.",
            detected=duration(detected, t),
            available=duration(available, t),
        )
    if f.level == "ok":
        return told
    late = t.gettext("Promised are 60 seconds and 5 minutes: see whether Slack limits us or the provider is late.")
    return f"{told} {late}"


def _outbox(f: Finding, t: Translator) -> str:
    waiting, dead = int(_number(f, "waiting") or 0), int(_number(f, "dead") or 0)
    told = []
    if waiting:
        told.append(
            t.ngettext(
                "{count} message is waiting for Slack, the oldest for {age}.",
                "{count} messages are waiting for Slack, the oldest for {age}.",
                waiting,
                age=duration(_number(f, "oldest_seconds") or 0, t),
            )
        )
    if dead:
        told.append(
            t.ngettext(
                "{count} message could be delivered to nobody.",
                "{count} messages could be delivered to nobody.",
                dead,
            )
        )
    if f.level == "ok":
        return " ".join(told) or t.gettext("No message is waiting for Slack.")
    told.append(t.gettext("See whether Slack can be reached and the bot is in its channels; the log names them."))
    return " ".join(told)


def _unpriced(f: Finding, t: Translator) -> str:
    names = f.values.get("names")
    given = [str(name) for name in names] if isinstance(names, Sequence) and not isinstance(names, str) else []
    if f.level == "ok" and not given:
        return t.gettext("Everything used today has a known price.")
    shown = ", ".join(f"`{kit.name(name)}`" for name in given[:5]) or "-"
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
    "unwatched": _unwatched,
}
