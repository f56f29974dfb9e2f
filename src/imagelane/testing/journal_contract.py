"""What every journal promises. Subclass `JournalContract` and override its ``journal`` fixture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

import pytest

from imagelane.model import events as e
from imagelane.model.ids import Digest, RunId, StageName, Subject
from imagelane.model.run import RunState, evolve
from imagelane.model.states import GroupState, ImageState, RunStatus
from imagelane.ports.journal import (
    Claimed,
    Journal,
    JournalError,
    Recorded,
    RunNotFoundError,
    StaleFenceError,
)
from imagelane.testing.histories import history, received

RUN = RunId("20261123-120000-aaaa")
OTHER = RunId("20261123-130000-bbbb")
_PUBLISH = StageName("publish")


def record(journal: Journal, claimed: Claimed, *events: e.Event, at: float = 100.0) -> None:
    """Append events that all happened at one time."""
    journal.append(claimed, [(at, event) for event in events])


def skipped(image: Subject) -> e.TaskSkipped:
    """The smallest event of a task."""
    return e.TaskSkipped(image, StageName("watermark"), "metadata failed")


def expected_counts(state: RunState) -> Counter[ImageState]:
    """Image counts according to the fold; those in flight stand together under PROCESSING."""
    counts = Counter(state.image_counts)
    for group in state.groups.values():
        counts += group.settled
    counts[ImageState.PROCESSING] += len(state.images)
    return +counts


def observed_counts(journal: Journal, run: RunId) -> Counter[ImageState]:
    """Image counts according to the read model, comparable to `expected_counts`."""
    counts = Counter(journal.image_counts(run))
    counts[ImageState.PROCESSING] += counts.pop(ImageState.RECEIVED, 0)
    return +counts


class JournalContract:
    """Behaviour that does not depend on where a journal keeps its events."""

    @pytest.fixture
    def journal(self) -> Journal | Iterator[Journal]:
        """An empty journal."""
        raise NotImplementedError

    @pytest.fixture
    def claimed(self, journal: Journal) -> Claimed:
        """A run that was just created."""
        return journal.create(RUN, {"file": "gallery.yaml", "options": {"fuse": True}}, "owner-1")

    def test_gives_back_every_kind_of_event_as_it_was(
        self, journal: Journal, claimed: Claimed
    ) -> None:
        events = list(history(Random(7), 400))
        assert {type(event) for event in events} >= set(e.Event.__args__) - {e.SourceExhausted}
        events.append(e.SourceExhausted(3, 17))

        record(journal, claimed, *events, at=123.456)

        assert list(journal.events(RUN)) == [
            Recorded(index, 123.456, event) for index, event in enumerate(events, 1)
        ]

    def test_index_is_gapless_over_appends_of_any_size(
        self, journal: Journal, claimed: Claimed
    ) -> None:
        for size in (1, 0, 5, 1200, 1):
            record(journal, claimed, *[e.RunResumed("parallel")] * size)

        assert [one.index for one in journal.events(RUN)] == list(range(1, 1208))
        assert [one.index for one in journal.events(RUN, after=1205)] == [1206, 1207]

    def test_events_of_a_subject_are_its_own_only(self, journal: Journal, claimed: Claimed) -> None:
        group, first, second = Subject(1), Subject(1, 1), Subject(1, 2)
        events: Sequence[e.Event] = (
            e.RunStarted("p", "d", "parallel", {}),
            e.GroupOpened(group, "harbour"),
            received(first),
            received(second),
            skipped(first),
            e.GroupClosed(group, 2, 5.0),
        )
        record(journal, claimed, *events)

        def of(subject: Subject) -> list[int]:
            return [one.index for one in journal.events(RUN, subject=subject)]

        assert of(first) == [3, 5]
        assert of(group) == [2, 6]
        assert of(Subject()) == [1]
        assert [one.index for one in journal.events(RUN, subject=first, after=3)] == [5]

    def test_members_come_in_order_of_ordinal_then_index(
        self, journal: Journal, claimed: Claimed
    ) -> None:
        members = [Subject(1, ordinal) for ordinal in range(1, 301)]
        record(journal, claimed, e.GroupOpened(Subject(1), "a"), e.GroupOpened(Subject(2), "b"))
        record(journal, claimed, *map(received, [Subject(2, 1), *reversed(members)]))
        record(journal, claimed, *map(skipped, [*members, Subject(2, 1)]))

        told = [
            (one.event.subject, type(one.event))
            for one in journal.members(RUN, 1)
            if isinstance(one.event, e.ImageReceived | e.TaskSkipped)
        ]
        assert told == [
            (member, kind) for member in members for kind in (e.ImageReceived, e.TaskSkipped)
        ]

    def test_image_goes_from_received_to_published(
        self, journal: Journal, claimed: Claimed
    ) -> None:
        group, image = Subject(1), Subject(1, 1)

        def now() -> tuple[ImageState, bool, GroupState, int]:
            (row,) = journal.images(RUN)
            (of_group,) = journal.groups(RUN)
            return row.state, row.settled, of_group.state, of_group.images

        record(journal, claimed, e.GroupOpened(group, "harbour"), received(image))
        assert now() == (ImageState.RECEIVED, False, GroupState.OPEN, 1)
        record(journal, claimed, skipped(image))
        assert now() == (ImageState.PROCESSING, False, GroupState.OPEN, 1)
        record(journal, claimed, e.ImageSettled(image, ImageState.PROCESSING))
        assert now() == (ImageState.PROCESSING, True, GroupState.OPEN, 1)
        record(journal, claimed, e.GroupClosed(group, 1, 5.0))
        assert now() == (ImageState.PROCESSING, True, GroupState.CLOSED, 1)
        record(journal, claimed, e.GateOpened(group, _PUBLISH, 1, 0))
        assert now() == (ImageState.PROCESSING, True, GroupState.GATED, 1)
        record(journal, claimed, e.GroupSettled(group, GroupState.HELD, "a human is asked"))
        assert now() == (ImageState.PROCESSING, True, GroupState.HELD, 1)
        manifest = Digest("c" * 64)
        record(journal, claimed, e.GroupSettled(group, GroupState.PUBLISHED, "", manifest))
        assert now() == (ImageState.PUBLISHED, True, GroupState.PUBLISHED, 1)
        assert next(iter(journal.groups(RUN))).manifest == manifest
        earlier = Digest("d" * 64)
        for state, live in ((GroupState.ROLLED_BACK, earlier), (GroupState.PUBLISHED, manifest)):
            was = next(iter(journal.groups(RUN))).state
            put_back = e.GroupRolledBack(group, _PUBLISH, was, state, live, None, "why", "I")
            record(journal, claimed, put_back)
            assert now() == (ImageState.PUBLISHED, True, state, 1)
            assert next(iter(journal.groups(RUN))).manifest == live
            assert [one.event for one in journal.events(RUN)][-1] == put_back

    def test_marks_stand_over_all_runs_until_the_same_is_undone(
        self, journal: Journal, claimed: Claimed
    ) -> None:
        image, other = Subject(1, 1), Subject(1, 2)
        thing = ("harbour", "/photos/a \udcff.jpg", 12, "e" * 64)
        record(journal, claimed, e.GroupOpened(Subject(1), "harbour"), received(image))
        record(journal, claimed, e.Withdrawn(image, *thing, "no release \udcff", "I"))
        record(journal, claimed, e.HoldAdded(image, *thing, "a trial", "I"))
        elsewhere = ("market", "/photos/b.jpg", 12, "e" * 64)
        record(journal, claimed, e.Withdrawn(other, *elsewhere, "the same file", "I"))
        whole = ("harbour", "", 0, "")
        record(journal, claimed, e.Withdrawn(Subject(1), *whole, "embargo", "I"))
        told = {(one.kind.value, one.subject, one.path) for one in journal.marks()}
        assert told == {
            ("withdrawn", image, "/photos/a \udcff.jpg"),
            ("legal_hold", image, "/photos/a \udcff.jpg"),
            ("withdrawn", other, "/photos/b.jpg"),
            ("withdrawn", Subject(1), ""),
        }
        (hold,) = [one for one in journal.marks() if one.kind.value == "legal_hold"]
        assert (hold.run, hold.group, hold.bytes, hold.digest) == (RUN, "harbour", 12, "e" * 64)
        assert (hold.reason, hold.actor) == ("a trial", "I")
        second = journal.create(RunId("second"), {}, "owner")
        undone = e.WithdrawalUndone(Subject(4, 4), "harbour", thing[1], thing[3], "it came", "I")
        record(journal, second, undone)
        assert {(one.kind.value, one.path) for one in journal.marks()} == {
            ("legal_hold", "/photos/a \udcff.jpg"),
            ("withdrawn", ""),
        }
        record(journal, second, e.HoldRemoved(image, "harbour", thing[1], "", "over", "I"))
        record(journal, second, e.WithdrawalUndone(Subject(1), "harbour", "", "", "over", "I"))
        assert journal.marks() == []

    def test_withdrawn_group_takes_its_images_with_it_and_back(
        self, journal: Journal, claimed: Claimed
    ) -> None:
        group, images = Subject(1), [Subject(1, 1), Subject(1, 2), Subject(1, 3)]
        record(journal, claimed, e.GroupOpened(group, "harbour"), *map(received, images))
        settled = (ImageState.PROCESSING, ImageState.PARTIAL, ImageState.DEAD)
        for image, state in zip(images, settled, strict=True):
            record(journal, claimed, e.ImageSettled(image, state))
        manifest, counts = Digest("c" * 64), dict.fromkeys(settled, 1)
        live = (ImageState.PUBLISHED, ImageState.PARTIAL, ImageState.DEAD)
        record(journal, claimed, e.GroupSettled(group, GroupState.PARTIAL, "", manifest))
        assert tuple(row.state for row in journal.images(RUN)) == live
        whole, was = ("harbour", "", 0, ""), GroupState.PARTIAL
        record(journal, claimed, e.Withdrawn(group, *whole, "why", "I", None, was, counts))
        assert tuple(row.state for row in journal.images(RUN)) == (
            ImageState.WITHDRAWN,
            ImageState.WITHDRAWN,
            ImageState.DEAD,
        )
        (row,) = journal.groups(RUN)
        assert (row.state, row.manifest) == (GroupState.WITHDRAWN, None)
        now = GroupState.WITHDRAWN
        back = e.GroupRolledBack(group, _PUBLISH, now, was, manifest, None, "why", "I", counts)
        record(journal, claimed, back)
        assert tuple(row.state for row in journal.images(RUN)) == live
        (row,) = journal.groups(RUN)
        assert (row.state, row.manifest) == (GroupState.PARTIAL, manifest)

    def test_whole_life_in_one_append_ends_in_the_same_state(
        self, journal: Journal, claimed: Claimed
    ) -> None:
        group, image = Subject(1), Subject(1, 1)
        record(
            journal,
            claimed,
            e.GroupOpened(group, "harbour"),
            received(image),
            skipped(image),
            e.ImageSettled(image, ImageState.PROCESSING),
            e.GroupClosed(group, 1, 5.0),
            e.GroupSettled(group, GroupState.ABORTED, "its primary is dead"),
        )
        (row,) = journal.images(RUN)
        assert (row.state, row.reason) == (ImageState.SKIPPED, "its primary is dead")

    def test_images_are_found_by_group_and_state(self, journal: Journal, claimed: Claimed) -> None:
        images = [Subject(1, 1), Subject(1, 2), Subject(2, 1), Subject(12, 1)]
        for group in (1, 2, 12):
            record(journal, claimed, e.GroupOpened(Subject(group), f"group {group}"))
        record(journal, claimed, *map(received, reversed(images)))
        record(
            journal,
            claimed,
            e.ImageSettled(images[1], ImageState.DEAD, StageName("validate"), "invalid: damaged"),
        )

        assert [row.subject for row in journal.images(RUN)] == images
        assert [row.subject for row in journal.images(RUN, group=1)] == images[:2]
        assert [row.subject for row in journal.images(RUN, group=3)] == []
        (dead,) = journal.images(RUN, states=frozenset({ImageState.DEAD}))
        assert (dead.subject, dead.stage, dead.reason, dead.role, dead.settled) == (
            images[1],
            "validate",
            "invalid: damaged",
            "",
            True,
        )
        assert list(journal.images(RUN, states=frozenset())) == []
        assert [row.group for row in journal.groups(RUN)] == [1, 2, 12]
        assert [row.group for row in journal.groups(RUN, after=2)] == [12]

    def test_run_row_follows_the_run(self, journal: Journal, claimed: Claimed) -> None:
        (row,) = journal.runs()
        assert (row.run, row.owner, row.fence) == (RUN, "owner-1", claimed.fence)
        assert (row.status, row.pipeline) == (RunStatus.RUNNING, "")
        assert row.definition == {"file": "gallery.yaml", "options": {"fuse": True}}

        record(journal, claimed, e.RunStarted("gallery", "d" * 64, "sequential", {}), at=1000.0)
        record(journal, claimed, e.RunSettled(RunStatus.PAUSED, "Ctrl-C"), at=1001.5)
        (row,) = journal.runs()
        assert (row.pipeline, row.plan, row.model) == ("gallery", "d" * 64, "sequential")
        assert (row.status, row.reason) == (RunStatus.PAUSED, "Ctrl-C")
        assert (row.started, row.updated) == (1000.0, 1001.5)

        record(journal, claimed, e.RunResumed("hybrid"), at=1002.0)
        (row,) = journal.runs()
        assert (row.status, row.reason, row.model) == (RunStatus.RUNNING, "", "hybrid")
        assert (row.pipeline, row.started) == ("gallery", 1000.0)

    def test_runs_are_apart_and_listed_newest_first(
        self, journal: Journal, claimed: Claimed
    ) -> None:
        other = journal.create(OTHER, {}, "owner-2")
        for one in (claimed, other):
            record(journal, one, e.GroupOpened(Subject(1), one.run), received(Subject(1, 1)))
        record(journal, other, skipped(Subject(1, 1)))

        assert [row.run for row in journal.runs()] == [OTHER, RUN]
        assert journal.image_counts(RUN) == {ImageState.RECEIVED: 1}
        assert journal.image_counts(OTHER) == {ImageState.PROCESSING: 1}
        assert [row.name for row in journal.groups(OTHER)] == [OTHER]
        assert [one.index for one in journal.events(OTHER)] == [1, 2, 3]

    def test_claim_makes_the_owner_before_it_stale(
        self, journal: Journal, claimed: Claimed
    ) -> None:
        record(journal, claimed, e.RunStarted("p", "d", "parallel", {}))
        later = journal.claim(RUN, "owner-2")
        assert later.fence > claimed.fence

        with pytest.raises(StaleFenceError):
            record(journal, claimed, e.RunSettled(RunStatus.FAILED, "the stale one says so"))
        record(journal, later, e.RunResumed("parallel"))

        (row,) = journal.runs()
        assert (row.owner, row.fence, row.status) == ("owner-2", later.fence, RunStatus.RUNNING)
        assert [type(one.event) for one in journal.events(RUN)] == [e.RunStarted, e.RunResumed]

    def test_fences_rise_over_all_runs(self, journal: Journal, claimed: Claimed) -> None:
        other = journal.create(OTHER, {}, "owner")
        again = journal.claim(RUN, "owner")
        assert claimed.fence < other.fence < again.fence

    @pytest.mark.parametrize(
        "contradiction",
        [received(Subject(1, 1)), received(Subject(9, 1)), e.GroupOpened(Subject(1), "again")],
        ids=["image twice", "image of an unknown group", "group twice"],
    )
    def test_append_is_all_or_nothing(
        self, journal: Journal, claimed: Claimed, contradiction: e.Event
    ) -> None:
        record(journal, claimed, e.GroupOpened(Subject(1), "a"), received(Subject(1, 1)))

        with pytest.raises(JournalError):
            record(journal, claimed, received(Subject(1, 2)), contradiction)

        assert len(list(journal.events(RUN))) == 2
        assert journal.image_counts(RUN) == {ImageState.RECEIVED: 1}
        record(journal, claimed, received(Subject(1, 2)))
        assert [one.index for one in journal.events(RUN)] == [1, 2, 3]

    def test_unknown_run_is_named(self, journal: Journal, claimed: Claimed) -> None:
        nobody = RunId("nobody")
        for ask in (
            lambda: journal.claim(nobody, "owner"),
            lambda: journal.events(nobody),
            lambda: journal.members(nobody, 1),
            lambda: journal.images(nobody),
            lambda: journal.groups(nobody),
            lambda: journal.image_counts(nobody),
            lambda: record(journal, Claimed(nobody, claimed.fence), skipped(Subject(1, 1))),
        ):
            with pytest.raises(RunNotFoundError, match="nobody"):
                ask()

    def test_run_is_created_once(self, journal: Journal, claimed: Claimed) -> None:
        with pytest.raises(JournalError, match=RUN):
            journal.create(RUN, {}, "owner-2")
        (row,) = journal.runs()
        assert (row.owner, row.fence) == ("owner-1", claimed.fence)

    @pytest.mark.parametrize("seed", range(5))
    def test_every_commit_conserves_images_and_agrees_with_the_fold(
        self, journal: Journal, claimed: Claimed, seed: int
    ) -> None:
        choose = Random(seed)
        state = RunState()
        events = list(history(choose, 120))
        while events:
            size = choose.choice((1, 1, 2, 7))
            batch, events = events[:size], events[size:]
            for event in batch:
                evolve(state, event)
            record(journal, claimed, *batch)

            counts = observed_counts(journal, RUN)
            assert counts == expected_counts(state)
            assert counts.total() == state.received
            assert {row.group: row.images for row in journal.groups(RUN)}.items() >= {
                number: group.received for number, group in state.groups.items()
            }.items()

        again = RunState()
        for one in journal.events(RUN):
            evolve(again, one.event)
        assert again == state
