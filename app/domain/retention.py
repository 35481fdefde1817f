"""How long what is kept. `/privasi` tells it to everybody, and the worker removes what is older."""

from datetime import timedelta

MAILS_KEPT_FOR = timedelta(days=90)
PUSAT_REPORTS_KEPT_FOR = MAILS_KEPT_FOR  # what admins did to many at once, for the digest of pusat
REQUESTS_KEPT_FOR = MAILS_KEPT_FOR  # a mail is explained by its request
LINKS_KEPT_FOR = timedelta(days=30)  # requests whose form nobody has filled in
# Counted from the decision: attachment, phone number, reason and wish of a correction
TYPED_KEPT_FOR = timedelta(days=30)
UNDECIDED_KEPT_FOR = timedelta(days=90)  # the attachment of a correction that nobody ever decided
BULK_ROWS_KEPT_FOR = timedelta(days=90)  # who was in an act on many people, and what became of it
BULK_PREVIEWS_KEPT_FOR = timedelta(days=1)  # an act on many people that nobody has started
TICKETS_OF_NOBODY_KEPT_FOR = timedelta(days=100)  # longer than the link in the last mail leads to the ticket
