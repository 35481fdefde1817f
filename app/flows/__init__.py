"""WHAT PEOPLE DO. One module is one act. It has plain functions that take a session, return what happened and
never commit."""
