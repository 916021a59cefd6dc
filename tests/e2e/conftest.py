"""The stages every end-to-end test may ask for."""

from __future__ import annotations

from tests.e2e.stages import beginning, begun, begun_together, quick_stage, quick_url, set_up_stage

__all__ = ["beginning", "begun", "begun_together", "quick_stage", "quick_url", "set_up_stage"]
