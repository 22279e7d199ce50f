"""What a session can do: each tool, its arguments in, text in the reply form of the session out."""
