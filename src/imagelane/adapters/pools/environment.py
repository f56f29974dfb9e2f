"""The environment variables of a worker process: few, and none of them a secret."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import imagelane

_KEPT = (
    "FONTCONFIG_FILE",
    "FONTCONFIG_PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "OPENBLAS_CORETYPE",
    "PATH",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONPYCACHEPREFIX",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
)

_FIXED = {
    # Workers times threads must not exceed the cores, and AVIF's bytes change with their number.
    "VIPS_CONCURRENCY": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Pictures of many megabytes come and go with every image. By default glibc maps each from the
    # kernel and gives it back, and every page of it is cleared anew: kept, they are there at once.
    "MALLOC_MMAP_THRESHOLD_": str(256 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
    "MALLOC_ARENA_MAX": "1",
    # Read by onnxruntime: a picture's content is nobody else's business.
    "ORT_DISABLE_TELEMETRY": "1",
}


def worker_environment(keep: Iterable[str] = ()) -> dict[str, str]:
    """Variables for a worker: those that programs need to be found and to speak the user's
    language, those named in ``keep``, and one thread for every library."""
    kept = {name: os.environ[name] for name in (*_KEPT, *keep) if name in os.environ}
    # Workers stand in another folder, where a relative path means another one.
    paths = [
        str(Path(path).absolute()) for path in kept.get("PYTHONPATH", "").split(os.pathsep) if path
    ]
    package = str(Path(imagelane.__file__).parents[1])
    if package not in {*paths, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        # A bare checkout, found by a path that only the coordinator was given.
        paths.insert(0, package)
    if paths:
        kept["PYTHONPATH"] = os.pathsep.join(paths)
    return kept | _FIXED
