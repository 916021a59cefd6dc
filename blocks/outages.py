"""Outages in words: what a provider, or Slack, did, what still holds, and whose turn it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from blocks import kit
from locales import Translator

Values = Mapping[str, object]
Words = Callable[[Values, Translator], str]


def provider_words(code: str, values: Values, t: Translator) -> str:
    """What a provider did, and whose turn it is."""
    words = OUTAGES.get(code)
    if words is None:
        return t.gettext("The provider could not be read. We keep trying.")
    return words(values, t)


def _limited(values: Values, t: Translator) -> str:
    wait = values.get("retry_after")
    if isinstance(wait, int | float) and wait > 0:
        return t.ngettext(
            "The provider asks us to slow down. We go on by ourselves in about {count} second.",
            "The provider asks us to slow down. We go on by ourselves in about {count} seconds.",
            max(1, round(wait)),
        )
    return t.gettext("The provider asks us to slow down. We go on by ourselves in a little while.")


def _nonsense(values: Values, t: Translator) -> str:
    if not values.get("pointer"):
        return t.gettext(
            "The provider answered in a form we do not understand. Nothing of it was stored; the amounts from before "
            "stand."
        )
    return t.gettext(
        "The provider answered in a form we do not understand (at {pointer}). Nothing of it was stored; the amounts "
        "from before stand.",
        pointer=f"`{kit.name(str(values['pointer']), 100)}`",
    )


# One entry for every bot.errors.OutageCode, and Slack's own; a test compares the two.
OUTAGES: dict[str, Words] = {
    "slack_away": lambda _, t: t.gettext(
        "Slack did not answer FinOps as it should. Nothing was changed halfway, but it may have been done: look before "
        "you do it again."
    ),
    "key_rejected": lambda _, t: t.gettext(
        "OpenAI no longer accepts the Admin key. Collecting goes on by itself once a new key is registered."
    ),
    "key_wrong_kind": lambda _, t: t.gettext(
        "OpenAI says this is not an Admin key. An Admin key (`sk-admin-`) is needed."
    ),
    "key_lacks_right": lambda v, t: t.gettext(
        "The Admin key lacks the permission {scope}. Add it in the OpenAI console; the key itself may stay.",
        scope=f"`{kit.name(str(v.get('scope') or '-'))}`",
    ),
    "key_address_refused": lambda _, t: t.gettext(
        "OpenAI refuses our network address. Add it to the organization's IP allowlist in the OpenAI console."
    ),
    "keys_disabled": lambda _, t: t.gettext(
        "Every key of this connection is disabled or deleted, so nothing is collected. Enable or register one to go on."
    ),
    "rate_limited": _limited,
    "unavailable": lambda _, t: t.gettext(
        "OpenAI does not answer at the moment. What was stored before is kept, and we keep trying."
    ),
    "unexpected_response": _nonsense,
    "usage_unreadable": lambda _, t: t.gettext(
        "OpenAI's bills can be read but today's usage cannot, so today cannot be estimated. Bills are collected as "
        "always, and we keep trying."
    ),
    "usage_late": lambda _, t: t.gettext(
        "OpenAI answers, but has told of no new usage for longer than it ever took. The estimate stands still until "
        "it does."
    ),
    "clock_skew": lambda _, t: t.gettext(
        "The clock of this machine and OpenAI's disagree, so the newest minutes cannot be placed. An operator sets the "
        "clock by a time server."
    ),
    "internal": lambda _, t: t.gettext(
        "Something broke on our side. What was stored before is kept, and we keep trying."
    ),
}
