"""Props: the secrets of one stage, kept for each database so that it can be opened again tomorrow."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from demo.openai import fresh_admin_key

VAR = Path(__file__).resolve().parent.parent / "var" / "demo"


@dataclass(frozen=True, slots=True)
class Props:
    """Keys of the simulated OpenAI and the ring the product seals them with. Worth nothing outside this machine."""

    ring: str
    data_team_key: str
    marketing_key: str
    usage_only_key: str
    other_organization_key: str
    revoked_key: str
    begun: str = ""  # the day on which a database was begun: its trace ends there, and is not moved the day after

    @classmethod
    def fresh(cls) -> Props:
        ring = f"demo:{base64.b64encode(secrets.token_bytes(32)).decode()}"
        ends = ("data", "abc1", "read", "othr", "gone")
        return cls(ring, *(fresh_admin_key(end) for end in ends))

    @classmethod
    def beside(cls, database_url: str, today: date) -> Props:
        """The props that belong to a database; made on first use, in a file only its owner reads."""
        name = hashlib.sha256(database_url.encode()).hexdigest()[:16]
        path = VAR / f"{name}.json"
        if path.exists():
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        props = replace(cls.fresh(), begun=str(today))
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written whole or not at all: a process killed here must not leave half a key ring behind.
        draft = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(props), file)
        try:
            path.hardlink_to(draft)
        except FileExistsError:  # another run on the same new database was first: its keys are everybody's
            props = cls(**json.loads(path.read_text(encoding="utf-8")))
        draft.unlink()
        return props
