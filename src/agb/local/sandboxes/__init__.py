"""A sandbox from outside: start, ask, check its answers, end; imports `state` and below."""
