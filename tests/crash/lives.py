"""One run, lived through by many coordinators: each is forked, and most are killed.

A process that has imported everything forks one coordinator after the other, so that a life costs
what a life does and no start of an interpreter. It never loads libvips, so forking it is safe.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from PIL import Image

import imagelane.adapters.pools.process
import imagelane.adapters.publishers.folder  # noqa: F401 - so that no life has to import them
from imagelane import wiring
from imagelane.adapters.artifacts.leftovers import clear_leftovers
from imagelane.model.events import Event
from imagelane.model.ids import RunId
from imagelane.model.plan import PhysicalPlan
from imagelane.model.policy import Sandbox
from imagelane.model.run import RunState
from imagelane.model.spec import PipelineSpec
from imagelane.ports.faults import Fault, no_fault
from imagelane.ports.observer import Pulse
from tests.crash.aftermath import Aftermath, BrokenGuaranteeError, claim, live_manifests, published
from tests.crash.blows import COORDINATOR, AtVisit, Ledger, deal, spares_the_coordinator

PIPELINE = """\
pipeline: gallery
images: {from: photos/, group: folder}
stages:
  validate:
    retry: &often {attempts: 50, initial: 1ms, max: 5ms}
  metadata: {needs: [validate], retry: *often}
  thumbnails: {needs: [validate], with: {widths: [16, 32]}, retry: *often}
  watermark: {needs: [metadata], with: {text: "Gazette", width: 40}, retry: *often}
  check: {needs: [validate], uses: command, with: {run: ["true"]}, retry: *often}
  store: {needs: [thumbnails, watermark, check], with: {to: public/}, retry: *often}
  contact-sheet: {scope: group, needs: [thumbnails], with: {cell: 24}, retry: *often}
  publish: {scope: group, needs: [store, contact-sheet], retry: *often}
