"""WHAT PEOPLE DO. One module is one act: plain functions of a session that return what happened and never
commit."""
