"""A token by mail, and the password that it sets."""
