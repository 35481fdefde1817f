"""Somebody asks for another email address; an admin answers."""
