"""Numbers, times and sizes as people read them. The same words in text, HTML and live progress."""

from __future__ import annotations

import time

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def number(value: int) -> str:
    """``12,345``."""
    return f"{value:,}"


def count(value: int, one: str, many: str = "") -> str:
    """``1 image``, ``12,345 images``."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def seconds(value: float) -> str:
    """A duration in up to three places: ``0.8 ms``, ``412 ms``, ``3.21 s``, ``2 min 05 s``."""
    if value < 0.9995:
        return f"{max(value, 0) * 1000:.{1 if value < 0.00995 else 0}f} ms"
    if value < 59.95:
        return f"{value:.{2 if value < 9.995 else 1}f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def stopwatch(value: float) -> str:
    """``0:07``, ``12:40``, ``3:02:11``."""
    whole = int(max(value, 0))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def about(value: float) -> str:
    """An estimate, no more exact than it can be: ``about 40 s``, ``about 12 min``."""
    if value < 10:
        return "a few seconds"
    if value < 90:
        return f"about {round(value / 5) * 5:.0f} s"
    if value < 90 * 60:
        return f"about {round(value / 60)} min"
    hours, minutes = divmod(round(value / 300) * 5, 60)
    return f"about {hours} h {minutes:02} min" if hours < 10 else f"about {hours} h"


def size(value: float) -> str:
    """Bytes in decimal units: ``812 B``, ``48.2 kB``, ``1.3 GB``."""
    if value < 1000:
        return f"{value:.0f} B"
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.5:
            return f"{value:.1f} {unit}" if value < 99.95 else f"{value:.0f} {unit}"
    return f"{value / 1000:,.1f} TB"


def rate(value: float) -> str:
    """How many a second, or a minute where that reads better."""
    if value <= 0:
        return "-"
    if value >= 99.5:
        return f"{value:,.0f}/s"
    if value >= 0.95:
        return f"{value:.1f}/s"
    return f"{value * 60:.1f}/min"


def share(value: float) -> str:
    """Per cent, where neither something reads as nothing nor a part as the whole."""
    if 0 < value < 0.005:
        return "< 1 %"
    if 0.995 <= value < 1:
        return "> 99 %"
    return f"{value:.0%}".replace("%", " %")


def moment(value: float) -> str:
    """Local wall-clock time: ``23 Nov 2026, 22:59:04``."""
    local = time.localtime(value)
    return (
        f"{local.tm_mday} {_MONTHS[local.tm_mon - 1]} {local.tm_year}, "
        f"{local.tm_hour:02}:{local.tm_min:02}:{local.tm_sec:02}"
    )


def iso(value: float) -> str:
    """The same moment for machines: UTC, ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(value))
