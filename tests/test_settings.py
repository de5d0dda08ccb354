"""The settings file and the environment."""

import ipaddress
import os
import tomllib
from datetime import timedelta
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sspr_audit
from sspr_audit import settings
from sspr_audit.errors import SettingsError

FULL = """
[tenant]
id = "00000000-0000-0000-0000-00000000000A"
client_id = "00000000-0000-0000-0000-000000000001"
cloud = "fjord"
auth = "certificate"
certificate = "keys/app.pem"

[clouds.fjord]
authority = "https://login.example.com/"
graph = "https://graph.example.com"
sspr_host = "passwordreset.example.com"
exclusion_hosts = ["passwordreset.example.com", "*.example.org"]

[store]
path = "kept/audit.duckdb"
keep = "90d"

[[sites]]
name = "Malmö"
networks = ["203.0.113.0/24", "2001:db8::/48", "198.51.100.7"]
dc_reachable = true
timezone = "Europe/Stockholm"

[[sites]]
name = "Hotel"
networks = ["203.0.113.128/25"]
shared = false

[client_types]
"Windows logon" = "windows-signin"
"Kiosk" = "other:kiosk"

[analysis]
flow_timeout = "30m"

[report]
timezone = "Europe/Oslo"

[mail]
transport = "smtp"
from = "sspr@example.com"
to = ["helpdesk@example.com", "identity@example.com"]
smtp_host = "mail.example.com"
smtp_port = 587
smtp_user = "sspr"
"""


@pytest.fixture
def load(tmp_path):
    """Write a settings file and load it, with no environment."""

    def write_and_load(text):
        file = tmp_path / "settings.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return settings.load(file, environ={})

    return write_and_load


@pytest.fixture
def faults(load):
    """Return the faults of a settings file, one line each, without the file's name."""

    def told(text):
        with pytest.raises(SettingsError) as caught:
            load(text)
        return [line.split("settings.toml: ")[-1] for line in str(caught.value).splitlines()]

    return told


def test_every_key_of_the_contract_is_read(load, tmp_path):
    """Nothing that the contract offers is refused or ignored."""
    read = load(FULL)

    assert read.file == tmp_path / "settings.toml"
    assert read.tenant.id == "00000000-0000-0000-0000-00000000000a"
    assert read.tenant.certificate == tmp_path / "keys" / "app.pem"
    assert read.clouds["fjord"].authority == "https://login.example.com"
    assert read.store.path == tmp_path / "kept" / "audit.duckdb"
    assert read.store.keep == timedelta(days=90)
    assert read.sites[0].networks[2] == ipaddress.ip_network("198.51.100.7/32")
    assert (read.sites[0].dc_reachable, read.sites[1].dc_reachable) == (True, None)
    assert (read.sites[0].shared, read.sites[1].shared) == (None, False)
    assert read.sites[0].timezone == "Europe/Stockholm"
    assert read.client_types == {"Windows logon": "windows-signin", "Kiosk": "other:kiosk"}
    assert read.analysis.flow_timeout == timedelta(minutes=30)
    assert read.report.timezone == "Europe/Oslo"
    assert (read.mail.sender, read.mail.smtp_security) == ("sspr@example.com", "starttls")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://login.example.com:8443/", "https://login.example.com:8443"),
        ("https://login.example.com:443", "https://login.example.com"),
        ("https://Localhost:65535", "https://localhost:65535"),
    ],
)
def test_a_cloud_of_ones_own_may_have_a_port(written, read):
    """A gateway in front of it, or a tenant for tests; the usual port is none."""
    data = {"clouds": {"x": {"authority": written, "graph": written}}}

    assert settings.checked(data, file=None).clouds["x"].authority == read


def test_without_a_file_all_is_default(tmp_path, monkeypatch):
    """A first run needs no settings, and never looks in the folder it happens to stand in."""
    (tmp_path / "settings.toml").write_text("wrong = true")
    monkeypatch.chdir(tmp_path)

    read = settings.load(None, environ={})

    assert read.file is None
    assert (read.sites, read.clouds, read.client_types, read.mail) == ((), {}, {}, None)
    assert read.store.keep == timedelta(days=400)
    assert read.store.path.is_absolute()
    assert read.analysis.flow_timeout == timedelta(minutes=20)


