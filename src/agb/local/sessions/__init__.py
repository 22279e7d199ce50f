"""Who lives: sessions from their creation to their end, and what is written down of them."""
