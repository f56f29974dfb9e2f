"""The alerts of a run, and what became of them; and what it waited for."""

from __future__ import annotations

from collections.abc import Iterator

from imagelane.model import events as e
from imagelane.ports.journal import Recorded
from imagelane.report.clean import visible
from imagelane.report.view import AlertView, DeliveryView, WaitView


class Calls:
    """Collects the alerts among a run's own events; there are few, by `schedule.alerts.MOST`."""

    def __init__(self) -> None:
        self._raised: dict[int, tuple[float, e.AlertRaised]] = {}
        self._settled: dict[int, list[DeliveryView]] = {}
        self._waits: list[WaitView] = []

    def take(self, recorded: Recorded) -> None:
        match recorded.event:
            case e.AlertRaised() as event:
                self._raised[event.number] = (recorded.at, event)
            case e.WaitedForRoom() as event:
                self._waits.append(WaitView(recorded.at, event.folder, event.seconds))
            case e.AlertSettled() as event:
                self._settled.setdefault(event.number, []).append(
                    DeliveryView(event.channel, event.tries, event.problem)
                )

    def waits(self) -> tuple[WaitView, ...]:
        return tuple(self._waits)

    def views(self) -> tuple[AlertView, ...]:
        return tuple(
            AlertView(
                number=number,
                at=at,
                cause=event.cause.replace("_", " "),
                stage=event.stage,
                about=event.about,
                message=event.message,
                deliveries=tuple(self._settled.get(number, ())),
            )
            for number, (at, event) in self._raised.items()
        )


def delivered(alert: AlertView) -> str:
    """What became of it, in a few words; empty where nothing is recorded."""
    return "; ".join(_words(alert))


def _words(alert: AlertView) -> Iterator[str]:
    if by := [one.channel for one in alert.deliveries if not one.problem]:
        yield f"delivered by {', '.join(by)}"
    for one in alert.deliveries:
        if one.problem:
            yield not_delivered(one.channel, one.tries, one.problem)


def not_delivered(channel: str, tries: int, problem: str) -> str:
    """That a channel was given up, and why."""
    times = f"{tries} tries" if tries != 1 else "one try"
    return f"not delivered by {channel} in {times}: {visible(problem)}"
