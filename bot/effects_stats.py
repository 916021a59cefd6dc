"""The library of statistics, behind one door: SciPy, loaded when the first effect is measured and not before."""

from __future__ import annotations

from collections.abc import Sequence

from finops.effects import Fit


class SciPy:
    """Least squares and Student's t as SciPy calculates them; see finops.effects.Statistics."""

    def fit(self, outcome: Sequence[float], columns: Sequence[Sequence[float]]) -> Fit:
        """Ordinary least squares by the singular values: columns that repeat others do no harm."""
        # Loading it takes most of a second, and most processes of ours never measure anything.
        from scipy import linalg

        u, s, vt = linalg.svd([list(row) for row in zip(*columns, strict=True)], full_matrices=False)
        rank = int((s > s[0] * 1e-10).sum())
        u, s, vt = u[:, :rank], s[:rank], vt[:rank]
        coefficients = vt.T @ ((u.T @ outcome) / s)
        residuals = outcome - (u * s) @ (vt @ coefficients)
        freedom = max(1, len(outcome) - rank)
        variance = float(residuals @ residuals) / freedom
        errors = (variance * ((vt.T / s) ** 2).sum(axis=1)) ** 0.5
        return Fit(coefficients.tolist(), errors.tolist(), residuals.tolist(), freedom)

    def critical(self, confidence: float, freedom: int) -> float:
        """The two-sided critical value of Student's t."""
        # The function that `scipy.stats.t.ppf` calls; the module around that one takes a second to load.
        from scipy import special

        return float(special.stdtrit(freedom, (1 + confidence) / 2))
