"""What can go wrong with memory, one class per thing a caller would do something different about.

StorageError
├── AlreadyExists         the same thing is there already; `.existing_id` says which
├── NotFound              no such row in this workspace
├── Conflict              somebody changed it since we read it: read it again and decide anew
│   └── AlreadyHeld       a lever of this project is held already; `.existing_id` says by which hold
├── LeaseLost             another worker has taken this work over: stop, and write nothing more
├── AmountOutOfRange      an amount beyond what the ledger can hold exactly
├── DatabaseUnusable      the address is wrong, or the database is newer than this program
└── SecretError
    ├── MasterKeyInvalid  the master key itself is malformed
    └── SecretUnreadable  a sealed secret was moved, altered, or sealed with a key we do not have
"""

from __future__ import annotations


class StorageError(Exception):
    """Base of everything storage raises on purpose."""


class AlreadyExists(StorageError):
    """The same thing is there already."""

    def __init__(self, kind: str, name: str, existing_id: int | None = None) -> None:
        super().__init__(f"this {kind} exists already: {name}")
        self.kind = kind
        self.name = name
        self.existing_id = existing_id


class NotFound(StorageError):
    """There is no such row in this workspace (it may exist in another: nobody learns that from here)."""

    def __init__(self, kind: str, which: object) -> None:
        super().__init__(f"no {kind} {which} in this workspace")
        self.kind = kind
        self.which = which


class Conflict(StorageError):
    """Somebody changed it since it was read. Let the transaction roll back, read again and decide anew."""

    def __init__(self, kind: str, which: object) -> None:
        super().__init__(f"{kind} {which} was changed meanwhile")
        self.kind = kind
        self.which = which


class AlreadyHeld(Conflict):
    """An active hold of this lever of this project is there already: join it, do not set it twice."""

    def __init__(self, lever: str, project: str, existing_id: int | None) -> None:
        super().__init__(f"the lever {lever} of", project)
        self.lever = lever
        self.project = project
        self.existing_id = existing_id


class LeaseLost(StorageError):
    """Another worker holds this work now. Let the transaction roll back and stop."""


class AmountOutOfRange(StorageError):
    """An amount of more than 9.2 billion units, in one line or one day, cannot be kept exactly."""


class DatabaseUnusable(StorageError):
    """The database cannot be opened: the message says why and what to change, and holds no password."""


class SecretError(StorageError):
    """Something about sealed secrets; never says a secret."""


class MasterKeyInvalid(SecretError):
    """The master key is malformed. Raised before anything is served."""


class SecretUnreadable(SecretError):
    """A sealed secret cannot be opened: it was altered, moved to another row, or its key id is unknown."""
