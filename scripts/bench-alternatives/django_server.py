"""django-oauth-toolkit on PostgreSQL, as one module: settings, addresses and the WSGI application for gunicorn."""

import os
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import path

database = urlsplit(os.environ["BENCH_POSTGRES_URL"])

settings.configure(
    DEBUG=False,
    SECRET_KEY="a-key-of-this-bench",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    LOGGING_CONFIG=None,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    # For the length of answers, without which a connection is not kept.
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": database.path.lstrip("/"),
            "USER": database.username,
            "PASSWORD": unquote(database.password or ""),
            "HOST": database.hostname,
            "PORT": database.port,
            "CONN_MAX_AGE": None,
        }
    },
    OAUTH2_PROVIDER={"SCOPES": {"read": "Read"}},
)
django.setup()

from oauth2_provider.models import get_application_model  # noqa: E402
from oauth2_provider.views import TokenView  # noqa: E402

urlpatterns = [path("token/", TokenView.as_view())]
application = get_wsgi_application()


def prepare():
    """The tables, and a client whose secret is kept as it is: with a slow hash it would be measured and nothing else."""
    call_command("migrate", verbosity=0)
    Application = get_application_model()
    Application.objects.get_or_create(
        client_id="bench",
        defaults={
            "client_secret": "a-secret-of-this-bench",
            "hash_client_secret": False,
            "client_type": Application.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": Application.GRANT_CLIENT_CREDENTIALS,
        },
    )
