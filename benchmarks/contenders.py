"""The peers that photographs are held against, as far as they can be had here."""

from __future__ import annotations

import ctypes.util
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
_CACHE = Path.home() / ".cache" / "imagelane-bench"
_INSTALL = 300


@dataclass(frozen=True, slots=True)
class Peer:
    """A script in `PEERS` that takes a folder of photographs and one for what it makes.

    ``ready`` gives the command before those two, or a reason why there is none.
    """

    name: str
    folder: str
    ready: Callable[[], Sequence[str] | str]
    marks: bool = True


def peers() -> tuple[Peer, ...]:
    """From the fastest to the slowest, as was measured before."""
    return (
        Peer("planar loop, the floor", "planar", _python("planar_loop.py", _planar)),
        Peer("simplejpeg and OpenCV", "opencv", _python("opencv_fused.py", lambda: _lacks("cv2"))),
        Peer("pyvips, tuned by hand", "tuned", _python("pyvips_tuned.py")),
        Peer("pyvips, fused over thumbnail()", "fused", _python("pyvips_fused.py")),
        Peer("Pillow, fused", "pillow", _python("pillow_fused.py")),
        Peer("sharp, fused", "sharp", _sharp),
        Peer("pyvips, the documented recipe", "recipe", _python("pyvips_recipe.py")),
        Peer("vipsthumbnail, xargs -P2", "vipsthumbnail", _vipsthumbnail, marks=False),
    )


def _python(
    script: str, lacks: Callable[[], str] = lambda: ""
) -> Callable[[], Sequence[str] | str]:
    return lambda: lacks() or (sys.executable, str(PEERS / script))


def _lacks(*modules: str) -> str:
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    return f"{', '.join(missing)} not installed: `make bench` installs it" if missing else ""


def _planar() -> str:
    if ctypes.util.find_library("turbojpeg") is None:
        return "libturbojpeg not installed (Debian: apt-get install libturbojpeg0)"
    return _lacks("turbojpeg", "cykooz_resizer")


def _vipsthumbnail() -> Sequence[str] | str:
    if shutil.which("vipsthumbnail") is None:
        return "vipsthumbnail not installed (Debian: apt-get install libvips-tools)"
    return ("bash", str(PEERS / "vipsthumbnail.sh"))


def _sharp() -> Sequence[str] | str:
    """A script finds its packages beside itself, so it is copied to where they are installed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node and npm not installed (Debian: apt-get install npm)"
    _CACHE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "sharp_fused.mjs"):
        shutil.copyfile(PEERS / name, _CACHE / name)
    install = ("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent")
    try:
        done = subprocess.run(
            install, cwd=_CACHE, capture_output=True, text=True, timeout=_INSTALL, check=False
        )
    except subprocess.TimeoutExpired:
        return f"npm did not install sharp within {_INSTALL} s"
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        return f"npm could not install sharp: {said[0]}"
    return ("node", str(_CACHE / "sharp_fused.mjs"))
