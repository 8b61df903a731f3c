"""What the bits of a run depend on besides its recipe, data and seed: versions of libraries, and the processor."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import zerosum

LIBRARIES = ("torch", "numpy", "pillow")  # arithmetic; and the decoding of images
VECTORS = ("avx", "amx", "fma", "sve", "neon", "asimd", "bf16")  # how names of instructions begin that change sums
Environment = dict[str, Any]


def describe_environment(device: torch.device) -> Environment:
    """Return what `run.json` says of this machine and installation.

    Its keys: `commit`, the state of the source if it is a git checkout; `versions` of the libraries; `processor`, the
    GPU's name or the CPU's vector instructions.
    """
    return {"commit": _find_commit(), "versions": list_versions(), "processor": _describe_processor(device)}


def list_versions() -> dict[str, str]:
    """Return the versions of Python, zerosum and the libraries that bits depend on, by name."""
    return {"python": platform.python_version(), **{name: version(name) for name in ("zerosum", *LIBRARIES)}}


def compare(before: Environment, now: Environment) -> list[str]:
    """List in words what is other now than it was before, of what bits depend on; what was not noted is passed over."""
    changes = [
        f"{name} {now['versions'][name]} instead of {old}"
        for name, old in before.get("versions", {}).items()
        if name in LIBRARIES and old != now["versions"][name]
    ]
    old, new = before.get("processor"), now["processor"]
    if old is not None and old != new:
        changes.append("another processor" + _compare_instructions(old.split(), new.split()))
    return changes


def _compare_instructions(old: list[str], new: list[str]) -> str:
    lost, gained = sorted(set(old) - set(new)), sorted(set(new) - set(old))
    words = [f"without {' '.join(lost)}"] if lost else []
    words += [f"with {' '.join(gained)}"] if gained else []
    return f", {' and '.join(words)}" if words else ""


def _describe_processor(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    known: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # not in torch 2.10
    features = sorted(name for name, there in known.items() if there is True and name.startswith(VECTORS))
    return " ".join(features) or torch.backends.cpu.get_cpu_capability()


def _find_commit() -> str | None:
    """Return the commit of the checkout that this code lies in, if it does, and whether files were changed."""
    root = Path(zerosum.__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        call = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        done = subprocess.run(call, capture_output=True, text=True, timeout=5, check=True)  # noqa: S603  # fixed words
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
