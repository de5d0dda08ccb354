"""`init`: a settings file that works, for its owner alone, and five lines on the registration."""

import os
import pty
import subprocess
import tomllib

import pytest
from keep import command, ran

from sspr_audit import cli, knowledge, settings

TENANT = "00000000-0000-0000-0000-000000000001"
CLIENT = "00000000-0000-0000-0000-0000000000aa"


@pytest.fixture
def sspr(capfd):
    """Run a command here; return its exit code, stdout and stderr."""

    def run(*args):
        with pytest.raises(SystemExit) as ended:
            cli.main([str(arg) for arg in args])
        told = capfd.readouterr()
        return ended.value.code, told.out, told.err

    return run


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "settings.toml"


def test_the_file_says_what_was_asked_for(path, sspr):
    """Readable by its owner alone; what was not named stands there as a comment."""
    code, _, err = sspr(
        *("init", "--config", path, "--tenant", TENANT, "--client-id", CLIENT),
        *("--cloud", "usgov-dod", "--auth", "federated"),
    )
    made = settings.load(path, environ={})

    assert code == 0
    assert err == f"settings: {path} is written; `sspr-audit doctor` looks through it\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert (made.tenant.id, made.tenant.client_id) == (TENANT, CLIENT)
    assert (made.tenant.cloud, made.tenant.auth) == ("usgov-dod", "federated")


@pytest.mark.parametrize("odd", ["\U0001f600", "mal\x7fmö", 'a"b', "a\nb", "\ud83d", "a\\u0041"])
def test_a_tenant_of_odd_letters_is_refused_in_a_sentence(odd, path, sspr):
    """Whatever TOML makes of it; and no file is left that could not be read."""
    code, _, err = sspr("init", "--config", path, "--tenant", odd)

    assert code == 2
    assert "[tenant], id: must be one tenant" in err
    assert not path.exists()


@pytest.mark.parametrize("auth", ["device-code", "secret", "certificate", "managed-identity"])
def test_every_way_to_sign_in_makes_a_file_that_is_accepted(auth, path, sspr):
    """By the very check that reads it later."""
    code, out, _ = sspr("init", "--config", path, "--auth", auth)

    assert code == 0
    assert settings.load(path, environ={}).tenant.auth == auth
    assert out.count("\n") == 5


def test_every_comment_is_right_when_it_is_made_real(path, sspr):
    """Whoever takes the signs away gets settings, and not faults."""
    sspr("init", "--config", path)
    lines = path.read_text("utf-8").splitlines()
    begin = lines.index("[tenant]")
    real = "\n".join(line.removeprefix("# ") for line in lines[begin:])
    made = settings.checked(tomllib.loads(real), file=path)

    assert made.tenant.id == TENANT
    assert made.store.path == path.with_name("store.duckdb")
    assert made.store.keep == settings.checked({}, file=None).store.keep
    assert made.sites[0].name == "Malm\u00f6"
    assert made.client_types
    assert made.report.timezone


def test_a_file_that_is_there_stays(path, sspr):
    """Exit 2, and not a byte is changed; a link that leads nowhere is a file, too."""
    sspr("init", "--config", path)
    before = path.read_bytes()
    code, out, err = sspr("init", "--config", path, "--tenant", TENANT)
    link = path.with_name("link.toml")
    link.symlink_to(path.with_name("nowhere"))

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "is there already" in err
    assert path.read_bytes() == before
    assert sspr("init", "--config", link)[0] == 2
    assert not link.exists()


def test_it_goes_where_settings_are_looked_for(tmp_path, monkeypatch, sspr):
    """The place that the variable names, else the user's own folder."""
    monkeypatch.setenv("SSPR_AUDIT_CONFIG", str(tmp_path / "named.toml"))
    sspr("init")
    monkeypatch.delenv("SSPR_AUDIT_CONFIG")
    code, _, err = sspr("init")

    assert (tmp_path / "named.toml").exists()
    assert code == 0
    usual = settings.load(None, environ={}).file
    assert usual
    assert str(usual) in err


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["--tenant", "common"], "[tenant], id: must be one tenant"),
        (["--client-id", "app"], "[tenant], client_id: must be an id"),
        (["--cloud", "mars"], "[tenant], cloud: must be global"),
        (["--tenant", 'x"\nid = "y'], "[tenant], id"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(args, word, path, sspr):
    """Exit 2; the next try finds no half of a file."""
    code, out, err = sspr("init", "--config", path, *args)

    assert (code, out) == (2, "")
    assert word in err
    assert not path.exists()


def test_a_folder_that_cannot_be_is_6(tmp_path, sspr):
    """The machine's trouble, in one line."""
    (tmp_path / "file").write_text("")
    code, _, err = sspr("init", "--config", tmp_path / "file" / "settings.toml")

    assert (code, err.count("\n")) == (6, 1)


@pytest.mark.parametrize("cloud", knowledge.load().clouds)
def test_the_registration_is_told_for_the_cloud(cloud, path, sspr):
    """Five lines: portal, credential, the one permission, consent, and what to do then."""
    _, out, _ = sspr(
        *("init", "--config", path, "--cloud", cloud, "--tenant", TENANT, "--client-id", CLIENT),
        *("--auth", "secret"),
    )
    ours = knowledge.load().clouds[cloud]
    portal, credential, permission, consent, then = out.splitlines()

    assert portal.startswith(f"1. {ours.admin_center or ours.azure_portal} > App registrations")
    assert "SSPR_AUDIT_CLIENT_SECRET" in credential
    assert "application: AuditLog.Read.All, and no other" in permission
    assert consent.endswith(f"{ours.authority}/{TENANT}/adminconsent?client_id={CLIENT}")
    assert str(path) in then


def test_a_person_needs_a_role_too(path, sspr):
    """Who signs in as themselves has the permission only as far as their role goes."""
    _, out, _ = sspr("init", "--config", path, "--auth", "browser")

    assert "delegated: AuditLog.Read.All, and no other; who signs in needs the role Reports" in out
    assert "http://localhost" in out


def test_nobody_is_asked_but_at_a_terminal(path):
    """A pipeline never waits for an answer."""
    done = ran("init", "--config", path, input=b"")

    assert done.returncode == 0
    assert b"?" not in done.stderr
    assert b"(empty for later)" not in done.stderr


def test_at_a_terminal_the_ids_are_asked_for(path):
    """An empty answer leaves it for later."""
    ours, theirs = pty.openpty()
    run = command("init", "--config", path, env={"TERM": "dumb"})
    with subprocess.Popen(**run, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        os.write(ours, f"{TENANT}\n\n".encode())
        out = process.stdout.read()
        process.wait()
        shown = os.read(ours, 65536)
    os.close(ours)
    made = settings.load(path, environ={})

    assert process.returncode == 0, shown
    assert shown.count(b"(empty for later)") == 2
    assert out.startswith(b"1. ")
    assert (made.tenant.id, made.tenant.client_id) == (TENANT, None)