def test_the_file_is_sought_in_the_order_of_the_contract(tmp_path):
    """--config, then the variable, then the user's own folder."""
    usual = platformdirs.user_config_path("sspr-audit", appauthor=False) / "settings.toml"
    usual.parent.mkdir(parents=True)
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text("")
    usual.write_text("")
    environ = {"SSPR_AUDIT_CONFIG": str(tmp_path / "two.toml")}

    assert settings.load(tmp_path / "one.toml", environ=environ).file == tmp_path / "one.toml"
    assert settings.load(None, environ=environ).file == tmp_path / "two.toml"
    assert settings.load(None, environ={"SSPR_AUDIT_CONFIG": ""}).file == usual


def test_a_file_that_was_asked_for_must_exist(tmp_path):
    """A slip in the name must not mean: all default."""
    with pytest.raises(
        SettingsError, match=r"none\.toml: the settings file cannot be read: No such"
    ):
        settings.load(tmp_path / "none.toml", environ={})
    with pytest.raises(SettingsError, match="cannot be read"):
        settings.load(None, environ={"SSPR_AUDIT_CONFIG": str(tmp_path)})


def test_all_faults_are_told_at_once(faults):
    """Whoever wrote the file corrects it once; faults of keys and clashes in one message."""
    told = faults(
        """
        fashion = "red"
        [tenant]
        clientid = "00000000-0000-0000-0000-000000000001"
        cloud = "fjord"
        [store]
        keep = "forever"
        [[sites]]
        name = "A"
        networks = ["192.0.2.0/24"]
        [[sites]]
        name = "a"
        networks = ["203.0.113.5/24", "192.0.2.0/24"]
        """
    )

    bits = "has bits set beyond its prefix: 203.0.113.5/24; write 203.0.113.0/24"
    assert told == [
        "[tenant], clientid: is not a known key; did you mean client_id?",
        "[store], keep: must be a length of time such as 90m, 36h or 7d, not forever",
        "[[sites]] 2, networks: entry 1 " + bits,
        "fashion: is not a known key",
        f"[tenant], cloud: must be {', '.join(settings.CLOUDS)} or a name under [clouds]",
        "[[sites]] 2, name: is the name of [[sites]] 1",
        "[[sites]] 2, networks: entry 2 is in [[sites]] 1 already: 192.0.2.0/24",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[tenants]", "[tenants]: is not a known key; did you mean tenant?"),
        ("secrets = {}", "[secrets]: a secret never stands in this file"),
        ("file = 'x'", "file: is not a known key"),
        ("tenant = 3", "tenant: must be a section"),
        ("sites = {}", "[sites]: must be a list in square brackets"),
        ("sites = [3]", "[[sites]] 1: must be a section"),
        ("clouds = 3", "clouds: must be a section"),
        ("clouds.x = 3", "[clouds.x]: must be a section"),
        ("[clouds.x]", "[clouds.x], authority: is missing"),
        ("clouds.global.graph = 'https://a.example.com'", "[clouds.global]: is built in"),
        ("clouds.x.graph = 'http://a.example.com'", "[clouds.x], graph: must be https://"),
        ("clouds.x.graph = 'https://a.example.com/v1'", "[clouds.x], graph: must be https://"),
        ("clouds.x.graph = 'https://u@a.example.com'", "[clouds.x], graph: must be https://"),
        ("clouds.x.graph = 'https://a.example.com:0'", "[clouds.x], graph: must be https://"),
        ("clouds.x.graph = 'https://a.example.com:65536'", "[clouds.x], graph: must be https://"),
        ("clouds.x.graph = 'https://a.example.com:x'", "[clouds.x], graph: must be https://"),
        ("clouds.x.graph = 'https://*.example.com'", "[clouds.x], graph: must be https://"),
        ("clouds.x.graph = 'https://[a.example.com'", "[clouds.x], graph: must be https://"),
        ("clouds.x.sspr_host = 'https://a.example.com'", "[clouds.x], sspr_host: must be a host"),
        ("clouds.x.exclusion_hosts = ['a b']", "exclusion_hosts: entry 1 must be a host name"),
        ("tenant.id = 'common'", "[tenant], id: must be one tenant"),
        ("tenant.client_id = 'abc'", "[tenant], client_id: must be an id such as"),
        ("tenant.auth = 'password'", "[tenant], auth: must be 'device-code', 'browser'"),
        ("tenant.auth = 'certificate'", "[tenant], certificate: is missing"),
        ("tenant.certificate = 'a.pem'", "[tenant], certificate: is given, but auth is not"),
        ("store.path = ''", "[store], path: must be a path in quotes"),
        ('store.path = "a\\u0000b"', "[store], path: must be a path in quotes"),
        ("store.path = '~nobody-of-this-name/x'", "[store], path: names a home folder"),
        ("store.keep = 400", "[store], keep: must be a length of time in quotes"),
        ("store.keep = '90m'", "[store], keep: must lie between 1d and 36500d"),
        ("store.keep = '999999999d'", "[store], keep: must lie between 1d and 36500d"),
        ("sites = [{name = 'A'}]", "[[sites]] 1, networks: is missing"),
        ("sites = [{name = 'A', networks = []}]", "[[sites]] 1, networks: must not be empty"),
        ("sites = [{name = 'A', networks = '::1'}]", "[[sites]] 1, networks: must be a list"),
        ("sites = [{name = ' ', networks = ['::1']}]", "[[sites]] 1, name: must be text without"),
        ("sites = [{networks = [3]}]", "networks: entry 1 must be a network in quotes"),
        ("sites = [{networks = ['Malmö']}]", "entry 1 must be an address or a network such as"),
        ("sites = [{networks = ['192.0.2.0/33']}]", "entry 1 must be an address or a network"),
        ("sites = [{networks = ['2001:db8::1/48']}]", "write 2001:db8::/48"),
        ("sites = [{networks = ['::ffff:192.0.2.0/120']}]", "write 192.0.2.0/24"),
        ("sites = [{dc_reachable = 'yes'}]", "dc_reachable: must be true or false"),
        ("sites = [{timezone = 'Europe'}]", "timezone: must be a time zone by its IANA name"),
        ("sites = [{timezone = '../etc'}]", "timezone: must be a time zone by its IANA name"),
        ("report.timezone = 'Malmö'", "[report], timezone: must be a time zone by its IANA name"),
        ("client_types.X = 'windows'", "[client_types], X: must be windows-signin"),
        ("client_types.X = 'other:'", "[client_types], X: must be windows-signin"),
        ("client_types.X = 3", "[client_types], X: must be text in quotes"),
        ("analysis.flow_timeout = '0m'", "[analysis], flow_timeout: must lie between 1m and 24h"),
        ("analysis.flow_timeout = '2d'", "[analysis], flow_timeout: must lie between 1m and 24h"),
        ("[mail]", "[mail], transport: is missing"),
        ("mail.transport = 'smtp'", "[mail], smtp_host: is missing"),
        ("mail = {transport = 'graph', smtp_port = 25}", "[mail], smtp_port: has no meaning"),
        ("mail.to = ['Help <a@example.com>']", "[mail], to: entry 1 must be a mail address"),
        ("mail.to = []", "[mail], to: must not be empty"),
        (f"mail.to = {['a@example.com'] * 101}", "[mail], to: must be at most 100 addresses"),
        ('mail.from = "a@example.com\\nBcc: b@example.com"', "[mail], from: must be a mail"),
        ("mail.smtp_port = 70000", "[mail], smtp_port: must be a port from 1 to 65535"),
        ("mail.smtp_port = '25'", "[mail], smtp_port: must be a whole number, without quotes"),
        ("mail = {smtp_security = 'none', smtp_user = 'u'}", "[mail], smtp_user: its password"),
        ('tenant."\\u001b[2J" = 1', "[tenant], '\\x1b[2J': is not a known key"),
    ],
)
def test_each_fault_has_its_place_and_its_words(faults, text, fault):
    """A fault says where it stands and what to write, in the file's own words."""
    assert any(fault in told for told in faults(text))


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ("[tenant]\nclient_secret = 'hunter2'", "SSPR_AUDIT_CLIENT_SECRET"),
        ("[tenant]\nsecret = 'hunter2'", "SSPR_AUDIT_CLIENT_SECRET"),
        ("[tenant]\ncertificate_password = 'hunter2'", "SSPR_AUDIT_CERTIFICATE_PASSWORD"),
        ("[mail]\nsmtp-password = 'hunter2'", "SSPR_AUDIT_SMTP_PASSWORD"),
        ("[mail]\npassword = 'hunter2'", "SSPR_AUDIT_SMTP_PASSWORD"),
        ("client_secret = 'hunter2'", "SSPR_AUDIT_CLIENT_SECRET"),
        ("[mail]\nchannels = ['slack://hunter2']", "SSPR_AUDIT_CHANNELS"),
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(faults, text, variable):
    """The message says where the secret belongs, and can be pasted anywhere."""
    told = "\n".join(faults(text))

    assert f"a secret never stands in this file; set {variable} or {variable}_FILE" in told
    assert "hunter2" not in told


