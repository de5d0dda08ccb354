"""The house rules: which way imports point, where a package lives, what no file may hold."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "sspr_audit"
MODULES = sorted(PACKAGE.rglob("*.py"))

FLOOR = ("errors", "model", "tables", "knowledge", "engine")
STAGES = ("sources", "store", "normalize", "flows", "evidence", "judge", "report", "deliver")
PURE = (
    "errors",
    "model",
    "tables",
    "knowledge",
    "normalize",
    "flows",
    "evidence",
    "judge",
    "report",
)

ONLY_IN = {
    "apprise": ("deliver",),
    "css_inline": ("report",),
    "duckdb": ("engine",),
    "filelock": ("store", "deliver"),
    "httpx": ("sources/graph", "deliver"),
    "jinja2": ("report",),
    "markupsafe": ("report",),
    "matplotlib": ("report",),
    "msal": ("sources/graph", "deliver"),
    "msal_extensions": ("sources/graph",),
    "msgspec": ("sources/graph",),
    "platformdirs": ("settings",),
    "pydantic": ("settings", "knowledge"),
    "rich": ("report", "cli"),
    "scipy": ("evidence", "judge"),
    "tenacity": ("sources/graph", "deliver"),
    "typer": ("cli",),
    "xlsxwriter": ("report",),
    "zstandard": ("sources", "store"),
}
"""One home each; a type may be named where it passes through."""

HEAVY = {
    *(
        "apprise",
        "css_inline",
        "duckdb",
        "httpx",
        "jinja2",
        "matplotlib",
        "msal",
        "msal_extensions",
    ),
    *("msgspec", "numpy", "pandas", "pyarrow", "pydantic", "rich", "scipy", "tenacity"),
    "xlsxwriter",
}
LAZY_HOMES = ("settings", "knowledge/check", "knowledge/shapes", "sources/graph")
"""Modules that are themselves imported only where they are used."""

EDGES = {
    "http",
    "random",
    "secrets",
    "smtplib",
    "socket",
    "ssl",
    "subprocess",
    "time",
    "urllib.request",
}
CLOCKS = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
    *("Timestamp.now", "Timestamp.utcnow", "Timestamp.today", "time.time", "time.time_ns"),
    *("time.localtime", "time.gmtime", "uuid.uuid1", "uuid.uuid4", "os.urandom"),
}
SQL_CLOCK = re.compile(
    r"(?<!\$)\b(now|today|random|uuid|gen_random_uuid|get_current_timestamp)\s*\("
    r"|\b(current_date|current_time|current_timestamp|localtime|localtimestamp)\b",
    re.IGNORECASE,
)
FOLDERS = re.compile(r"(?<![\w.])/(?:home|Users|root)/\w", re.IGNORECASE)
"""Somebody's own; that a lock names no host is what the shape of its lines promises."""
UNREAD = {"__pycache__", "build", "dist", "node_modules"}
READ_DOTS = {".ci", ".github", ".gitignore", ".gitattributes"}


class Import(NamedTuple):
    """One imported module, by its full name, and how it is imported."""

    name: str
    lazy: bool
    """Inside a function, so it costs nothing until that is called."""
    typing: bool
    """Under `if TYPE_CHECKING`, so it never runs."""


def place(path):
    """Return a module's path inside the package, such as sources/graph/client."""
    inner = path.relative_to(PACKAGE).with_suffix("")
    return (inner.parent if inner.name == "__init__" else inner).as_posix()


def part(where):
    return where.split("/")[0]


def lives_in(where, homes):
    return any(where == home or where.startswith(f"{home}/") for home in homes)


