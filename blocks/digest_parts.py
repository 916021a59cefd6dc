"""What every version of Monday's digest says the same way: whose week it is, how it moved, what each project bought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from finops.digest import Digest
from finops.figures import ScopeKind


@dataclass(frozen=True, slots=True)
class DigestKey:
    """Which digest a button asks for again: whose, and the Monday its week begins with."""

    kind: ScopeKind
    id: int | None
    week: date

    def __str__(self) -> str:
        return f"{self.kind}/{self.id or ''}/{self.week.isoformat()}"

    @classmethod
    def of(cls, digest: Digest) -> DigestKey:
        """The key of a digest."""
        return cls(digest.scope.kind, digest.scope.id, digest.week.start)

    @classmethod
    def parse(cls, value: str) -> DigestKey | None:
        """The key in a button's value; None when somebody sent something else."""
        kind, _, rest = value.partition("/")
        number, _, day = rest.partition("/")
        if kind not in set(ScopeKind) or not (number.isdecimal() or not number):
            return None
        try:
            return cls(ScopeKind(kind), int(number) if number else None, date.fromisoformat(day))
        except ValueError:
            return None
