"""The life of a session, labels, parameters; imports `contexts`, `tools` and `wire`."""