def imported(tree, where):
    """Yield every import of a module, wherever in it that stands."""
    package = ["sspr_audit", *where.split("/")]

    def visit(node, *, lazy, typing):
        match node:
            case ast.Import(names=names):
                yield from (Import(name.name, lazy, typing) for name in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = [*package[:-level], module] if level else [module]
                origin = ".".join(filter(None, base))
                yield from (Import(f"{origin}.{name.name}", lazy, typing) for name in names)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                for child in node.body:
                    yield from visit(child, lazy=lazy, typing=True)
                for child in node.orelse:
                    yield from visit(child, lazy=lazy, typing=typing)
            case _:
                inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                for child in ast.iter_child_nodes(node):
                    yield from visit(child, lazy=inside, typing=typing)

    yield from visit(tree, lazy=False, typing=False)


def allowed(where):
    """Return the parts of the package that this module may import, by DESIGN's drawing."""
    home = part(where)
    if home in FLOOR:
        return FLOOR[: FLOOR.index(home) + 1]
    if home in STAGES:
        return (*FLOOR, home)
    return {
        "settings": ("errors", "settings"),
        "charts": ("report",),
        "pipeline": (*FLOOR, *STAGES, "pipeline"),
        "cli": (*FLOOR, "settings", "pipeline", "cli"),
        "api": (*FLOOR, "settings", "pipeline", "report"),
        "__main__": ("cli",),
        ".": ("api", "charts"),
    }[home]


def layer_faults(source, where):
    """Name each import inside the package that points the wrong way."""
    for one in imported(ast.parse(source), where):
        package, _, rest = one.name.partition(".")
        target = rest.split(".")[0]
        passes_through = one.typing and where.startswith("pipeline") and target == "settings"
        if package != "sspr_audit" or target[:2] in {"", "__"} or passes_through:
            continue
        if target not in allowed(where):
            yield f"{where} imports {one.name}"


def home_faults(source, where):
    """Name each package that is used outside its home, or that slows down every start."""
    for one in imported(ast.parse(source), where):
        package = one.name.split(".")[0]
        if one.typing:
            continue
        if not lives_in(where, ONLY_IN.get(package, (where,))):
            yield f"{package} belongs in {ONLY_IN[package]}, not in {where}"
        if package in HEAVY and not one.lazy and not lives_in(where, LAZY_HOMES):
            yield f"{where} imports {package} at its top; do so inside the function that uses it"


def dotted(node):
    match node:
        case ast.Attribute(value=value, attr=attr):
            return f"{dotted(value)}.{attr}"
        case ast.Name(id=name):
            return name
    return ""


def clock_faults(source, where):
    """Name each look at a clock, the dice or the outside that belongs to a command."""
    tree = ast.parse(source)
    imports = list(imported(tree, where))
    known = {one.name for one in imports} | {"date", "datetime", "Timestamp"}
    outside = part(where) not in {"cli", "api"}
    for node in ast.walk(tree):
        owner, _, name = dotted(node).rpartition(".")
        owner = owner.rpartition(".")[2]  # a variable may be called time; its methods read nothing
        if outside and owner in known and f"{owner}.{name}" in CLOCKS:
            yield f"{where}:{node.lineno} reads {owner}.{name}; let it be handed in"
    for one in imports:
        if outside and one.name in CLOCKS:
            yield f"{where} imports {one.name}; let it be handed in"
        if any(f"{one.name}.".startswith(f"{edge}.") for edge in EDGES) and part(where) in PURE:
            yield f"{where} imports {one.name}, and {part(where)} is pure"


def silence_faults(source, where):
    """Name each bare except, which hides Ctrl-C too, and each changing global."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"{where}:{node.lineno} catches everything"
        if isinstance(node, ast.Global):
            yield f"{where}:{node.lineno} changes a global"


@pytest.mark.parametrize("path", MODULES, ids=place)
@pytest.mark.parametrize("rule", [layer_faults, home_faults, clock_faults, silence_faults])
def test_every_module_keeps_the_rules(rule, path):
    """Imports point one way, packages have one home, and nothing below a command asks the time."""
    assert list(rule(path.read_text("utf-8"), place(path))) == []


@pytest.mark.parametrize(
    ("rule", "where", "source"),
    [
        (layer_faults, "errors", "from sspr_audit import model"),
        (layer_faults, "model", "import sspr_audit.engine"),
        (layer_faults, "knowledge/check", "from ..engine import opened"),
        (layer_faults, "flows", "def f():\n    from sspr_audit.normalize import records"),
        (layer_faults, "judge", "from sspr_audit.pipeline import report"),
        (layer_faults, "report/html", "from sspr_audit import settings"),
        (layer_faults, "pipeline/report", "from sspr_audit.settings import load"),
        (layer_faults, "cli/report", "from sspr_audit.store import Store"),
        (layer_faults, ".", "from sspr_audit import model"),
        (home_faults, "store/keep", "def f():\n    import duckdb"),
        (home_faults, "sources/files", "def f():\n    from httpx import Client"),
        (home_faults, "evidence/shares", "import pandas as pd"),
        (home_faults, "engine", "try:\n    import duckdb\nexcept ImportError:\n    pass"),
        (clock_faults, "pipeline/report", "import datetime\ndatetime.datetime.now(datetime.UTC)"),
        (clock_faults, "store/keep", "import time\ntime.time()"),
        (clock_faults, "store/keep", "from time import time"),
        (clock_faults, "report/text", "import pandas as pd\npd.Timestamp.now()"),
        (clock_faults, "judge", "import random"),
        (silence_faults, "cli/report", "try:\n    f()\nexcept:\n    pass"),
        (silence_faults, "engine", "def f():\n    global x"),
    ],
)
def test_a_rule_finds_what_breaks_it(rule, where, source):
    """A rule that could not fail would guard nothing."""
    assert len(list(rule(source, where))) == 1


@pytest.mark.parametrize(
    ("rule", "where", "source"),
    [
        (layer_faults, "knowledge/check", "from . import catalogue\nfrom sspr_audit import tables"),
        (layer_faults, "flows/join", "from sspr_audit import __version__, engine, flows"),
        (layer_faults, "pipeline/report", "from sspr_audit import flows, judge, store"),
        (layer_faults, "pipeline/report", "if TYPE_CHECKING:\n    from sspr_audit import settings"),
        (layer_faults, "cli/report", "from sspr_audit import pipeline, settings"),
        (home_faults, "flows", "if TYPE_CHECKING:\n    import duckdb, pandas"),
        (home_faults, "evidence/shares", "def f():\n    import pandas, scipy.special"),
        (clock_faults, "report/clock", "def f(time):\n    return time.time()"),
        (clock_faults, "cli/report", "import datetime\ndatetime.datetime.now(datetime.UTC)"),
        (silence_faults, "engine", "try:\n    f()\nexcept OSError:\n    pass"),
    ],
)
def test_a_rule_lets_pass_what_keeps_it(rule, where, source):
    """What DESIGN draws is allowed."""
    assert list(rule(source, where)) == []


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_every_module_is_named_for_what_it_does(path):
    """A drawer for everything has no first sentence."""
    assert not {path.stem, path.parent.name} & {"utils", "util", "helpers", "common", "misc"}


def test_no_query_asks_the_time_or_the_dice():
    """Equal input gives equal rows, today and tomorrow."""
    found = [
        f"{path.relative_to(ROOT)}: {hit[0]}"
        for path in PACKAGE.rglob("*.sql")
        for line in path.read_text("utf-8").splitlines()
        if (hit := SQL_CLOCK.search(line.split("--")[0]))
    ]

    assert found == []


def test_help_loads_no_heavy_package():
    """`sspr-audit --help` is instant because it imports only what it prints with."""
    code = (
        "import json, sys\n"
        "from sspr_audit import cli\n"
        "try:\n"
        "    cli.main(['--help'])\n"
        "except SystemExit:\n"
        "    pass\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}

    assert not loaded & (HEAVY - {"rich"})  # typer draws its help with rich


def texts():
    """Yield every text file of the checkout that could be committed."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [n for n in folders if n not in UNREAD and (n[0] != "." or n in READ_DOTS)]
        for path in (Path(folder, n) for n in files if n[0] != "." or n in READ_DOTS):
            raw = path.read_bytes()
            if b"\0" not in raw:
                yield path.relative_to(ROOT), raw.decode("utf-8", "replace")


def test_no_file_tells_where_it_was_made():
    """Nobody's folders: the project is the same everywhere."""
    found = [f"{path}: {hit[0]}" for path, text in texts() for hit in FOLDERS.finditer(text)]

    assert found == []


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def locked(name):
    """Return the version of each package in a lock, and how many hashes it has."""
    blocks = re.split(
        r"^(?=\S)", (ROOT / "requirements" / name).read_text("utf-8"), flags=re.MULTILINE
    )
    pins = [(re.match(r"([a-z0-9-]+)==(\S+)", block), block.count("--hash=")) for block in blocks]
    return {pin[1]: (pin[2], hashes) for pin, hashes in pins if pin}


@pytest.mark.parametrize("name", ["run.txt", "all.txt"])
def test_a_lock_is_nothing_but_pins_and_hashes(name):
    """Every release is checked against its hash, wherever it is fetched from."""
    lines = (ROOT / "requirements" / name).read_text("utf-8").splitlines()
    shape = re.compile(r"[a-z0-9-]+==[\w.]+ \\|    --hash=sha256:[0-9a-f]{64}( \\)?")

    assert [line for line in lines if not shape.fullmatch(line)] == []
    assert min(hashes for _, hashes in locked(name).values()) > 0


def test_the_locks_fit_the_project_and_each_other():
    """What is tested is what is run, and both lie within the bounds that pyproject.toml gives."""
    run, everything = locked("run.txt"), locked("all.txt")
    groups = PROJECT["dependency-groups"]
    bounds = [Requirement(one) for one in PROJECT["project"]["dependencies"]]
    tools = [Requirement(one) for one in groups["test"] + groups["lint"]]

    assert run.items() <= everything.items()
    assert [one.name for one in bounds if run[one.name][0] not in one.specifier] == []
    assert [one.name for one in tools if everything[one.name][0] not in one.specifier] == []


def test_every_package_that_is_imported_is_asked_for():
    """Nothing is used only because something else happens to bring it along."""
    project = PROJECT["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["channels"]
    names = (Requirement(one).name for one in asked)
    declared = {name.replace("-", "_") for name in names}
    used = {
        one.name.split(".")[0]
        for path in MODULES
        for one in imported(ast.parse(path.read_text("utf-8")), place(path))
    }

    assert used - sys.stdlib_module_names - declared == {"sspr_audit"}


def test_the_wheel_holds_every_file_of_the_package():
    """The catalogue, the queries and the schema are data, and travel with the code."""
    here = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    files = WheelBuilder(str(ROOT)).recurse_included_files()
    packed = {Path(file.distribution_path).as_posix() for file in files}

    assert packed == {name for name in here if "__pycache__" not in name}
