"""Why a database cannot be opened, in sentences that say what to do about it."""

from __future__ import annotations

from sqlalchemy.engine import URL

# What PostgreSQL says of a statement, by its SQLSTATE.
_TO_DO = {
    "42501": "The role needs CREATE on the schema to make the tables, must own them to change them, and needs rights on"
    " each to use it; docs/operating.md has the statements, under Roles.",
    "3F000": "No schema of the role's search_path is there: make it, with CREATE SCHEMA … AUTHORIZATION the role.",
}
# Who cannot even connect is told no SQLSTATE, but the words of libpq, which are always English.
_TO_DO_FIRST = {
    "SSL was required": "Turn on TLS at the server or, where nobody else is on that network, end DATABASE_URL with"
    " ?sslmode=disable.",
    "protocol version": "A server that has no TLS 1.3 is reached with ?ssl_min_protocol_version=TLSv1.2 at the end of"
    " DATABASE_URL.",
    "session is read-only": "It is a standby, or its role or server only lets read: name the primary in DATABASE_URL.",
    "unsupported startup parameter": "A pooler is between: leave it out of DATABASE_URL, and set it with ALTER ROLE …"
    " SET.",
}


def place(url: URL) -> str:
    """Where a database is: without what follows the question mark, which may be a password too."""
    return url.set(query={}).render_as_string()


def why(problem: BaseException) -> str:
    """What the driver said, and what to do where it does not say so itself."""
    said = getattr(problem, "orig", None) or problem
    words = str(said).strip()
    if (to_do := _TO_DO.get(getattr(said, "sqlstate", None) or "")) is not None:
        words = words.splitlines()[0]  # the rest shows the place in a statement that is not the operator's
    else:
        to_do = next((each for sign, each in _TO_DO_FIRST.items() if sign in words), None)
    return words if to_do is None else f"{words}\n{to_do}"
