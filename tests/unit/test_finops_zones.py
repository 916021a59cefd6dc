"""Zones by name: what a machine does not know is no zone, whoever wrote it."""

from __future__ import annotations

import pytest

from finops.zones import zone_named


def test_a_zone_is_known_by_its_name() -> None:
    assert str(zone_named("Asia/Seoul")) == "Asia/Seoul"


@pytest.mark.parametrize("name", [None, "", "Mars/Olympus", "Asia", "../etc/passwd", "/etc/passwd", "서울"])
def test_what_names_no_zone_is_none(name: str | None) -> None:
    """Unknown, a folder of zones, a way out of their folder: each would raise something else."""
    assert zone_named(name) is None
