"""The portal. Nothing is imported here: a process that only reads a workbook needs no page and no table."""