def test_secrets_come_from_the_environment_and_never_print(tmp_path):
    """From the variable, or from the file that it names; a line end is no part of a secret."""
    (tmp_path / "pass").write_bytes(b"\xef\xbb\xbfhunter 3 \r\n")
    environ = {
        "SSPR_AUDIT_CLIENT_SECRET": "hunter2",
        "SSPR_AUDIT_SMTP_PASSWORD_FILE": str(tmp_path / "pass"),
        "SSPR_AUDIT_CERTIFICATE_PASSWORD": "",
    }

    read = {name: settings.secret(name, environ=environ) for name in settings.SECRETS}

    assert read["client_secret"].get_secret_value() == "hunter2"
    assert read["smtp_password"].get_secret_value() == "hunter 3 "
    assert read["certificate_password"] is None
    assert "hunter" not in f"{read} {read['client_secret']}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such"),
        (b"\n", "is empty"),
        (b"hunter\xff", "is not UTF-8"),
        (b"hunter" * 100_000, "is longer than 262144 bytes"),
    ],
)
def test_a_secret_file_that_does_not_serve_is_named_by_its_variable(tmp_path, content, words):
    """What is wrong is told; what the file holds is not."""
    if content is not None:
        (tmp_path / "pass").write_bytes(content)
    environ = {"SSPR_AUDIT_CLIENT_SECRET_FILE": str(tmp_path / "pass")}
    with pytest.raises(SettingsError) as caught:
        settings.secret("client_secret", environ=environ)

    assert str(caught.value).startswith("SSPR_AUDIT_CLIENT_SECRET: the file that ")
    assert words in str(caught.value)
    assert "hunter" not in str(caught.value)


