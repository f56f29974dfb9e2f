from __future__ import annotations

from collections.abc import Sequence
from random import Random

from imagelane.model import events as e
from imagelane.model.audit import Content, Leaf, Told
from imagelane.model.event_form import encode, type_name
from imagelane.model.ids import StageName, Subject
from imagelane.model.states import GroupState, ImageState
from imagelane.report.audit.history import graph_lines, line_lines
from imagelane.report.audit.line import straight
from imagelane.report.ink import Ink
from imagelane.testing import audit_runs
from imagelane.testing.audit_runs import PLAN, RUN, derived

STAGES = [stage.name for stage in PLAN.stages]
IMAGE = Subject(1, 1)


def told(events: Sequence[e.Event]) -> list[Told]:
    parents, causes = derived(events, PLAN)
    assert causes.violations == []
    found = []
    for index, (event, own) in enumerate(zip(events, parents, strict=True), 1):
        body = encode(event)
        kind, stage = type_name(event), e.stage_of(event)
        outcome = str(body.get("state", ""))
        content = Content(RUN, float(index), 1, kind, e.subject_of(event), stage, "", outcome, "")
        found.append(Told(Leaf("", index, own), content, body))
    return found


def of(events: Sequence[Told], subject: Subject = IMAGE) -> list[Told]:
    return [one for one in events if one.content.subject == subject]


def test_branches_come_in_the_order_of_the_plan_whichever_was_first() -> None:
    orders = set()
    for seed in range(20):
        own = of(told(list(audit_runs.events(200, seed))))
        line = straight(Random(seed).sample(own, len(own)), STAGES)
        places = {one.index: place for place, one in enumerate(line)}
        for one in line:
            assert all(
                places[parent] < places[one.index]
                for parent in one.leaf.parents
                if parent in places
            )
        orders.add(tuple(one.content.stage for one in line if one.content.type == "task_succeeded"))
    assert orders == {("validate", "metadata", "thumbnails", "watermark", "moderate", "store")}


def test_what_was_taken_up_again_stands_after_all_that_came_before() -> None:
    def tried(stage: str) -> e.TaskSucceeded:
        return e.TaskSucceeded(IMAGE, StageName(stage), 1, (), {}, None, "w", 1.0, 2.0)

    image = e.ImageReopened(IMAGE, ImageState.SKIPPED, "retry", "why", "anna", {})
    group = e.GroupReopened(Subject(1), GroupState.PUBLISHED, "retry", "why", "anna", {})
    events: list[e.Event] = [
        e.RunStarted("p", "0", "parallel", {}),
        e.GroupOpened(Subject(1), "a"),
        e.ImageReceived(IMAGE, 0, "a.jpg", "/a.jpg", 1, 1),
        e.GroupClosed(Subject(1), 1, 5.0),
        tried("validate"),
        e.ImageSettled(IMAGE, ImageState.SKIPPED),
        e.GroupSettled(Subject(1), GroupState.ABORTED),
    ]
    for _ in range(2):
        events += [
            e.RunResumed("parallel"),
            group,
            image,
            tried("validate"),
            e.ImageSettled(IMAGE, ImageState.SKIPPED),
            e.GroupSettled(Subject(1), GroupState.ABORTED),
        ]
    own = of(told(events))
    assert straight(own, STAGES) == own
    assert len(own) == 9


def test_what_comes_from_outside_can_do_nothing_to_a_terminal_or_a_graph() -> None:
    events = told(
        [
            e.RunStarted("p", "0", "parallel", {}),
            e.GroupOpened(Subject(1), 'evil"]-->\x1b[31m'),
            e.ImageReceived(IMAGE, 0, 'evil\x1b[31m"', "/a.jpg", 1, 1),
            e.TaskSkipped(IMAGE, StageName("validate"), 'evil\x1b[31m\n"'),
            e.ImageSettled(IMAGE, ImageState.SKIPPED, None, "evil\x1b[31m\n"),
        ]
    )
    text = "\n".join([*line_lines(events, Ink()), *graph_lines(events)])
    assert "\x1b" not in text
    assert len(text.splitlines()) == 6 + 1 + 5 + 4
