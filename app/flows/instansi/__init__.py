"""Mandates, contacts and PDM windows of an instansi."""
