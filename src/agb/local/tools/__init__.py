"""What a session can do: each tool, its arguments, its reply; imports `sessions` and below."""
