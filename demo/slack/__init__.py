"""A simulated Slack: strict, local, and honest about failures. Start with `SimulatedSlack`."""

from __future__ import annotations

from demo.slack.config import AppConfig, Command, SlackConfig
from demo.slack.journal import Call, Complaint, Delivery
from demo.slack.person import Person
from demo.slack.server import SimulatedSlack
from demo.slack.wire import ApiError

__all__ = [
    "ApiError",
    "AppConfig",
    "Call",
    "Command",
    "Complaint",
    "Delivery",
    "Person",
    "SimulatedSlack",
    "SlackConfig",
]
