"""`agb doctor`: its report, and attacks from inside a sandbox; imports `sandboxes` and below."""
