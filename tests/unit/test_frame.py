"""The frame of the project: what no single room can promise."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import imagelane

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "imagelane"
CORE = ("model", "ports", "plan", "schedule", "record", "publish", "engine")
"""Rooms that import nothing but the standard library."""
MAY_LOAD_LIBVIPS = {"execute", "workers"}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def contract(name: str) -> dict[str, Any]:
    contracts = project()["tool"]["importlinter"]["contracts"]
    return next(one for one in contracts if one["name"].startswith(name))


def rooms() -> set[str]:
    """The rooms of the package: folders and modules that stand directly in it."""
    return {
        path.stem
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"__init__", "__main__"}


def files_of(room: str) -> Iterator[Path]:
    folder = PACKAGE / room
    yield from folder.rglob("*.py") if folder.is_dir() else [folder.with_suffix(".py")]


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """(line, top-level name) of every import of a file, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.partition(".")[0]


def committed() -> list[Path]:
    """What git tracks, and what it would, where there is a checkout; all files otherwise."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            check=True,
            capture_output=True,
        ).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("room", sorted(rooms() & set(CORE)))
def test_the_core_imports_the_standard_library_only(room: str) -> None:
    allowed = sys.stdlib_module_names | {"imagelane"}
    found = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in files_of(room)
        for line, name in imported(path)
        if name not in allowed
    ]
    assert not found


def test_the_contract_of_the_core_names_every_room_of_it() -> None:
    listed = set(contract("The core speaks")["source_modules"])
    assert listed == {f"imagelane.{room}" for room in CORE if room in rooms()}


def test_the_contract_of_libvips_names_every_room_outside_the_workers() -> None:
    listed = set(contract("libvips loads")["source_modules"])
    assert listed == {f"imagelane.{room}" for room in rooms() - MAY_LOAD_LIBVIPS}


def test_every_dependency_is_forbidden_to_the_core() -> None:
    named = {
        re.split(r"[><=\[;]", one)[0].strip().lower().replace("-", "_")
        for one in project()["project"]["dependencies"]
    }
    modules = {"pyyaml": "yaml", "pyvips_binary": "pyvips"}
    expected = {modules.get(name, name) for name in named} | {"PIL"}
    assert set(contract("The core speaks")["forbidden_modules"]) == expected


def test_importing_the_package_is_light() -> None:
    """No pixels, no database, no models of pydantic: a caller pays for what is used."""
    script = "import sys, imagelane; print(*sorted(n for n in sys.modules if '.' not in n))"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    heavy = {"pyvips", "numpy", "PIL", "simplejpeg", "pi_heif", "pydantic", "apsw", "rich"}
    assert heavy.isdisjoint(done.stdout.split())


def test_every_public_name_is_there() -> None:
    """In a process of its own: some of them load libvips, which no process that forks may have."""
    script = "import imagelane; print([getattr(imagelane, name) for name in imagelane.__all__])"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_type_checkers_see_every_public_name() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen | {"__version__"} == set(imagelane.__all__)


def test_the_version_is_said_once_in_each_place() -> None:
    assert imagelane.__version__ == project()["project"]["version"]


def test_files_stay_under_400_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in PACKAGE.rglob("*.py")
        if (count := len(path.read_text().splitlines())) > 400
    }
    assert not long


def test_nothing_names_a_machine_or_a_registry() -> None:
    # The character classes keep this file from naming them itself.
    pattern = re.compile(
        rb"(?<![\w.])/wor[k]/|\.librar[y]/|/tmp/ven[v]"
        rb"|py[p]i\.org|python[h]osted|npm[j]s\.org|deb\.debia[n]\.org|/opt/(wheel[s]|pyp[i])"
    )
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in committed()
        if (match := pattern.search(path.read_bytes()))
    ]
    assert not found


@pytest.mark.parametrize(
    "lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda p: p.stem
)
def test_locks_pin_every_package_by_hash(lock: Path) -> None:
    pinned = re.findall(r"^[a-z0-9].*$", lock.read_text(), re.MULTILINE | re.IGNORECASE)
    assert pinned
    # A pin that ends in a backslash goes on with its hashes: nothing else may follow there.
    assert all("==" in line and line.endswith("\\") for line in pinned)


def test_all_locks_of_one_environment_agree() -> None:
    """One environment serves them all, so what they share has the same versions."""
    pins = [
        {
            (name, marker): version
            for name, version, marker in re.findall(
                r"^([\w.-]+)==(\S+)([^\\\n]*)",
                (ROOT / "requirements" / lock).read_text(),
                re.MULTILINE,
            )
        }
        for lock in ("test.txt", "demo.txt", "bench.txt")
    ]
    for one, other in itertools.combinations(pins, 2):
        shared = one.keys() & other.keys()
        assert len(shared) > 10
        assert {name: one[name] for name in shared} == {name: other[name] for name in shared}


def test_everything_declared_is_locked() -> None:
    declared = project()["project"]
    demo = (ROOT / "requirements" / "demo.txt").read_text()
    test = (ROOT / "requirements" / "test.txt").read_text()
    bench = (ROOT / "requirements" / "bench.txt").read_text()
    engines = (ROOT / "requirements" / "engines.txt").read_text()
    extras = declared["optional-dependencies"]

    def missing(needed: list[str], lock: str) -> set[str]:
        names = {re.split(r"[><=\[;]", one)[0].strip() for one in needed}
        names = {re.sub(r"[._]", "-", name).lower() for name in names}
        return {name for name in names if f"\n{name}==" not in lock.lower()}

    assert not missing(declared["dependencies"] + extras["demo"], demo)
    assert not missing(declared["dependencies"] + extras["bench"], bench)
    assert not missing(project()["dependency-groups"]["engines"], engines)
    assert not missing(declared["dependencies"] + extras["test"] + extras["moderation"], test)
