"""What the tests of the core share."""

import os

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no failure.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture
def bare_environment(monkeypatch, tmp_path):
    """An environment without settings of this package, in an empty working directory."""
    for name in [name for name in os.environ if name.startswith("AGB_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return monkeypatch
