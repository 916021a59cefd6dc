"""The runbook below an alert: what to do about a surge, in order, each step with a box that everybody sees ticked."""

from __future__ import annotations

from collections.abc import Callable

from blocks import ids, kit
from finops.runbooks import Runbook, RunbookStep
from locales import Translator

_BOX = "done"


def message(runbook: Runbook, t: Translator) -> kit.Message:
    """The steps as they stand in the thread; who ticked one, and when, stands below it."""
    head = t.gettext("🧭 Steps to take")
    done, whole = runbook.done_count, len(RunbookStep)
    # i18n: of the steps of a runbook
    count = t.gettext("{done} of {whole} done", done=t.number(done), whole=t.number(whole))
    put = t.gettext(
        "Put here by {person}. Whoever has done a step ticks it; everybody sees it.", person=kit.mention(runbook.by)
    )
    steps = [_step(runbook, step, number, t) for number, step in enumerate(RunbookStep, start=1)]
    return kit.message(f"{head} · {count}", [kit.section(f"*{head}* · {count}"), *steps, kit.context(put)])


def put(t: Translator) -> kit.Message:
    """To whoever asked for them, now or again."""
    return kit.line(t.gettext("The steps to take stand in the thread of the alert."))


def _step(runbook: Runbook, step: RunbookStep, number: int, t: Translator) -> kit.Block:
    title, how = (say(t) for say in _STEPS[step])
    state = runbook.states.get(step)
    lines = [f"*{number}. {title}*", how]
    if state is not None and state.is_done:
        lines.append(f"✅ {kit.mention(state.by)} · {t.moment(state.at)}")
    # i18n: beside a box to tick
    box = kit.option(t.pgettext("step", "Done"), _BOX)
    boxes: kit.Block = {"type": "checkboxes", "action_id": ids.INCIDENT_STEP, "options": [box]}
    if runbook.is_done(step):
        boxes["initial_options"] = [box]
    # Slack shows whoever clicked what they clicked for as long as the block has the same name: each turn has its own.
    turns = 0 if state is None else state.turns
    return kit.section("\n".join(lines), boxes, f"{runbook.incident_id}/{step.value}/{turns}")


def ticked(value: str) -> tuple[int, RunbookStep, bool] | None:
    """Whose step was ticked, or unticked, by the name of its block and what is chosen there; None of anything else."""
    incident_id, _, rest = value.partition("/")
    name, _, turn = rest.partition("/")
    if not kit.is_key(incident_id) or name not in set(RunbookStep):
        return None
    return int(incident_id), RunbookStep(name), turn.endswith(f"={_BOX}")


def title(step: str, t: Translator) -> str | None:
    """What a step is called; None of one that this version does not know."""
    return _STEPS[RunbookStep(step)][0](t) if step in set(RunbookStep) else None


_Words = Callable[[Translator], str]
_STEPS: dict[RunbookStep, tuple[_Words, _Words]] = {
    RunbookStep.TRACE: (
        lambda t: t.gettext("Find out where it comes from"),
        lambda t: t.gettext("[See details] of the alert shows which hours, models and keys cost most."),
    ),
    RunbookStep.CUT: (
        lambda t: t.gettext("Stop the calls that nobody needs"),
        lambda t: t.gettext(
            "Retry loops, forgotten batches, tests. Where that takes time, [Stop now] holds the spending meanwhile."
        ),
    ),
    RunbookStep.CHEAPEN: (
        lambda t: t.gettext("Make the rest cheaper"),
        lambda t: t.gettext(
            "Simple tasks to a smaller model, repeated input from the cache, what can wait through the Batch API."
        ),
    ),
    RunbookStep.PREVENT: (
        lambda t: t.gettext("Keep it from happening again"),
        lambda t: t.gettext("Check the limit, tell the cause, and name who sees to what until when."),
    ),
}
