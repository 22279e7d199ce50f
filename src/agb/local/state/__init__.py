"""What a server keeps on disk and finds again: its folder, its databases and their pages."""
