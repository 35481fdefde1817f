"""What an admin does for one person."""
