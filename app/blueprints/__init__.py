"""PAGES. A view parses, calls one act and shows what happened."""
