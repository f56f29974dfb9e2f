from __future__ import annotations

import pytest

from imagelane.adapters.sources.globs import Glob, has_magic, split


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.jpg", "a.jpg", True),
        ("*.jpg", "a.JPG", False),
        ("*.[jJ][pP][gG]", "a.JPG", True),
        ("*.jpg", "b/a.jpg", False),
        ("*/*.jpg", "b/a.jpg", True),
        ("**/*.jpg", "a.jpg", True),
        ("**/*.jpg", "c/b/a.jpg", True),
        ("**", "c/b/a.jpg", True),
        ("b/**", "b", False),
        ("b/**", "b/a.jpg", True),
        ("b/**/raw/*.jpg", "b/c/d/raw/a.jpg", True),
        ("b/**/raw/*.jpg", "b/raw/a.jpg", True),
        ("b/**/raw/*.jpg", "b/c/a.jpg", False),
        ("2024-??/*", "2024-05/a.jpg", True),
        ("2024-??/*", "2024-123/a.jpg", False),
        ("a*b.jpg", "a\nb.jpg", True),
        ("[[]x].jpg", "[x].jpg", True),
        ("**/x/**/*.jpg", "x/y/x/a.jpg", True),
    ],
)
def test_files_that_are_meant(pattern: str, path: str, expected: bool) -> None:
    assert Glob(pattern).matches(path) is expected


@pytest.mark.parametrize(
    ("pattern", "folder", "expected"),
    [
        ("*.jpg", "b", False),
        ("*/*.jpg", "b", True),
        ("*/*.jpg", "b/c", False),
        ("b/*.jpg", "c", False),
        ("**/*.jpg", "b/c/d", True),
        ("b/**/*.jpg", "c", False),
        ("b/**/*.jpg", "b/c", True),
    ],
)
def test_folders_that_are_worth_a_look(pattern: str, folder: str, expected: bool) -> None:
    assert Glob(pattern).descends(folder) is expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("photos/*.jpg", ("photos", "*.jpg")),
        ("*.jpg", (".", "*.jpg")),
        ("/data/p/**/x/*.jpg", ("/data/p", "**/x/*.jpg")),
        ("/*.jpg", ("/", "*.jpg")),
        ("../a/[0-9]/b", ("../a", "[0-9]/b")),
    ],
)
def test_pattern_begins_in_a_folder(origin: str, expected: tuple[str, str]) -> None:
    assert has_magic(origin)
    assert split(origin) == expected
