"""A site over django-allauth for the same act: ask for a reset, set a password, log in, see a first page.

It runs in the virtual environment of BENCH_ALLAUTH (django-allauth, argon2-cffi, gunicorn), with the argon2id
parameters of the portal. `python -m bench.allauth_app PEOPLE` makes its database.
"""
# mypy: ignore-errors

import os
import sys

import django
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher


class SameCost(Argon2PasswordHasher):
    memory_cost, time_cost, parallelism = 19456, 2, 1


_PROCESSORS = [
    f"django.{name}"
    for name in ("template.context_processors.request", "contrib.auth.context_processors.auth")
]
if not settings.configured:
    settings.configure(
        SECRET_KEY="a key for measurements only, of no use elsewhere",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="bench.allauth_app",
        USE_TZ=True,
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": os.environ["ALLAUTH_DATABASE"],
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
                },
            }
        },
        INSTALLED_APPS=[
            *(f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions", "messages")),
            "allauth",
            "allauth.account",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "allauth.account.middleware.AccountMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": _PROCESSORS},
            }
        ],
        AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
        PASSWORD_HASHERS=["bench.allauth_app.SameCost"],
        ACCOUNT_LOGIN_METHODS={"email"},
        ACCOUNT_SIGNUP_FIELDS=["email*", "password1*"],
        ACCOUNT_EMAIL_VERIFICATION="none",
        ACCOUNT_EMAIL_NOTIFICATIONS=True,
        ACCOUNT_RATE_LIMITS=False,
        LOGIN_REDIRECT_URL="/",
        EMAIL_HOST=os.environ.get("MAIL_SERVER", "127.0.0.1"),
        EMAIL_PORT=int(os.environ.get("MAIL_PORT", "25")),
        DEFAULT_FROM_EMAIL="no-reply@contoh.example",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    if __name__ != "__main__":
        django.setup()


def _make_people(count: int) -> None:
    from allauth.account.models import EmailAddress
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    users = get_user_model().objects
    users.bulk_create(
        users.model(username=f"p{n}", email=f"p{n}@contoh.example", password="argon2$unknown")
        for n in range(count)
    )
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users.all()
    )


if __name__ == "__main__":
    sys.modules["bench.allauth_app"] = sys.modules["__main__"]
    django.setup()
    _make_people(int(sys.argv[1]))
else:
    from django.contrib.auth.decorators import login_required
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import include, path

    @login_required
    def home(_request):
        return HttpResponse("<h1>Beranda</h1>")

    urlpatterns = [
        path("accounts/", include("allauth.urls")),
        path("healthz", lambda _request: HttpResponse("ok")),
        path("", home),
    ]
    site = get_wsgi_application()
