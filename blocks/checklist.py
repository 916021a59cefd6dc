"""The check-list on Home: the way from nothing to the first chart, with the next step under the thumb."""

from __future__ import annotations

from blocks import ids, kit, trials
from finops.figures import SetupProgress, SetupStep
from locales import Translator

Parts = list[kit.Block | kit.Either]


def is_over(setup: SetupProgress, *, is_admin: bool) -> bool:
    """Whether nothing of it is left for this reader: the test alert is an admin's to send."""
    return setup.next_step is SetupStep.DONE or (
        setup.next_step is SetupStep.TRIAL and setup.has_charges and not is_admin
    )


def parts(setup: SetupProgress, t: Translator, *, is_admin: bool, may_begin: bool, is_collecting: bool) -> Parts:
    """Its steps, what is done of them, and the button of the next for whoever `may_begin` it."""
    steps = [
        (SetupStep.TEAM, setup.has_team, t.gettext("Create a team"), t.gettext("name, lead and channel")),
        (SetupStep.KEY, setup.has_key, t.gettext("Register an Admin API key"), t.gettext("stored encrypted")),
        (
            SetupStep.PROJECTS,
            setup.has_projects,
            t.gettext("Choose projects"),
            t.gettext("found for you, no ids to type"),
        ),
        (SetupStep.TRIAL, setup.is_proved, t.gettext("Try an alert"), t.gettext("marked as a test, with one button")),
        (
            SetupStep.WAIT,
            setup.has_charges,
            t.gettext("See the first chart"),
            t.gettext("past costs are fetched at once"),
        ),
    ]
    done = sum(is_done for _, is_done, _, _ in steps)
    lines = [t.gettext("*Getting started · {done} of {total}*", done=done, total=len(steps))]
    for number, (step, is_done, label, detail) in enumerate(steps, start=1):
        if is_done:
            lines.append(f":white_check_mark: {number}. {label}")
        elif step is setup.next_step:
            lines.append(f":arrow_right: *{number}. {label}* — {detail}")
        else:
            lines.append(f":white_circle: {number}. {label}")
    return [
        kit.section("\n".join(lines)),
        *_below(setup, t, is_admin=is_admin, may_begin=may_begin, is_collecting=is_collecting),
        kit.divider(),
    ]


def _below(setup: SetupProgress, t: Translator, *, is_admin: bool, may_begin: bool, is_collecting: bool) -> Parts:
    is_set_up = setup.next_step in (SetupStep.TRIAL, SetupStep.WAIT)
    below: Parts = (
        [kit.context(_waiting(t, is_collecting=is_collecting))] if is_set_up and not setup.has_charges else []
    )
    if setup.next_step is SetupStep.TRIAL and is_admin and setup.team_id is not None:
        below.append(kit.actions(trials.send_button(setup.team_id, t, is_primary=True)))
    elif not is_set_up and may_begin:
        below.append(kit.actions(kit.button(_step_button(setup, t), ids.SETUP_NEXT, style="primary")))
    elif not is_set_up:
        below.append(kit.context(t.gettext("An admin finishes the set-up; figures appear here as soon as they exist.")))
    return below


def _waiting(t: Translator, *, is_collecting: bool) -> str:
    if is_collecting:
        return t.gettext("Costs are being collected. The first chart appears here by itself; there is nothing to do.")
    return t.gettext("Nothing has been charged yet. Cost data is collected every morning and appears here by itself.")


def _step_button(setup: SetupProgress, t: Translator) -> str:
    match setup.next_step:
        case SetupStep.KEY:
            return t.gettext("Register the key")
        case SetupStep.PROJECTS:
            return t.gettext("Choose projects")
        case _:
            return t.gettext("Start the set-up")
