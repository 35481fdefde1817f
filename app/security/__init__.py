"""MECHANISMS: hashing, signing, throttles, the audit trail. No Flask here."""
