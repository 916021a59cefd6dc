"""The weekly one-tap rating of projects that record no outcomes: was it worth its money?"""

from __future__ import annotations

from typing import Protocol

from blocks import kit
from finops.periods import Period
from locales import Translator


class Rated(Protocol):
    """What is to be rated: a finops.digest.DigestProject is one."""

    @property
    def project_id(self) -> int: ...

    @property
    def name(self) -> str: ...


def rating_block(project: Rated, week: Period, t: Translator) -> list[kit.Block]:
    """The question about one project and its three buttons (two blocks): anybody who reads it may answer."""
    raise NotImplementedError
