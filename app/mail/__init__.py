"""LETTERS: what is written to people, and how it reaches the mail server."""
