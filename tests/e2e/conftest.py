"""The stages every end-to-end test may ask for."""

from __future__ import annotations

from tests.e2e.stages import quick_stage, stage

__all__ = ["quick_stage", "stage"]
