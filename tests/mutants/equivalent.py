"""Mutants that no test can catch, by their names, each with the reason."""

EQUIVALENT: dict[str, str] = {
    "metrics/features/inception.py _Network.forward: 64 -> (65)": "a tap is 64, 192, 768 or 2,048",
    "run/checkpoint.py _optimizer_state: 1 -> (2)": "a name has one dot",
    "metrics/features/pixels.py Pixels.open: 0 -> (1)": "all samples of a source have one size, and it has several",
    "networks/efficientnet.py EfficientNetLite0.forward: F.relu6(self.stem((x * 127.5 + 0.5) / 128), inplace=True) -> "
    "(F.relu6(self.stem((x * 127.5 + 0.5) / 128)))": "the same values, in other memory",
}
