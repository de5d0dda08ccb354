"""What every test relies on: no network, no real settings or store, and hypothesis tamed."""

import ipaddress
import os
import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci",
    derandomize=True,  # the same examples everywhere: a red run can be repeated
    deadline=None,
    max_examples=100,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no fault of a test
)
settings.register_profile("search", parent=settings.get_profile("ci"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

HOMES = (
    "HOME",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "WIN_PD_OVERRIDE_APPDATA",  # what platformdirs asks first on Windows
    "WIN_PD_OVERRIDE_LOCAL_APPDATA",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
)
UNWANTED = (
    "ALL_PROXY",
    "FORCE_COLOR",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_COLOR",
    "SOURCE_DATE_EPOCH",
    "all_proxy",
    "http_proxy",
    "https_proxy",
)
SAMPLES = "SSPR_AUDIT_SAMPLES"


def is_loopback(host):
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in {None, "", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    """A test that forgot its fake fails with a sentence and reaches nobody."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    look_up = socket.getaddrinfo

    def check(host):
        if not is_loopback(host):
            pytest.fail(f"this test tried to reach {host}")

    def guarded(method):
        def loopback_only(self, address):
            if self.family in {socket.AF_INET, socket.AF_INET6}:
                check(address[0])
            return method(self, address)

        return loopback_only

    def look_up_loopback(host, *args, **kwargs):
        check(host)
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded(connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", look_up_loopback)


@pytest.fixture(autouse=True)
def _private_home(monkeypatch, tmp_path_factory):
    """The settings, the store and the environment of whoever runs the tests stay out of them."""
    home = str(tmp_path_factory.mktemp("home"))
    for name in HOMES:
        monkeypatch.setenv(name, home)
    for name in os.environ:
        if name in UNWANTED or (name.startswith("SSPR_AUDIT_") and name != SAMPLES):
            monkeypatch.delenv(name)


@pytest.fixture
def samples():
    """The folder of real recordings, which are not ours to ship."""
    folder = os.environ.get(SAMPLES)
    if not folder:
        pytest.skip(f"{SAMPLES} names no folder of recordings")
    return Path(folder)
