"""What is promised of every moment: nothing is lost count of, and nothing goes over its bounds.

Each is a sentence and a check, as in `promises.py`, made after each turn of the coordinator.
"""

from __future__ import annotations

from collections import Counter

from imagelane.model.run import RunState
from imagelane.testing.simulation.ledger import Ledger
from imagelane.testing.simulation.workers import Crew

Wrong = str | None


def counts_add_up(known: Ledger, state: RunState, crew: Crew) -> Wrong:
    """G4. At every moment each image is in exactly one state, and the fold knows which."""
    flying = state.images.keys() == known.in_flight.keys()
    settled = {number: group.settled for number, group in state.groups.items()}
    expected = {
        number: Counter(page.settled for page in group.members.values() if page.settled)
        for number, group in known.open.items()
    }
    total = sum(state.image_counts.values()) + sum(map(Counter.total, settled.values()))
    if not flying or settled != expected or total + len(state.images) != state.received:
        return f"{state.received} received, {len(state.images)} in flight, settled {settled}"
    if (state.image_counts, state.group_counts) != (known.final, known.final_groups):
        return f"{state.image_counts} are final, and should be {known.final}"
    return None


def limits_are_kept(known: Ledger, state: RunState, crew: Crew) -> Wrong:
    """G9. No more orders at once than each limit has places."""
    held = Counter[str]()
    for order in crew.running.values():
        held.update(crew.plan.segments[order.segment].limits)
    over = [name for name, count in held.items() if count > crew.plan.limits[name]]
    return f"{held[over[0]]} places of {over[0]} are taken" if over else None


def the_budget_is_kept(known: Ledger, state: RunState, crew: Crew) -> Wrong:
    """G9. No more is decoded at once than the budget, unless by one order alone."""
    decoding = [size for size in crew.decoding.values() if size]
    if sum(decoding) > crew.plan.decoded_bytes and len(decoding) > 1:
        return f"{decoding} bytes are decoded of {crew.plan.decoded_bytes}"
    return None


def lanes_are_kept(known: Ledger, state: RunState, crew: Crew) -> Wrong:
    """Sequential: one order at once. Hybrid: one in each batch, and as many batches as lanes."""
    lane = crew.plan.lane
    if lane.kind == "none":
        return None
    running = [order for order in crew.running.values() if order.segment not in lane.free]
    if len(running) > (1 if lane.kind == "run" else lane.batches):
        return f"{len(running)} orders at once in {lane}"
    images = [order.subject for order in running if order.subject in known.images]
    size = lane.batch_size or 1
    batches = Counter(known.images[subject].sequence // size for subject in images)
    return "two at once in one batch" if any(n > 1 for n in batches.values()) else None


ON_TURNS = (counts_add_up, limits_are_kept, the_budget_is_kept, lanes_are_kept)
