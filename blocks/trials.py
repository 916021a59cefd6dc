"""The test alert in words: the message in the channel, what became of it, and what to do where it did not arrive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from blocks import ids, kit
from blocks.spans import duration
from finops.registry import Team
from finops.trials import Trial, TrialState
from locales import Translator

_TO_THE_DIGIT = 10.0
_NOT_WELL = ":warning:"


class Finding(Protocol):
    """What bot.doctor.examine returns."""

    @property
    def level(self) -> str: ...
    @property
    def values(self) -> Mapping[str, object]: ...


def message(trial: Trial, t: Translator) -> kit.Message:
    """What stands in the channel: a button to press, and once it was pressed who did and how long both ways took."""
    marked = t.gettext("This is a test: no real spending.")
    asked = t.gettext("Asked for by {person}.", person=kit.mention(trial.asked_by))
    if trial.pressed_by is None:
        headline = t.gettext("Test alert")
        body = t.gettext(
            "*{marked}* Alerts of this team arrive here, and took the way this one took. Press the button to see "
            "whether clicks reach FinOps.",
            marked=marked,
        )
        button = kit.button(t.gettext("Finish the test"), ids.TRIAL_PRESS, trial.key, style="primary")
        parts = [kit.header(f"🧪 {headline}"), kit.section(body), kit.actions(button), kit.context(asked)]
        return kit.message(f"🧪 {headline}: {marked}", parts)
    headline = t.gettext("Test alert: it works")
    pressed = t.gettext("Pressed by {person} · {clock} {zone}",
        person=kit.mention(trial.pressed_by),
        clock=t.moment(trial.heard_at) if trial.heard_at else "-",
        zone=t.zone_name(trial.heard_at) if trial.heard_at else "",
    )  # fmt: skip
    lines = [f"*{marked}* {pressed}", *(f"• {one}" for one in _ways(trial, t))]
    parts = [kit.header(f"✅ {headline}"), kit.section("\n".join(lines)), kit.context(asked)]
    return kit.message(f"✅ {headline}. {marked}", parts)


def _ways(trial: Trial, t: Translator) -> list[str]:
    """Both ways, each with the clocks it was measured by."""
    there, back = trial.delivery_seconds, trial.click_seconds
    told = [
        t.gettext("Wanted → delivered in Slack: {time} (by FinOps' clock)", time=span(there, t))
        if there is not None
        else t.gettext("Wanted → delivered in Slack: not measured")
    ]
    if back is not None:
        told.append(t.gettext("Click → arrived at FinOps: {time} (from Slack's clock to ours)", time=span(back, t)))
    else:
        told.append(t.gettext("Click → arrived at FinOps: it arrived, but Slack's clock and ours are too far apart"))
    return told


def span(seconds: float, t: Translator) -> str:
    """A short time to the hundredth of a second, a longer one in whole seconds or minutes."""
    if seconds >= _TO_THE_DIGIT:
        return duration(seconds, t)
    return t.gettext("{seconds} s", seconds=f"{max(0.01, seconds):.2f}")


def answer(trial: Trial, t: Translator) -> kit.Message:
    """What the person who asked for it is told: where it stands, or why it does not and what to do."""
    sentence, sign = _fate(trial, t)
    parts = [kit.section(f"{sign} {sentence}")]
    if sign == _NOT_WELL:
        parts.append(kit.actions(send_button(trial.team_id, t, is_again=True)))
    return kit.message(sentence, parts)


def window(trial: Trial | None, t: Translator) -> kit.View:
    """The same in a window; None while it is on its way."""
    if trial is None:
        parts = [kit.section(t.gettext(":hourglass_flowing_sand: Sending the test alert…"))]
    else:
        parts = answer(trial, t).plain_blocks
    # i18n: title of a modal, 24 characters
    return kit.modal(t.gettext("Test alert"), parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def repeated(trial: Trial, t: Translator) -> kit.Message:
    """What somebody is told who presses after another, or again."""
    if trial.pressed_by is None or trial.heard_at is None:
        told = t.gettext("Somebody pressed this a moment ago; the message shows it shortly.")
    else:
        told = t.gettext(
            "{person} pressed this already, {moment} {zone}. The test is over.",
            person=kit.mention(trial.pressed_by),
            moment=t.moment(trial.heard_at),
            zone=t.zone_name(trial.heard_at),
        )
    return kit.line(told)


def send_button(team_id: int, t: Translator, *, is_again: bool = False, is_primary: bool = False) -> kit.Block:
    """The button that sends one to a team's channel."""
    label = t.gettext("Send it again") if is_again else t.gettext("Send a test alert")
    return kit.button(label, ids.TRIAL_SEND, team_id, style="primary" if is_primary else None)


def offer(team_id: int, t: Translator, *, is_proved: bool) -> list[kit.Block]:
    """The end of the set-up: one alert to try, with what it shows."""
    if is_proved:
        return [kit.actions(send_button(team_id, t))]
    why = t.gettext("*Now try an alert.* It is marked as a test, goes to the team's channel, and has one button.")
    return [kit.section(why), kit.actions(send_button(team_id, t, is_primary=True))]


def senders(teams: Sequence[Team], t: Translator) -> kit.Block | None:
    """A button for one team, a menu of several; None for nobody who could send any."""
    if not teams:
        return None
    if len(teams) == 1:
        return send_button(teams[0].id, t)
    return kit.select(
        ids.TRIAL_SEND, t.gettext("Send a test alert to…"), [kit.option(one.name, one.id) for one in teams]
    )


