"""Addresses of databases: what people paste is understood, what is unsafe is refused or said aloud."""

from __future__ import annotations

import logging

import pytest

from storage.engine import normalised, say_exceptions
from storage.errors import DatabaseUnusable


@pytest.mark.parametrize(
    ("pasted", "meant"),
    [
        ("sqlite:///finops.db", "sqlite+aiosqlite:///finops.db"),
        (" sqlite+aiosqlite:////var/finops.db\n", "sqlite+aiosqlite:////var/finops.db"),
        ("postgres://u:p@localhost/finops", "postgresql+psycopg://u:p@localhost/finops"),
        ("postgresql+asyncpg://u:p@127.0.0.1/finops", "postgresql+psycopg://u:p@127.0.0.1/finops"),
        ("postgresql://u@/finops?host=/run/postgresql", "postgresql+psycopg://u@/finops?host=%2Frun%2Fpostgresql"),
    ],
)
def test_pasted_addresses_reach_our_drivers(pasted: str, meant: str) -> None:
    """Whatever form a hosting provider prints, the same code runs."""
    assert normalised(pasted).render_as_string(hide_password=False) == meant


def test_a_server_over_the_network_is_spoken_to_in_tls_1_3() -> None:
    """Nobody has to remember it."""
    query = normalised("postgres://u:p@db.example.com/finops").query
    assert query == {"sslmode": "require", "ssl_min_protocol_version": "TLSv1.3"}


@pytest.mark.parametrize(
    "pasted",
    [
        "postgresql://u:p@/finops?hostaddr=192.0.2.1",
        "postgresql://u:p@/finops?host=/run/postgresql,db.example.com",
        "postgresql://u:p@localhost/finops?host=db.example.com",
        "postgresql://u:p@/finops?host=localhost&host=db.example.com",
        "postgresql:///finops",  # PGHOST may name one; a socket, which is meant else, ignores it
    ],
)
def test_wherever_in_the_address_a_server_is_named_it_is_spoken_to_in_tls_1_3(pasted: str) -> None:
    """libpq knows more places for it than the one before the path."""
    query = normalised(pasted).query
    assert (query["sslmode"], query["ssl_min_protocol_version"]) == ("require", "TLSv1.3")


def test_a_stricter_choice_of_the_operator_is_kept() -> None:
    """Verifying the certificate stays asked for."""
    query = normalised("postgresql://u:p@db.example.com/finops?sslmode=verify-full").query
    assert query == {"sslmode": "verify-full", "ssl_min_protocol_version": "TLSv1.3"}


def test_an_unencrypted_connection_must_be_asked_for_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """An exception is explicit, and visible afterwards."""
    address = normalised("postgresql://u:p@db/finops?sslmode=disable")
    assert address.query == {"sslmode": "disable"}
    with caplog.at_level(logging.WARNING):
        say_exceptions(address)
    assert "may be unencrypted" in caplog.text


def test_a_server_without_tls_1_3_must_be_asked_for_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """By the address alone, which is obeyed."""
    ours = normalised("postgresql://u:hunter2@db/finops")
    older = normalised("postgresql://u:hunter2@db/finops?ssl_min_protocol_version=TLSv1.2")
    assert ours.query["ssl_min_protocol_version"] == "TLSv1.3"
    assert older.query["ssl_min_protocol_version"] == "TLSv1.2"
    with caplog.at_level(logging.WARNING):
        say_exceptions(ours)
        assert not caplog.records
        say_exceptions(older)
    assert "may be older than TLS 1.3" in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("pasted", ["", "finops.db", "mysql://u:hunter2@h/x", "postgres//u:hunter2@h", "sqlite://"])
def test_an_unusable_address_is_refused_with_a_way_out_and_no_password(pasted: str) -> None:
    """The sentence shows a good address, not the bad one's password."""
    with pytest.raises(DatabaseUnusable, match=r"sqlite:///finops\.db") as refusal:
        normalised(pasted)
    assert "hunter2" not in str(refusal.value)
    assert "hunter2" not in str(refusal.value.__cause__)
