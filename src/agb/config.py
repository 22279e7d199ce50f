"""Documented import path of the settings."""

from agb._core.config import BROWSER_DATA_PATH, Config, default_config, load_config

__all__ = [
    "BROWSER_DATA_PATH",
    "Config",
    "default_config",
    "load_config",
]
