"""Files of staff and of instansi."""