def test_a_secret_that_is_given_twice_is_refused():
    """Which of the two is meant, nobody can know."""
    variable = "SSPR_AUDIT_SMTP_PASSWORD"
    with pytest.raises(SettingsError, match=f"^{variable}: is set, and {variable}_FILE too; keep"):
        settings.secret("smtp_password", environ={variable: "one", f"{variable}_FILE": "two"})


@pytest.mark.timeout(10)
def test_a_pipe_is_no_settings_file_and_holds_no_secret(tmp_path):
    """One that nobody writes to would keep every command waiting for ever."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SettingsError, match="cannot be read: it is no regular file"):
        settings.load(tmp_path / "pipe", environ={})
    with pytest.raises(SettingsError, match="cannot be read: it is no regular file"):
        settings.secret(
            "client_secret", environ={"SSPR_AUDIT_CLIENT_SECRET_FILE": str(tmp_path / "pipe")}
        )


def test_a_host_name_of_many_labels_is_no_deep_key(load):
    """Dots in a value, a comment or a number are not those of a key."""
    host = ".".join("abcdefghijklmnopqrstuvwxyz" * 2)
    read = load(f"# {host.replace('.', ' ')}\n[tenant]\nid = '{host}'  # 1.2.3\n")

    assert read.tenant.id == host


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_notepad_saves_is_read(load, encoding):
    """Marks at the start, two bytes a letter and Windows' line ends make no difference."""
    read = load(FULL.replace("\n", "\r\n").encode(encoding))

    assert read.sites[0].name == "Malmö"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"[tenant\nid = 3", r"is not TOML: .+ \(at line 1, column 8\)$"),
        ("x = 1".encode("utf-16-le"), "is not TOML: .+; save it again as UTF-8$"),
        ("[a]\n# Malmö".encode("cp1252"), "is not UTF-8 text; save it again as UTF-8$"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b".".join([b"a"] * 50_000) + b" = 1", "nested too deeply"),
        (b"[ " + b" . ".join([b'"a"', b"'b'"] * 20_000) + b" ]", "nested too deeply"),
        (b"x = {a = '', " + b'"\\"".' * 40_000 + b"a = '\"'}", "nested too deeply"),
        (b"[mail]\nsmtp_port = " + b"9" * 6_000, "it holds a number of too many digits"),
        (b"#" * (settings.LARGEST + 1), "the settings file is longer than 262144 bytes"),
    ],
)
def test_what_is_no_toml_is_refused_with_its_place(load, raw, words):
    """The first wrong character is named by line and column, or how to save the file again."""
    with pytest.raises(SettingsError, match=words):
        load(raw)


