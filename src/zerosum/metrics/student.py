"""How wide an interval from few values has to be."""


def student(freedom: int) -> float:
    """How many standard errors a 95% interval reaches to either side, by Student's t; 0 without any freedom."""
    from scipy.stats import t

    return float(t.ppf(0.975, freedom)) if freedom > 0 else 0.0
