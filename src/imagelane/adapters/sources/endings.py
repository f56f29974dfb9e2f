"""Endings of files that lie among photographs and are none.

Only what is surely no picture is told by its name. Everything else is taken: what a file is shows
in its content, where the stages look.
"""

from __future__ import annotations

from collections.abc import Mapping

_KINDS: Mapping[str, str] = {
    "text or document": "txt md rst rtf pdf doc docx odt xls xlsx ods ppt pptx odp pages numbers "
    "key htm html css epub tex",
    "data": "csv tsv json jsonl ndjson xml yaml yml toml ini cfg conf log sql db sqlite sqlite3 "
    "parquet plist dat",
    "sidecar of another program": "xmp aae thm lrv pp3 dop cos cot on1 lrcat lrdata lrprev xmpbak "
    "gpx kml",
    "video": "mp4 m4v mov avi mkv webm wmv flv mpg mpeg 3gp mts m2ts insv",
    "sound": "mp3 m4a wav flac ogg opus aac aiff wma",
    "archive": "zip tar gz tgz bz2 xz 7z rar zst iso dmg",
    "program": "exe dll so app msi sh bat cmd ps1 py pyc js ts rb pl php jar c h cpp rs go",
    "left by a system or a transfer": "lnk url webloc tmp temp part partial crdownload bak swp "
    "lock",
}

_REASONS: Mapping[str, str] = {
    ending: reason for reason, endings in _KINDS.items() for ending in endings.split()
}

SYSTEM_FOLDERS = frozenset({"@eaDir", "__MACOSX", "lost+found", "$RECYCLE.BIN", "#recycle"})
"""Folders that systems keep beside a user's own, some with small copies of pictures."""

_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "picasa.ini"})


def no_image(name: str) -> str | None:
    """Why a file of this name is no image; None where it may be one."""
    if name.lower() in _SYSTEM_FILES:
        return "left by a system or a transfer"
    stem, dot, ending = name.rpartition(".")
    return _REASONS.get(ending.lower()) if dot and stem else None
