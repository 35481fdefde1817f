"""For any WSGI server: `waitress-serve wsgi:app`, `gunicorn wsgi:app`."""

import logging

from app.runtime import logs
from app.wiring import create_app
from config import Settings

logs.configure()
settings = Settings.from_env()
for remark in settings.remarks:
    logging.getLogger("portal").warning(remark)
app = create_app(settings)
