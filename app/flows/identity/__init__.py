"""What identifies a person (email, NIP, instansi, category, mandates) changes through one gate."""
