"""What keeps the audit trail as it was written: triggers of the database, the same promise on both.

Both ways to a database (storage.migrate) make exactly these. Revisions import them too, so what is here never changes:
another rule is another function and another revision. An offending statement fails with an IntegrityError.
"""

from __future__ import annotations

DIALECTS = ("sqlite", "postgresql")
TABLES = ("audit", "audit_heads")

_KEPT = "the audit trail is kept as it was written"
_GOES_ON = "the end of the audit trail only goes on"


def _aborting(name: str, when: str, why: str) -> str:
    return f"CREATE TRIGGER {name} BEFORE {when} BEGIN SELECT RAISE(ABORT, '{why}'); END"


_IS_THERE = "WHEN EXISTS (SELECT 1 FROM audit WHERE workspace_id = NEW.workspace_id AND seq = NEW.seq)"
_SQLITE = {
    "audit": (
        _aborting("audit_no_update", "UPDATE ON audit", _KEPT),
        _aborting("audit_no_delete", "DELETE ON audit", _KEPT),
        # INSERT OR REPLACE removes the old row without asking the trigger above.
        _aborting("audit_no_replace", f"INSERT ON audit {_IS_THERE}", _KEPT),
    ),
    "audit_heads": (
        _aborting("audit_heads_no_delete", "DELETE ON audit_heads", _GOES_ON),
        _aborting("audit_heads_no_return", "UPDATE ON audit_heads WHEN NEW.seq < OLD.seq", _GOES_ON),
    ),
}


def _refusing(function: str, why: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION USING MESSAGE = '{why}', ERRCODE = '23000'; END $$"
    )


_POSTGRESQL = {
    "audit": (
        _refusing("audit_refuse", _KEPT),
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    ),
    "audit_heads": (
        _refusing("audit_heads_refuse", _GOES_ON),
        "CREATE TRIGGER audit_heads_no_delete BEFORE DELETE ON audit_heads"
        " FOR EACH ROW EXECUTE FUNCTION audit_heads_refuse()",
        "CREATE TRIGGER audit_heads_no_truncate BEFORE TRUNCATE ON audit_heads"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_heads_refuse()",
        "CREATE TRIGGER audit_heads_no_return BEFORE UPDATE ON audit_heads"
        " FOR EACH ROW WHEN (NEW.seq < OLD.seq) EXECUTE FUNCTION audit_heads_refuse()",
    ),
}


def made(dialect: str, table: str) -> tuple[str, ...]:
    """The statements that guard a table that was just made."""
    return (_SQLITE if dialect == "sqlite" else _POSTGRESQL)[table]


def dropped(dialect: str, table: str) -> tuple[str, ...]:
    """The statements that remove what is left when a table, and its triggers with it, is gone."""
    return () if dialect == "sqlite" else (f"DROP FUNCTION IF EXISTS {table}_refuse()",)