def test_settings_cannot_be_changed(load):
    """What was checked stays as it was."""
    read = load(FULL)

    with pytest.raises(ValueError, match="frozen"):
        read.store.keep = timedelta(days=1)
    with pytest.raises(TypeError):
        read.client_types["Windows logon"] = "browser"


def test_absolute_paths_and_home_stay_what_they_are(load, tmp_path):
    """Only a relative path is seen from the settings file."""
    elsewhere = tmp_path.parent / "kept.duckdb"

    assert load(f"store.path = '{elsewhere}'").store.path == elsewhere
    assert load("store.path = '~/kept.duckdb'").store.path == Path.home() / "kept.duckdb"


def test_the_known_clouds_are_those_of_the_catalogue():
    """A cloud name that the settings accept has its hosts in the catalogue."""
    file = Path(sspr_audit.__file__).parent / "knowledge" / "clouds.toml"

    assert tuple(tomllib.loads(file.read_text("utf-8"))) == settings.CLOUDS


VALUES = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
KEYS = ("id", "cloud", "graph", "path", "keep", "name", "networks", "timezone", "to", "zz")
SECTIONS = ("tenant", "clouds", "store", "sites", "client_types", "report", "mail", "zz")


@given(
    st.dictionaries(
        st.sampled_from(SECTIONS), VALUES | st.dictionaries(st.sampled_from(KEYS), VALUES)
    )
)
def test_any_table_is_settings_or_one_line_a_fault(tmp_path_factory, data):
    """Whatever shape a file has, its faults are words and never a traceback."""
    file = tmp_path_factory.mktemp("any") / "settings.toml"
    file.write_text("")

    try:
        said = repr(settings.checked(data, file=file))
    except SettingsError as error:
        said = str(error)

    assert said.startswith("Settings(") or all(
        line.startswith(f"{file}: ") for line in said.splitlines()
    )


@given(st.integers(0, 10_000), st.sampled_from("mhd"))
def test_a_span_is_its_number_of_units(number, unit):
    """Minutes, hours and days are what they say."""
    seconds = {"m": 60, "h": 3600, "d": 86_400}[unit]

    assert settings.span(f"{number}{unit}").total_seconds() == number * seconds
