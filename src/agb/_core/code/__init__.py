"""Code that runs in a session: results and streams; imports `sessions`, `tools`, `wire`."""
