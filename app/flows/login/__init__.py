"""Logging in and logging out."""
