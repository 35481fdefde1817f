"""MECHANISMS: hashing, signing, limits, the trail. Flask is not used here."""
