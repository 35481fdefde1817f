"""What admins read: the overview and the trail."""
