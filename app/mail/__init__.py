"""LETTERS: what the portal writes to people, and how the mails reach the mail server."""
