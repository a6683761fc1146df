"""The simulated study: same files and labels as the real one, with ground truth."""

from __future__ import annotations

from autophagy_assets.simulation.study import SimulatedStudy, simulate

__all__ = ["SimulatedStudy", "simulate"]
