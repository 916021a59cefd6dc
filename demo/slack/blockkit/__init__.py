"""Block Kit, checked as Slack checks it: `check(blocks, surface)` and `check_view(view)`, pure functions."""

from __future__ import annotations

from demo.slack.blockkit.checker import check, check_view, too_large
from demo.slack.blockkit.node import Problem, Surface

__all__ = ["Problem", "Surface", "check", "check_view", "too_large"]
