"""`fetch`, and reports that bring the store up to date first, over real sockets."""

import json
import logging
import os
import pty
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import keep
import pytest
from desk import desk
from fetch import DAY, HOUR, MINUTE, NOW, records
from graph_credentials import key_pair
from graph_records import audit
from graph_tenant import AUDITS, Clock
from keep import TENANT, command, ran

from sspr_audit import engine
from sspr_audit.cli import bar, fetch
from sspr_audit.cli.clock import Wall
from sspr_audit.model import Gap
from sspr_audit.pipeline.fetched import Fetched, SoFar
from sspr_audit.sources import demo

OLD = NOW - 20 * DAY
"""The time of a record that only a tenant with a licence still has."""


@pytest.fixture(scope="module")
def made():
    """Records of three days and an old one."""
    return (audit(OLD), *records(120))


@pytest.fixture
def at_desk(tmp_path, monkeypatch, made):
    """A tenant with such records, and a folder with a settings file."""
    with desk(tmp_path, monkeypatch, made, clock=Clock()) as one:
        yield one


@pytest.fixture(scope="module")
def first_fetch(tmp_path_factory, made):
    """The folder in which somebody at such a desk has fetched."""
    folder = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch, desk(folder, patch, made, clock=Clock()) as one:
        assert one.run("fetch")[0] == 0
    return one.folder


@pytest.fixture
def fetched(at_desk, first_fetch):
    """The desk after a first fetch, of which its tenant knows nothing."""
    for path in first_fetch.glob("store.*"):
        shutil.copy2(path, at_desk.folder)
    return at_desk


def lines(err):
    """Return what was told beside the name of the settings file."""
    return [line for line in err.splitlines() if not line.startswith("settings:")]


# fetch


def test_a_fetch_tells_what_it_brought_and_what_it_cost(at_desk):
    """Calm lines on stderr, nothing on stdout, and the exit code of a whole answer."""
    code, out, err = at_desk.run("fetch")
    got, context, asked = lines(err)

    assert (code, out) == (0, "")
    assert context.startswith("context: ")
    assert got.startswith("fetched: 121 records, 121 new, in 1 window (requests: 1 directoryAudits")
    assert "1 probe, 2 sign-in" in got
    assert asked.startswith("asked for: every audit record, as the narrow query is not proved yet")


def test_a_second_fetch_goes_on_where_the_first_one_was(at_desk):
    """It costs one request for the overlap, and keeps the pace of the process before it."""
    at_desk.run("fetch")
    before = len(at_desk.tenant.asked())
    at_desk.tenant.clock.advance(1)
    code, _, err = at_desk.run("fetch", "--all-audits")

    assert code == 0
    assert " 0 new, " in err
    assert len(at_desk.tenant.asked()) == before + 1
    assert "asked for: every audit record\n" in err
    state = at_desk.keeper.path.with_name("store.duckdb.pace")
    # two windows, one probe, and registration details, which share the limit of the reports
    assert len(json.loads(state.read_text())["reports"]["sent"]) == 4
    assert state.stat().st_mode & 0o777 == 0o600


def test_the_filter_and_its_proof_are_told(at_desk):
    """Once enough is known whole, what a report cannot use is not asked for any more."""
    at_desk.tenant.add(AUDITS, records(240, NOW - 2 * DAY, NOW - DAY, ours=1.0))
    at_desk.run("fetch")
    at_desk.tenant.clock.advance(3600)
    code, _, err = at_desk.run("fetch")

    ends = ("2026-11-20T10:00:00Z", "2026-11-20T12:00:00Z")
    found = [report(at_desk, "--offline", "--since", "1h", "--until", end)[1] for end in ends]
    whole, part = (one["inputs"]["filter"] for one in found)

    assert code == 0
    assert whole is None  # fetched while nothing was proved yet
    assert part.startswith("loggedByService eq 'Self-service Password Management' or ")
    assert "asked for: what a report can use; tested 2026-11-20 " in err
    assert "it brought all " in err


def test_what_is_missing_is_named_even_when_quiet(at_desk):
    """Exit 3, and one line for each gap."""
    at_desk.tenant.graph.licence = "free"
    code, out, err = at_desk.run("fetch", "-q")

    assert (code, out) == (3, "")
    assert err == (
        "gap: 2026-10-21T12:00:00Z to 2026-11-13T12:00:00Z: older than the 7 days that the"
        " service keeps\n"
    )


