"""The languages of cells, as far as this machine has them."""

from __future__ import annotations

import shutil

import pytest

PROGRAMS = {"python": "python3", "javascript": "node", "java": "jshell", "r": "Rscript"}
HERE = [language for language, program in PROGRAMS.items() if shutil.which(program)]


def needs(language):
    """Skip where the language is not installed."""
    program = PROGRAMS[language]
    return pytest.mark.skipif(language not in HERE, reason=f"needs `{program}`")


every_language = pytest.mark.parametrize(
    "language", [pytest.param(language, marks=needs(language)) for language in PROGRAMS]
)
