"""What identifies a person (email, NIP, instansi, category, mandates) changes by one gate."""