def test_what_cannot_be_read_is_named(at_desk):
    """A record without a time that could be read is counted, with its reason, and exits 3."""
    broken = audit(NOW - 5 * HOUR, initiatedBy="nobody")
    at_desk.tenant.add(AUDITS, [{**broken, "targetResources": 7}])
    code, _, err = at_desk.run("fetch", "-q")

    assert (code, err.count("\n")) == (3, 1)
    assert err.startswith("skipped: 1 record: ")


def test_late_records_are_told(fetched):
    """How many, and between which bounds they were late."""
    late = audit(NOW - HOUR)
    fetched.tenant.add(AUDITS, [late])
    fetched.tenant.clock.advance(60)
    _, _, err = fetched.run("fetch")

    assert "late: 1 record came after their time had been fetched, 60 to 61 min after" in err


def test_many_gaps_are_counted_unless_all_are_wanted():
    """Twenty are named; --verbose names the others too."""
    gaps = tuple(Gap(NOW + n * HOUR, NOW + n * HOUR + MINUTE, "why") for n in range(25))
    done = Fetched(0, 0, 0, 0, 0, {}, 0.0, gaps, None, "", None, {})
    told = list(fetch.missing(done, verbose=False))

    assert len(list(fetch.missing(done, verbose=True))) == 25
    assert (len(told), told[-1]) == (21, "and 5 more gaps; --verbose names them")


# What can go wrong


def secret(one):
    one.environ(SSPR_AUDIT_CLIENT_SECRET="wrong")  # noqa: S106 - a word


def no_secret(one):
    one.environ(SSPR_AUDIT_CLIENT_SECRET=None)


def expired_secret(one):
    one.tenant.app.secret_expired = True


def certificate(one):
    one.settings(auth="certificate", certificate="app.pem")
    one.tenant.refuse_sign_in(700027)
    (one.folder / "app.pem").write_bytes(key_pair().pem())


def consent(one):
    one.tenant.refuse_sign_in(65001)


def permission(one):
    one.tenant.graph.permissions.clear()


def other_tenant(one):
    one.settings(id="00000000-0000-0000-0000-0000000000ff")


def other_cloud(one):
    one.settings(cloud={"graph": one.tenant.elsewhere})


def portal(one):
    one.tenant.fault("portal")


def portal_at_sign_in(one):
    one.tenant.fault("portal", where="sign-in")


def interception(one):
    import trustme

    trustme.CA().cert_pem.write_to_path(str(one.folder / "other.pem"))
    one.environ(SSL_CERT_FILE=str(one.folder / "other.pem"))


def proxy(one):
    one.environ(HTTPS_PROXY=one.tenant.plain, NO_PROXY=None, no_proxy=None)


def no_network(one):
    one.settings(cloud={"authority": "https://localhost:1"})


def clock_ahead(one):
    one.monkeypatch.setattr("sspr_audit.cli.run.Wall", lambda: Clock(NOW + DAY))


def clock_behind(one):
    one.monkeypatch.setattr("sspr_audit.cli.run.Wall", lambda: Clock(NOW - DAY))


def nobody(one):
    one.settings(auth="device-code")


def no_app(one):
    one.settings(client_id=None)


