"""An admin does one thing to many people at once."""
