"""A whole portal on one machine: PostgreSQL, Redis, a mail server, two web nodes, two workers, and nginx.

`deploy/try-cluster` shows it to a person, and tests use it as a library.
"""
