"""Types that several modules share; pydantic checks their ranges."""

from typing import Annotated, Literal

from pydantic import Field

Shape = tuple[int, ...]  # of one sample: (C, H, W) or (d,)
Whole = Annotated[int, Field(ge=0, strict=True)]
Count = Annotated[int, Field(ge=1, strict=True)]
Size = Annotated[int, Field(ge=1, le=65_536, strict=True)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
BelowOne = Annotated[float, Field(ge=0, lt=1)]
Precision = Literal["auto", "float32", "bfloat16"]
OnNonfinite = Literal["stop", "rollback"]  # what a run does when a loss or a weight is no longer finite
StopWhen = Literal["never", "converged", "collapsed"]  # what ends a run before its time
