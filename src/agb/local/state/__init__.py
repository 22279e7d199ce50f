"""What a server finds again: its folder, databases, pages of lists; imports `machine`."""