run: {workers: 1}
"""
LIFE = 60.0
"""Seconds after which a life that nobody ends is one that hangs."""


@dataclass(slots=True)
class Acknowledged:
    """An observer that writes down how many events were said to be durable."""

    path: Path
    count: int = 0

    def opened(self, plan: PhysicalPlan, run: str, expected: tuple[int, int]) -> None: ...

    def recorded(self, events: Sequence[Event]) -> None:
        self.count += len(events)
        # Over what stands there: a number never gets shorter.
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(descriptor, f"{self.count:09}".encode())
        os.close(descriptor)

    def pulse(self, state: RunState, pulse: Pulse) -> None: ...

    def closed(self, state: RunState) -> None: ...


@dataclass(slots=True)
class Lives:
    """``fresh`` is a project that published its old version, ``expected`` what the new one is."""

    fresh: Path
    versions: dict[str, frozenset[bytes]]
    expected: dict[str, str]
    room: Path
    ledger: Ledger
    draw: Random
    deaths: int = 0
    finished: int = 0
    _folder: Path | None = None
    _aftermath: Aftermath | None = field(default=None)

    @property
    def folder(self) -> Path:
        """The project that is disturbed, made anew when the one before it is finished."""
        if self._folder is None:
            self._folder = self.room / f"project-{self.finished}"
            shutil.copytree(self.fresh, self._folder, symlinks=True)
        return self._folder

    def live(
        self, fault: Fault = no_fault, *, killer: Callable[[int], None] = lambda _: None
    ) -> bool:
        """One life, and a look at what it left; whether it came to the end of the run.

        ``killer`` is called again and again with the coordinator's process id while it lives.
        """
        folder = self.folder
        spec = wiring.load(folder / "gallery.yaml")
        aftermath = self._aftermath or Aftermath(folder, self.versions, _runs(folder))
        self._aftermath = aftermath
        child = os.fork()
        if child == 0:
            _be_coordinator(spec, folder, fault)
        status = self._watch(child, aftermath, killer)
        aftermath.check(_acknowledged(folder))
        if os.WIFSIGNALED(status):
            claim(
                holds=os.WTERMSIG(status) == signal.SIGKILL,
                otherwise=f"it ended with {status}: {_words(folder)}",
            )
            self.deaths += 1
            if not aftermath.finished:
                return False
            # It died between the end of the run and its own: somebody else has to clear up.
        claim(
            holds=os.WIFSIGNALED(status) or status == 0,
            otherwise=f"it ended with {status}: {_words(folder)}",
        )
        _clear_up(spec)
        aftermath.check_end(self.expected)
        shutil.rmtree(folder)
        self.finished += 1
        self._folder = self._aftermath = None
        return True

    def _watch(self, child: int, aftermath: Aftermath, killer: Callable[[int], None]) -> int:
        deadline = time.monotonic() + LIFE
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return status
            try:
                claim(holds=time.monotonic() < deadline, otherwise="it hangs")
                aftermath.check_visible()
                killer(child)
            except BrokenGuaranteeError:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                raise
            time.sleep(0.004)

    def at_point(self, point: str, visit: int) -> bool:
        """A life that ends where the coordinator passes a point."""
        deal(self.folder, self.ledger, self.draw.randrange(1 << 30))
        return self.live(AtVisit(self.ledger, point, visit))

    def among_workers(self, *, worker: float, coordinator: float) -> bool:
        """A life in which workers die at their points by chance, or take the coordinator along."""
        seed = self.draw.randrange(1 << 30)
        deal(self.folder, self.ledger, seed, worker=worker, coordinator=coordinator)
        return self.live()

    def at_a_moment(self) -> bool:
        """A life that ends at some moment or other."""
        deal(self.folder, self.ledger, 0)
        moment = time.monotonic() + self.draw.uniform(0.02, 1.2)

        def killer(process: int) -> None:
            if time.monotonic() >= moment:
                self.ledger.note("coordinator at some moment")
                os.kill(process, signal.SIGKILL)

        return self.live(killer=killer)

    def any_life(self) -> bool:
        """One of the above, by chance."""
        kind = self.draw.random()
        if kind < 0.4:
            return self.among_workers(worker=0.15, coordinator=0.0)
        if kind < 0.6:
            return self.among_workers(worker=0.0, coordinator=0.03)
        if kind < 0.8:
            return self.at_a_moment()
        return self.at_point(self.draw.choice(COORDINATOR), self.draw.randint(1, 4))


def prepare(room: Path, draw: Random) -> Lives:
    """A project with an old version live and a new one to come, and what both look like."""
    fresh = room / "fresh"
    fresh.mkdir()
    (fresh / "gallery.yaml").write_text(PIPELINE, encoding="utf-8")
    _paint(fresh / "photos", 0)
    _whole(fresh)
    old = live_manifests(fresh / "public")
    _paint(fresh / "photos", 90)
    reference = room / "reference"
    shutil.copytree(fresh, reference, symlinks=True)
    _whole(reference)
    new = live_manifests(reference / "public")
    versions = {name: frozenset({old[name], new[name]}) for name in new}
    expected = published(reference / "public")
    return Lives(fresh, versions, expected, room, Ledger(room / "blows.txt"), draw)


def _whole(folder: Path) -> None:
    """A run that nobody disturbs."""
    child = os.fork()
    if child == 0:
        _be_coordinator(wiring.load(folder / "gallery.yaml"), folder, no_fault)
    _, status = os.waitpid(child, 0)
    claim(holds=status == 0, otherwise=f"undisturbed, it ended with {status}: {_words(folder)}")


def _be_coordinator(spec: PipelineSpec, folder: Path, fault: Fault) -> None:
    code = 1
    try:
        words = os.open(folder / "words.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(words, 1)
        os.dup2(words, 2)
        observer = Acknowledged(folder / "acknowledged", _acknowledged(folder))
        earlier = wiring.unfinished(spec)
        # In its sandbox a worker can do nothing to its coordinator.
        sandbox = Sandbox.AUTO if spares_the_coordinator(folder) else Sandbox.OFF
        with wiring.session(
            spec,
            replace(spec.options, sandbox=sandbox),
            [observer],
            resume=earlier.run if earlier else None,
            fault=fault,
            worker="tests.crash.worker",
        ) as (engine, number):
            result = wiring.result(engine.execute(), number, folder)
        code = 0 if result.whole else 1
        if code:
            sys.stderr.write(f"{result}\n")
            (folder / "acknowledged").unlink(missing_ok=True)
        else:
            (folder / "acknowledged").unlink()
    except BaseException:  # noqa: BLE001 - a forked process must not go on as its parent
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(code)


def _clear_up(spec: PipelineSpec) -> None:
    """What the end of the next run would remove, without the time of grace."""
    workspace = wiring.workspace_of(spec)
    journal = wiring.open_journal(workspace.root)
    try:
        clear_leftovers(
            workspace.scratches,
            workspace.artifacts,
            wiring.targets(spec),
            journal.runs(),
            grace=0.0,
        )
    finally:
        journal.close()


def _acknowledged(folder: Path) -> int:
    try:
        return int((folder / "acknowledged").read_text(encoding="ascii") or 0)
    except FileNotFoundError:
        return 0


def _words(folder: Path) -> str:
    return (folder / "words.txt").read_text(encoding="utf-8", errors="replace")[-3000:]


def _runs(folder: Path) -> frozenset[RunId]:
    journal = wiring.open_journal(folder / ".imagelane")
    try:
        return frozenset(row.run for row in journal.runs())
    finally:
        journal.close()


def _paint(photos: Path, shade: int) -> None:
    for group, images in (("harbour", 3), ("market", 2)):
        (photos / group).mkdir(parents=True, exist_ok=True)
        for index in range(images):
            picture = Image.linear_gradient("L").resize((64, 48))
            colours = picture.point(lambda value, add=shade + 20 * index: (value + add) % 256)
            path = photos / group / f"{index}.jpg"
            Image.merge("RGB", (picture, colours, picture)).save(path, quality=90)
