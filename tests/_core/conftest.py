"""What the tests of the core share."""

import os

import pytest


@pytest.fixture
def bare_environment(monkeypatch, tmp_path):
    """An environment without settings of this package, in an empty working directory."""
    for name in [name for name in os.environ if name.startswith("AGB_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return monkeypatch
