from __future__ import annotations

import stat
from pathlib import Path

import pytest

from imagelane.adapters.auditing.keys import Keys, followed, new_key, read_key
from imagelane.ports.audit import SigningError


def test_a_private_key_goes_round_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    keys, key = Keys(tmp_path / "keys"), new_key("example.com/galleries")
    keys.keep(key)
    assert read_key(keys.private) == key
    assert stat.S_IMODE(keys.private.stat().st_mode) == 0o600
    assert keys.public() == [key.public]
    keys.private.chmod(0o640)
    with pytest.raises(SigningError, match="chmod 600"):
        read_key(keys.private)


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    keys, key = Keys(tmp_path), new_key("example.com/galleries")
    keys.keep(key)
    with pytest.raises(SigningError, match="rotate"):
        keys.keep(new_key("example.com/galleries"))
    assert read_key(keys.private) == key


@pytest.mark.parametrize("name", ["", "two words", "a+b"])
def test_a_name_that_a_note_cannot_bear_is_refused(name: str) -> None:
    with pytest.raises(SigningError, match="no name for a key"):
        new_key(name)


@pytest.mark.parametrize("text", ["", "PRIVATE+KEY+a+b", "PRIVATE+KEY+a+00000000+AAAA", "nothing"])
def test_what_is_no_private_key_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(SigningError, match="no private key"):
        read_key(file)


def test_trust_follows_every_replacement_and_no_other(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    first, second, third = (new_key("example.com/galleries") for _ in range(3))
    keys.keep(first)
    keys.replace(first, second, keys.private)
    keys.replace(second, third, keys.private)
    assert read_key(keys.private) == third
    notes = keys.successions()
    every = [one.public for one in (first, second, third)]
    assert set(keys.public()) == set(every)
    assert set(followed([first.public], notes)) == set(every)
    assert followed([third.public], notes) == [third.public]
    stranger = new_key("example.com/galleries")
    forged = [note.replace(str(third.public), str(stranger.public)) for note in notes]
    assert stranger.public not in followed([first.public], forged)
