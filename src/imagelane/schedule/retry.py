"""Whether another attempt is made, and after how long."""

from __future__ import annotations

from imagelane.model.outcome import Failure
from imagelane.model.policy import RetryPolicy


def retry_delay(policy: RetryPolicy, failure: Failure, attempt: int, draw: float) -> float | None:
    """Seconds until the next attempt, or None when there shall be none.

    ``attempt`` is the one that failed, from 1; ``draw`` is a random number in [0, 1). Exponential
    backoff with full jitter spreads the retries of many images over the whole interval, so they do
    not come back in step ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015). What the
    other side asked for (Retry-After) is kept, up to the policy's maximum.
    """
    if failure.error not in policy.on or attempt >= policy.attempts:
        return None
    bound = policy.max
    # The exponent is bounded so that a large attempt number cannot overflow a float.
    exponent = min(attempt - 1, 64)
    bound = min(bound, policy.initial * policy.backoff**exponent)
    delay = bound * draw if policy.jitter == "full" else bound
    if failure.retry_after is not None:
        delay = max(delay, min(failure.retry_after, policy.max))
    return delay
