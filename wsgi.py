"""For any WSGI server: `waitress-serve wsgi:app`, `gunicorn wsgi:app`."""

import gc

# What a start makes stays. To look for garbage among it would take a sixth of the start.
gc.disable()

import logging  # noqa: E402

from app.runtime import logs  # noqa: E402
from app.wiring import create_app  # noqa: E402
from config import Settings  # noqa: E402

logs.configure()
settings = Settings.from_env()
for remark in settings.remarks:
    logging.getLogger("portal").warning(remark)
app = create_app(settings)

gc.freeze()  # what is here now stays, and is never looked at again
gc.enable()
