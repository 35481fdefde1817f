"""Candidates wait until their instansi approves them."""
