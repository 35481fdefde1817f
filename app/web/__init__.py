"""FLASK PLUMBING: what stands between a request and an act."""
