"""What a running portal has: its database, settings, migrations and log."""