def _fate(trial: Trial, t: Translator) -> tuple[str, str]:
    channel = f"<#{trial.channel_id}>"
    if trial.state in (TrialState.DELIVERED, TrialState.PRESSED):
        told = t.gettext(
            "The test alert stands in {channel} after {time}. Press its button there: that proves the way back, too.",
            channel=channel,
            time=span(trial.delivery_seconds or 0.0, t),
        )
        return told, ":white_check_mark:"
    if trial.state is TrialState.WAITING:
        told = t.gettext(
            "The test alert for {channel} is on its way. Slack has not confirmed it yet; it appears there by itself.",
            channel=channel,
        )
        return told, ":hourglass_flowing_sand:"
    return not_delivered(channel, trial.trouble, t, is_given_up=trial.is_given_up, is_mailed=trial.is_mailed), _NOT_WELL


def not_delivered(channel: str, trouble: str | None, t: Translator, *, is_given_up: bool, is_mailed: bool) -> str:
    """Why it does not stand in its channel, what to do, and what happens without that."""
    told = [t.gettext("The test alert could not be delivered in {channel}.", channel=channel)]
    told.append(_REMEDIES.get(trouble or "", _unknown if _is_refusal(trouble) else _away)(channel, trouble or "-", t))
    if is_mailed:
        told.append(t.gettext("It went by e-mail, as a real alert would."))
    elif not is_given_up:
        told.append(t.gettext("FinOps goes on trying."))
    return " ".join(told)


def finding(f: Finding, t: Translator) -> str:
    """The doctor's line about it."""
    state, channel = str(f.values.get("state") or ""), f"<#{f.values.get('channel')}>"
    asked = f.values.get("at")
    at = f"{t.moment(asked)} {t.zone_name(asked)}" if isinstance(asked, datetime) else "-"
    if f.level == "ok" and not state:
        return t.gettext("A test alert was delivered and its button worked.")
    if state == TrialState.PRESSED:
        there, back = f.values.get("there"), f.values.get("back")
        if not isinstance(there, float) or not isinstance(back, float):
            return t.gettext("The last test alert stood in {channel}, and its click arrived ({at}).",
                             channel=channel, at=at)  # fmt: skip
        return t.gettext(
            "The last test alert stood in {channel} within {there}, and its click arrived within {back} ({at}).",
            channel=channel,
            there=span(there, t),
            back=span(back, t),
            at=at,
        )
    if state == TrialState.DELIVERED:
        told = t.gettext("A test alert stands in {channel} since {at}, and nobody pressed its button.",
                         channel=channel, at=at)  # fmt: skip
        return told if f.level == "ok" else f"{told} {_never(t)}"
    if state in (TrialState.TROUBLED, TrialState.GIVEN_UP):
        is_given_up = state == TrialState.GIVEN_UP
        trouble = f.values.get("trouble")
        return not_delivered(channel, None if trouble is None else str(trouble), t,
                             is_given_up=is_given_up, is_mailed=bool(f.values.get("is_mailed")))  # fmt: skip
    if state == TrialState.WAITING:
        return t.gettext("A test alert for {channel} has been on its way since {at}.", channel=channel, at=at)
    what = t.gettext("Send a test alert with the button below `/finops doctor` in Slack, and press the button it has.")
    return f"{_never(t)} {what}"


def _never(t: Translator) -> str:
    return t.gettext("No test alert has shown yet that buttons work.")


def _is_refusal(trouble: str | None) -> bool:
    """Whether Slack said no, rather than nothing: its words are lower case, errors of ours are classes."""
    return bool(trouble) and str(trouble).replace("_", "").islower() and not str(trouble).startswith("http_")


def _uninvited(channel: str, _: str, t: Translator) -> str:
    return t.gettext("FinOps is not in this channel. Write `/invite @FinOps` in {channel}.", channel=channel)


def _archived(_: str, __: str, t: Translator) -> str:
    return t.gettext("The channel is archived. Unarchive it, or choose another for the team: `/finops team`")


def _restricted(_: str, trouble: str, t: Translator) -> str:
    return t.gettext(
        "The channel does not let FinOps post ({error}). Allow it in the channel's posting permissions, or choose "
        "another for the team: `/finops team`",
        error=f"`{kit.name(trouble)}`",
    )


def _scope(_: str, __: str, t: Translator) -> str:
    return t.gettext("Slack does not grant FinOps to post (`chat:write`). Install the app again from its manifest.")


def _token(_: str, trouble: str, t: Translator) -> str:
    return t.gettext(
        "Slack refuses our token ({error}). Install the app again, or renew SLACK_BOT_TOKEN.",
        error=f"`{kit.name(trouble)}`",
    )


def _limited(_: str, __: str, t: Translator) -> str:
    return t.gettext("Slack asks us to speak more slowly just now; it follows by itself.")


def _away(_: str, __: str, t: Translator) -> str:
    return t.gettext("Slack does not answer just now; there is nothing to do but wait.")


def _unknown(_: str, trouble: str, t: Translator) -> str:
    return t.gettext("Slack refuses it: {error}. The log says more.", error=f"`{kit.name(trouble)}`")


Remedy = Callable[[str, str, Translator], str]
_BY_REMEDY: dict[Remedy, tuple[str, ...]] = {
    _uninvited: ("not_in_channel", "channel_not_found"),
    _archived: ("is_archived",),
    _restricted: (
        "restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel", "channel_is_limited_access", "ekm_access_denied",
    ),
    _scope: ("missing_scope", "no_permission"),
    _token: (
        "account_inactive", "invalid_auth", "not_authed", "not_allowed_token_type", "org_login_required",
        "team_access_not_granted", "token_expired", "token_revoked",
    ),
    _limited: ("ratelimited", "rate_limited", "paced"),
    _away: ("internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"),
}  # fmt: skip
_REMEDIES = {code: remedy for remedy, codes in _BY_REMEDY.items() for code in codes}
