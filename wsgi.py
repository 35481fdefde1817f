"""For any WSGI server: `waitress-serve wsgi:app`, `gunicorn wsgi:app`."""

from app import create_app
from app.web import logs
from config import Settings

logs.configure()
app = create_app(Settings.from_env())
