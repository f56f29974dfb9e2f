"""What is predicted of a run, and what is advised: plain values for whoever shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from imagelane.model.ids import StageName
from imagelane.model.policy import RunOptions


@dataclass(frozen=True, slots=True)
class Interval:
    """What is expected, and between what it lies nine times out of ten."""

    low: float
    middle: float
    high: float

    def __contains__(self, value: object) -> bool:
        return isinstance(value, float | int) and self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Load:
    """How busy something is that there is so much of: a limit, the cores, the one lane.

    ``name`` is what a person calls it, ``stage`` the one that takes most of it. ``share`` is of its
    places, from 0 to 1.
    """

    name: str
    stage: StageName | None
    places: float
    share: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """A run that has not happened. Seconds count from its first task; ``start`` comes before.

    ``first`` and ``median`` are when the first and the median group is live; None: none will be.
    ``rate`` is images a second, ``memory`` bytes at most, of all processes together. ``loads`` are
    from the busiest on, so the first is the bottleneck and the second the next one. ``under_way``
    is how many of each stage are at a time, on average; ``computing`` the same of cores.

    ``simulated`` images were simulated one by one; where that is fewer than ``images``, the rest
    goes on at the rate that the busiest of all allows. ``cost`` is in the unit that was given.
    """

    label: str
    options: RunOptions
    images: int
    groups: int
    seconds: Interval
    start: float
    first: Interval | None
    median: Interval | None
    rate: float
    memory: Interval | None
    processes: int
    in_flight: int
    loads: tuple[Load, ...]
    under_way: Mapping[StageName, float]
    computing: float
    simulated: int
    ending: str = "finished"
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A stage that is moved out of a sequential run's lane, after those before it in a list:
    ``seconds`` are what the batch takes then, ``gained`` how much less that is."""

    stage: StageName
    workers: int
    seconds: float
    gained: float


@dataclass(frozen=True, slots=True)
class Ceiling:
    """However many workers there are, it does not get faster than this: ``speed_up`` times one at a
    time, because of ``name``. ``serial`` is the share of all work that is done one after the other
    whatever happens, so that Amdahl's law allows ``amdahl`` times."""

    speed_up: float
    name: str
    serial: float
    amdahl: float


class Answer(StrEnum):
    """What is advised, in a word."""

    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"
    HYBRID = "hybrid"


@dataclass(frozen=True, slots=True)
class Price:
    """``amount`` of a currency for one core during one hour."""

    amount: float
    currency: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What advice is wanted on. ``deadline`` is in seconds."""

    images: int
    groups: int
    cores: int
    deadline: float | None = None
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """``forecasts`` are of each model at its best, and of the run as the file has it (``now``);
    ``chosen`` is the one that is advised. ``knee`` gives (number, seconds) of what matters most,
    ``knee_of``, up to where more of it gains nothing: times of a trial batch, as those of ``moves``
    are.  ``moves`` are in the order in which they should be made. ``slower``
    names stages that get slower the more of them are side by side, with how many times as long
    two at once take each. ``sure`` and ``unsure`` are sentences."""

    pipeline: str
    origin: str
    asked: Asked
    answer: Answer
    chosen: Forecast
    forecasts: tuple[Forecast, ...]
    now: Forecast
    ceiling: Ceiling
    moves: tuple[Move, ...]
    knee_of: str
    knee: tuple[tuple[int, float], ...]
    slower: tuple[tuple[StageName, float], ...]
    reason: str
    sure: tuple[str, ...] = field(default=())
    unsure: tuple[str, ...] = field(default=())

    def of_model(self, model: str) -> Forecast:
        """The best of one model. Raises KeyError."""
        for forecast in self.forecasts:
            if forecast.options.model.value == model:
                return forecast
        raise KeyError(model)
