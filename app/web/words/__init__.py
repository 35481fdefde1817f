"""Sentences about what happened, as admins and people read them."""
