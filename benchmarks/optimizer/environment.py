"""The peers in an environment of their own: their newest releases with torch for the CPU, made by this script.

What cannot be installed is left out by name and the rest goes on.  Each package is installed together with all
that went well before it, so that no lower bound is undone by a later one.

torch comes first.  For Linux on x86-64 PyPI has it for CUDA alone, with gigabytes of libraries without which it cannot
be imported; so pip is asked what it would install, and only if that names such libraries is PyTorch's own index of CPU
builds asked instead.  What is installed is then pinned to its exact version.  If there is no torch for the CPU, what
depends on it is left out as well, since installing that would bring the other one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path.home() / ".cache" / "nightshift" / "optimizer-peers"
TORCH = "torch>=2.6"
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"
OF_CUDA = ("nvidia-", "cuda-", "triton")  # how names of its libraries begin
ON_TORCH = ("botorch", "baybe")
PACKAGES = (
    "numpy>=2.0",
    "scipy>=1.13",
    "scikit-learn>=1.5",
    "botorch>=0.18",
    "baybe>=0.15",
    "physbo>=3.2",
    "optuna>=5.0",
    "scikit-optimize>=0.10",
)
INSTALL_S = 3600
ASK_VERSIONS = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def prepare(folder: Path = FOLDER) -> Path:
    """The Python of the peers' environment in `folder`, which is made unless it is there."""
    python, done = folder / "bin" / "python", folder / "installed.json"
    if done.exists():
        return python
    _say(f"making an environment for the peers in {folder}")
    venv.create(folder, with_pip=True, clear=True)
    torch = _with_torch(python)
    kept = [*torch]
    for package in PACKAGES:
        if not torch and package.startswith(ON_TORCH):
            _say(f"{package} is left out: it would bring torch for CUDA")
        elif _install(python, *kept, package):
            kept.append(package)
        else:
            _say(f"{package} cannot be installed here; what needs it is left out")
    done.write_text(json.dumps(kept))
    return python


def versions(python: Path, names: Iterable[str]) -> dict[str, str]:
    """Versions of those of `names` that `python` has."""
    asked = subprocess.run([str(python), "-c", ASK_VERSIONS, *names], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(asked.stdout)
    return found


def _with_torch(python: Path) -> list[str]:
    """Requirements that keep torch for the CPU as it now is installed; none if it cannot be."""
    brought = _would_bring(python, TORCH)
    if brought and not any(name.startswith(OF_CUDA) for name in brought):
        installed = _install(python, TORCH)
    else:
        installed = _install(python, "--index-url", TORCH_INDEX, "--retries", "1", TORCH)
    return [f"torch=={versions(python, ['torch'])['torch']}"] if installed else []


def _would_bring(python: Path, requirement: str) -> list[str]:
    """Names of all that pip would install for `requirement`; none if it cannot tell."""
    command = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--dry-run", "--report", "-"]
    asked = subprocess.run([*command, requirement], capture_output=True, text=True, check=False, timeout=INSTALL_S)
    if asked.returncode:
        return []
    return [one["metadata"]["name"].lower() for one in json.loads(asked.stdout)["install"]]


def _install(python: Path, *arguments: str) -> bool:
    """Whether pip installed them; what it says of a failure goes to the terminal."""
    command = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=False, timeout=INSTALL_S).returncode == 0


def _say(words: str) -> None:
    sys.stderr.write(words + "\n")
