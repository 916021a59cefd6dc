"""Stopping: what people decide about spending itself: stop it, let it go on, put it back, and say why it happened.

Who may is asked of the database at the moment of the click; of what a button carries only ids are believed, and those
are looked up in the workspace of whoever clicks.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.desk import Desk
from bot.people import People
from finops.levers import Lever
from finops.registry import Person
from finops.stop_report import ApprovalWish, BlastRadius, LeadDraft, StopShown, StopsListed, StopTarget


class Stopping:
    """Stops, approvals and restores, each through one click; what a provider has to do is done by bot.holding."""

    def __init__(self, desk: Desk, people: People) -> None:
        self._desk = desk
        self._people = people

    async def preview(self, actor: Person, target: StopTarget, groups: Iterable[str] = ()) -> BlastRadius:
        """What a stop would hit, asked of the database and the provider now. Refused for who may not stop it."""
        raise NotImplementedError

    async def request(
        self,
        actor: Person,
        target: StopTarget,
        lever: Lever,
        reason: str,
        groups: Iterable[str] = (),
        *,
        is_wide: bool = False,
    ) -> StopShown:
        """Take hold: of the target's project, or of all that `BlastRadius.team_projects` names.

        The same person twice is once; somebody else's stop in force is a refusal that names them.
        """
        raise NotImplementedError

    async def approve(
        self, actor: Person, target: StopTarget, wish: ApprovalWish, groups: Iterable[str] = ()
    ) -> StopShown | None:
        """Let spending go on; None where only the budget was changed. May only ask for the second person."""
        raise NotImplementedError

    async def approving(self, actor: Person, target: StopTarget, groups: Iterable[str] = ()) -> StopShown | None:
        """What the approval window says of a stop; None where nothing was stopped. Refused for who may not."""
        raise NotImplementedError

    async def restore(self, actor: Person, stop_id: int, groups: Iterable[str] = ()) -> StopShown:
        """Put everything back as it was, without condition; with two people, ask for the second."""
        raise NotImplementedError

    async def agree(self, actor: Person, stop_id: int, groups: Iterable[str] = ()) -> StopShown:
        """The second person agrees to what was asked for."""
        raise NotImplementedError

    async def decline(self, actor: Person, stop_id: int, groups: Iterable[str] = ()) -> StopShown:
        """The second person does not agree, or the first one takes it back."""
        raise NotImplementedError

    async def retry(self, actor: Person, stop_id: int, groups: Iterable[str] = ()) -> StopShown:
        """Try at once again what is in trouble."""
        raise NotImplementedError

    async def shown(self, workspace_id: str, stop_id: int) -> StopShown:
        """A stop as it stands, read now; refused when there is none."""
        raise NotImplementedError

    async def listed(self, actor: Person, groups: Iterable[str] = ()) -> StopsListed:
        """What this person may stop, and what is held."""
        raise NotImplementedError

    async def named(self, workspace_id: str, words: str) -> StopTarget:
        """The project or team called so; refused with suggestions."""
        raise NotImplementedError

    async def draft_for_lead(self, actor: Person, target: StopTarget) -> LeadDraft:
        """Facts for a message to whoever leads the project."""
        raise NotImplementedError

    async def message_to_lead(self, actor: Person, target: StopTarget, text: str) -> None:
        """Send the text to the lead directly, through the outbox, in the actor's name."""
        raise NotImplementedError

    async def pin_cause(self, actor: Person, target: StopTarget, text: str) -> None:
        """Keep somebody's explanation with the incident or the stop. For everybody who can see it."""
        raise NotImplementedError
