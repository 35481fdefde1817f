"""Tables and photos that somebody sent, read where they can do no harm."""
