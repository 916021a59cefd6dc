"""What a message says about its own way to the reader, when that was not the usual one."""

from __future__ import annotations

from blocks import kit
from locales import Translator


def again(t: Translator) -> kit.Block:
    """Slack did not say whether the first attempt arrived, and we may not look."""
    return kit.context(t.gettext(":repeat: Sent again: the first attempt may have reached you as well."))


def directly(channel_id: str, t: Translator) -> kit.Block:
    """The channel did not take it."""
    return kit.context(
        t.gettext(
            "You get this directly because the bot cannot post in {channel}. Invite it there, and the next one "
            "stands in the channel.",
            channel=f"<#{channel_id}>",
        )
    )
