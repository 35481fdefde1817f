"""What goes on when nobody asks: mails, imports, seals, cleaning."""
