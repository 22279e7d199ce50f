# Run by bash before the command it was started for; see `shell.py`.
builtin ulimit -u "$AGB_MAX_PROCESSES"
builtin unset AGB_MAX_PROCESSES BASH_ENV
