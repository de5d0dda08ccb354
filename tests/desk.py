"""What the tests of commands on Graph share: a tenant, a settings file, and runs of commands."""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import keep
import pytest
from graph_tenant import Tenant

from sspr_audit import cli


@dataclass
class Desk:
    """A tenant, a folder with nothing but a settings file, and somebody who types commands."""

    tenant: Tenant
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    config: Path

    def settings(self, **changes):
        """Write the settings file anew; `cloud` is of the cloud, the rest of the tenant."""
        clouds = {
            "authority": self.tenant.url,
            "graph": self.tenant.url,
            **changes.pop("cloud", {}),
        }
        ours = {"id": self.tenant.id, "client_id": self.tenant.client_id, "auth": "secret"}
        ours = {k: v for k, v in {**ours, "cloud": "fjord", **changes}.items() if v is not None}
        self.config = keep.settings(self.folder, **{"tenant": ours, "clouds.fjord": clouds})

    def run(self, *args):
        """Run a command here, by the tenant's clock; return its exit code, stdout and stderr.

        Of a test's own streams only these would be searched for secrets.
        """
        out, err = io.StringIO(), io.StringIO()
        with (
            pytest.raises(SystemExit) as ended,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            cli.main([*map(str, args), "--config", str(self.config)])
        return ended.value.code, out.getvalue(), err.getvalue()

    def environ(self, **values):
        """Set variables; None takes one away."""
        for name, value in values.items():
            if value is None:
                self.monkeypatch.delenv(name, raising=False)
            else:
                self.monkeypatch.setenv(name, value)

    @property
    def keeper(self):
        return keep.keeper(self.folder)


@contextlib.contextmanager
def desk(tmp_path, monkeypatch, records=(), *, clock):
    """Yield a desk where the program trusts the tenant, has its secret and lives by its clock."""
    with Tenant(records, clock=clock) as tenant:
        folder = tmp_path / "desk"
        folder.mkdir()
        one = Desk(tenant, folder, monkeypatch, folder)
        one.settings()
        one.environ(SSL_CERT_FILE=tenant.ca, SSPR_AUDIT_CLIENT_SECRET=tenant.secret)
        monkeypatch.setattr("sspr_audit.cli.run.Wall", lambda: tenant.clock)
        yield one
