"""The package's own Graph client and sign-in, put together for a fake tenant."""

import random

from sspr_audit.sources.graph import http as wire
from sspr_audit.sources.graph.app import App, Secret
from sspr_audit.sources.graph.auth import SignIn
from sspr_audit.sources.graph.client import Graph
from sspr_audit.sources.graph.pace import Pace


def app(tenant, auth="secret", /, **fields):
    """Return the tenant's app; a secret is given in case it is needed."""
    usual = {
        "tenant": tenant.id,
        "client_id": tenant.client_id,
        "auth": auth,
        "authority": tenant.url,
        "graph": tenant.url,
        "secret": Secret(tenant.secret),
        "is_known_cloud": False,
    }
    return App(**{**usual, **fields})


class Parts:
    """What a fetch is made of. Nothing in it waits: the clock is the tenant's."""

    def __init__(self, tenant, auth="secret", /, *, prompt=None, environment=None, **fields):
        self.notes = []
        self.http = wire.client(tenant.ca)
        self.sign_in = SignIn(
            app(tenant, auth, **fields), self.http, tenant.clock, prompt, environment or {}
        )
        self.pace = Pace(tenant.clock)
        self.graph = Graph(
            self.http,
            self.sign_in,
            tenant.url,
            self.pace,
            tenant.clock,
            note=self.notes.append,
            dice=random.Random(7),  # noqa: S311 - repeatable on purpose
        )

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.http.close()
