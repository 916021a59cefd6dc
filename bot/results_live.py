"""What the bot answers about incidents: values, never words. blocks/ turns them into messages."""

from __future__ import annotations

from finops.incident_report import IncidentDetail as IncidentDetail  # named in what the bot answers
from finops.incident_report import IncidentShown as IncidentShown

__all__ = ["IncidentDetail", "IncidentShown"]
