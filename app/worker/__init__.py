"""What goes on when nobody asks: mails, imports, seals, cleaning."""

# Of a worker that is told to stop: the time of one SMTP answer, and a little more
SECONDS_TO_FINISH = 25
