"""What `fte doctor` reads of what programs say of themselves."""

from __future__ import annotations

import pytest

from shared.cli.doctor import first_version


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("\x1b[1mApache Maven 3.8.7\x1b[m\nMaven home: /usr/share/maven\n", "3.8.7"),
        ("\x1b[38;5;2mv22.1.0\x1b[0m", "22.1.0"),
        ('openjdk version "21.0.2" 2024-01-16', "21.0.2"),
        ("\x1b[1mno version\x1b[0m", ""),
    ],
)
def test_a_version_is_read_through_its_colours(said: str, version: str) -> None:
    """The number of a colour is no version."""
    assert first_version(said) == version