FAULTS = {
    secret: (4, "AADSTS7000215: the client secret is wrong"),
    no_secret: (4, "SSPR_AUDIT_CLIENT_SECRET"),
    expired_secret: (4, "AADSTS7000222: the client secret has expired"),
    certificate: (4, "AADSTS700027: the certificate is not one of app"),
    consent: (4, "AADSTS65001: nobody has consented"),
    permission: (4, "lacks AuditLog.Read.All: an administrator adds it"),
    other_tenant: (4, "AADSTS90002: there is no tenant"),
    other_cloud: (4, "AADSTS500011: there is no Graph of this address"),
    portal: (5, "something other than localhost answered, with a page for people"),
    portal_at_sign_in: (5, "something other than localhost answered, with a page for people"),
    interception: (5, "is not trusted"),
    proxy: (5, "the proxy wants a user name and a password (407)"),
    no_network: (5, "localhost does not answer"),
    clock_ahead: (6, "this machine's clock is 1 day, 0:00:00 (h:mm:ss) ahead of that of localhost"),
    clock_behind: (6, "this machine's clock is 1 day, 0:00:00 (h:mm:ss) behind that of localhost"),
    nobody: (4, "[tenant] auth = device-code needs a person at a terminal"),
    no_app: (2, "[tenant] client_id is missing"),
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_what_goes_wrong_is_one_line_for_who_can_mend_it(fault, at_desk):
    """With the service's own code, and the exit code of the contract."""
    wanted, words = FAULTS[fault]
    fault(at_desk)
    code, out, err = at_desk.run("fetch", "-q")

    assert (code, out, err.count("\n")) == (wanted, "", 1), err
    assert words in err


def test_a_filter_that_is_not_kept_is_found_out(at_desk):
    """Whole records of another time came, so nobody knows what is missing: nothing is kept."""
    at_desk.tenant.fault("unfiltered")
    code, _, err = at_desk.run("fetch", "-q", "--since", "1d")

    assert (code, err.count("\n")) == (5, 1)
    assert "so it does not keep to the filter" in err


def test_a_clock_that_is_off_covers_nothing(at_desk):
    """Not a minute of time that has not come yet counts as read."""
    clock_ahead(at_desk)
    at_desk.run("fetch")
    at_desk.monkeypatch.setattr("sspr_audit.cli.run.Wall", lambda: at_desk.tenant.clock)
    code, _, err = at_desk.run("fetch")

    assert (code, " 121 new, " in err) == (0, True)


def test_what_was_fetched_stays(at_desk):
    """A refusal in the middle of a run costs what was still to come, and nothing else."""
    at_desk.run("fetch", "--since", "1d")
    before = at_desk.run("store", "info")[1]
    permission(at_desk)

    assert at_desk.run("fetch")[0] == 4
    assert at_desk.run("store", "info")[1] == before
    assert "audit     39 records" in before


def test_a_busy_store_is_6_and_asks_nothing(at_desk):
    """Two fetches on one store do not collide: the second says who is at work."""
    with at_desk.keeper.held("fetch"):
        code, _, err = at_desk.run("fetch", "--wait", "0m")

    assert code == 6
    assert f"is in use by process {os.getpid()} (fetch, since" in lines(err)[-1]
    assert at_desk.tenant.requests == []


OTHER = "00000000-0000-0000-0000-00000000beef"


def test_another_tenants_store_is_refused(fetched):
    """One store, one tenant: nothing is mixed, not even for a report."""
    from sspr_audit.store import claim

    with fetched.keeper.store.writing() as store:
        store.execute("UPDATE meta SET value = $id WHERE key = 'tenant_id'", {"id": OTHER})
        with pytest.raises(Exception, match="use another"):
            claim(store, [TENANT], TENANT)
    for args in (["fetch"], ["report"]):
        code, out, err = fetched.run(*args, "-q")

        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "use another [store] path for each tenant" in err


# Reports on a store that is brought up to date


@pytest.fixture
def at_demo(tmp_path, monkeypatch):
    """The demo tenant as a real one, at its own present."""
    with desk(tmp_path, monkeypatch, demo.records(), clock=Clock(demo.NOW)) as one:
        yield one


def report(one, *args):
    """Return exit code, report and stderr."""
    code, out, err = one.run("report", "--format", "json", *args)
    return code, json.loads(out) if out else None, err


def test_a_report_from_graph_finds_what_a_report_from_files_finds(at_demo):
    """From an empty folder, with a settings file and a secret: same records, same findings."""
    path = at_demo.folder.parent / "records.json"
    path.write_text(json.dumps({"value": list(demo.records())}))
    code, fetched, err = report(at_demo, "--since", "7d")
    _, read, _ = report(at_demo, "--since", "7d", "--input", path)

    assert code == 0, err
    assert fetched["findings"]
    assert fetched["findings"] == read["findings"]
    assert fetched["totals"]["outcomes"] == read["totals"]["outcomes"]
    assert fetched["coverage"]["complete"] is True
    assert fetched["coverage"]["settling"]
    assert read["coverage"]["complete"] is None


@pytest.mark.parametrize("args", [["report"], ["flow", "ann@example.com"]])
def test_offline_asks_nothing(args, fetched):
    """The store as it is, and not a single request."""
    code, out, _ = fetched.run(*args, "--offline")

    assert code == 0
    assert out
    assert fetched.tenant.requests == []


@pytest.mark.parametrize("args", [["--demo"], ["--input", "records.json"]])
def test_files_and_the_demo_ask_nothing(args, at_desk, monkeypatch):
    """Whoever names files wants those and nothing else, whatever the settings say."""
    monkeypatch.chdir(at_desk.folder)
    (at_desk.folder / "records.json").write_text(json.dumps(records(10)))
    code, out, _ = at_desk.run("report", *args)

    assert (code, bool(out)) == (0, True)
    assert at_desk.tenant.requests == []


UNTIL = "--until", "2026-11-20T12:00:00Z"


@pytest.fixture(scope="module")
def first_totals(tmp_path_factory, first_fetch):
    """The totals of an offline report on the first fetch."""
    folder = tmp_path_factory.mktemp("offline")
    with pytest.MonkeyPatch.context() as patch, desk(folder, patch, clock=Clock()) as one:
        for path in first_fetch.glob("store.*"):
            shutil.copy2(path, one.folder)
        return report(one, "--offline", *UNTIL)[1]["totals"]


@pytest.mark.parametrize("fault", [permission, portal, clock_ahead, nobody])
def test_a_report_outlives_a_fetch_that_fails(fault, fetched, first_totals):
    """On the store as it was, with one line that says so, and exit 3."""
    fault(fetched)
    code, found, err = report(fetched, "-q", *UNTIL)

    assert (code, err.count("\n")) == (3, 1), err
    assert err.startswith("not brought up to date, so this is as of the last fetch: ")
    assert FAULTS[fault][1] in err
    assert found["totals"] == first_totals
    assert found["totals"]["flows"] > 20


@pytest.mark.parametrize("fault", [permission, portal_at_sign_in, clock_behind])
def test_with_nothing_in_the_store_the_fault_is_what_is_told(fault, at_desk):
    """There is nothing to report on; the exit code is that of the fetch."""
    wanted, words = FAULTS[fault]
    fault(at_desk)
    code, found, err = report(at_desk, "-q")

    assert (code, found, err.count("\n")) == (wanted, None, 1), err
    assert words in err


def test_a_finding_goes_before_a_store_that_is_stale(tmp_path, monkeypatch):
    """The first of 2, 4, 6, 5, 1, 3 that fits."""
    last = demo.records()[-1_000:]
    with desk(tmp_path, monkeypatch, last, clock=Clock(demo.NOW)) as one:
        one.run("fetch")
        portal(one)
        code, found, err = report(one, "--fail-on", "possible")

    assert (code, bool(found["findings"])) == (1, True)
    assert "not brought up to date" in err


def test_a_tenant_without_records_has_a_report_too(tmp_path, monkeypatch):
    """Asked and answered: nothing happened, which is not the same as nothing read."""
    with desk(tmp_path, monkeypatch, clock=Clock()) as one:
        code, found, err = report(one, "--since", "6d")

    assert code == 0, err
    assert (found["totals"]["flows"], found["coverage"]["complete"]) == (0, True)


def test_a_report_of_the_whole_month_is_whole(at_desk):
    """A span counted back from now is no second longer than what the service keeps."""
    code, found, _ = report(at_desk, "--since", "30d")

    assert (code, found["coverage"]["complete"], found["coverage"]["gaps"]) == (0, True, [])


def test_what_was_before_a_change_is_fetched_too(at_demo):
    """As long before it as after it, as far as the service remembers; and then it is said."""
    code, found, err = report(at_demo, "--since", "1d", "--changed", "10d")
    _, older, _ = report(at_demo, "--offline", "--since", "1d", "--changed", "20d")

    assert code == 0, err
    assert found["changed"]["before"] == {
        "start": "2026-10-31T12:30:00.000Z",  # the last half hour has not settled yet
        "end": "2026-11-10T12:00:00.000Z",
    }
    assert found["changed"]["all"]["before"]["people"] > 100
    assert older["changed"]["before"]["start"] == "2026-10-21T12:00:00.000Z"  # 30 days back


# Secrets


def everything(folder):
    """Return what stands in a folder: the bytes of each file, and of a store what they mean."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.read_bytes().decode("latin-1")
    keeper = keep.keeper(folder)
    yield from (text for text, _ in keep.texts(keeper))
    with engine.database(keeper.path, read_only=True) as store:
        for (name,) in engine.rows(store, "SELECT table_name FROM duckdb_tables()"):
            if name != "packs":
                yield repr(engine.rows(store, f"FROM {name}"))


@pytest.mark.parametrize("way", ["secret", "certificate"])
def test_no_secret_is_ever_written(way, at_desk, caplog):
    """Not by any command, not where it fails or falls, not to a file, not to a log."""
    tenant = at_desk.tenant
    password = "canary-certificate-password"  # noqa: S105 - a word
    tenant.canaries.add(password)
    if way == "certificate":
        (at_desk.folder / "app.pem").write_bytes(key_pair().pem(password))
        tenant.app.certificates = [key_pair()]
        at_desk.settings(auth="certificate", certificate="app.pem")
        at_desk.environ(SSPR_AUDIT_CERTIFICATE_PASSWORD=password)
    for name in ("", "msal", "tenacity"):
        caplog.set_level(logging.DEBUG, name or None)
    seen = [at_desk.run(*args.split()) for args in ("fetch -v", "report -v", "doctor", "fetch")]
    tenant.fault("portal")
    seen.append(at_desk.run("fetch", "-v"))
    tenant.refuse_sign_in(700027, times=3)
    seen.append(at_desk.run("doctor"))
    at_desk.monkeypatch.setattr("sspr_audit.pipeline.fetching.fetch", lambda *_: 1 / 0)
    seen.append(at_desk.run("fetch"))
    written = [repr(seen), caplog.text, repr([vars(one) for one in caplog.records])]
    written += everything(at_desk.folder)

    assert [code for code, *_ in seen] == [0, 0, 0, 0, 5, 4, 70]
    assert len(tenant.canaries) > 3
    assert not [one for one in tenant.canaries if one in "\n".join(written)]


# Real processes


@pytest.fixture
def alive(tmp_path, monkeypatch):
    """A tenant that lives by the machine's clock, as a real process does."""
    now = datetime.now(UTC)
    made = [audit(now - 20 * DAY), *records(40, now - 2 * DAY, now - MINUTE)]
    with desk(tmp_path, monkeypatch, made, clock=Wall()) as one:
        yield one


def test_a_process_reports_from_an_empty_folder(alive):
    """With --config FILE and a secret in the environment, and nothing else."""
    done = ran("report", "--since", "7d", "--format", "json", "--config", alive.config)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["totals"]["flows"] > 0
    assert {path.name for path in alive.folder.iterdir()} == {
        *("settings.toml", "store.duckdb", "store.duckdb.lock", "store.duckdb.pace"),
    }


def test_a_full_disk_is_6(alive):
    """One line that says what to do, and the store can be filled later."""
    run = command("fetch", "-q", "--config", alive.config)
    limit = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        "from sspr_audit.cli import main; main(sys.argv[1:])"
    )
    run["args"][1:3] = ["-c", limit]
    done = subprocess.run(**run, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (6, "", 1), done.stderr


def test_a_person_at_a_terminal_signs_in_and_sees_how_far_it_is(alive):
    """The code to enter, a bar, and the account; nothing of it in a pipe."""
    alive.settings(auth="device-code")
    ours, theirs = pty.openpty()
    run = command(
        "fetch",
        "--config",
        alive.config,
        env={"TERM": "xterm", "COLUMNS": "120", "PYTHONUTF8": "1"},
    )
    with subprocess.Popen(**run, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says so where the other end is closed
                break
            if not piece:
                break
            shown += piece
        out = process.stdout.read()
    os.close(ours)
    text = shown.decode()

    assert (process.returncode, out) == (0, b""), text
    assert "and enter the code " in text
    assert "records, " in text
    assert "\u2501" in text
    assert "fetched: 41 records, 41 new, in 1 window" in text


# The bar


@pytest.mark.parametrize(
    ("records_", "waited", "text"),
    [
        (3000, 0.0, "12 of 24 h, 3,000 records, 300/s"),
        (0, 35.2, "12 of 24 h, 0 records, 0/s, waited 35 s"),
    ],
)
def test_the_bar_says_how_much_how_fast_and_what_throttling_costs(records_, waited, text):
    """Over time covered, because nobody knows how many records there are."""
    now = SoFar(timedelta(hours=12), timedelta(hours=24), records_, 4, waited)

    assert bar.words(now, 10.0) == text
