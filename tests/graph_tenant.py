"""A fake Entra tenant: sign-in and Graph over real sockets on loopback.

It imports nothing of the package that it tests, waits for nothing, and finds fault with a client
that is impolite or careless: see `Tenant.violations`.

    with Tenant(records=[...], clock=Clock()) as tenant:
        ...  # tenant.url is authority and Graph root, tenant.ca the file to trust
"""

import html
import random
import re
import ssl
import tempfile
import threading
from contextlib import ExitStack
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path

import httpx
from graph_clock import NOW, Clock, SharedClock  # noqa: F401 - tests take all from here
from graph_faults import answers, challenge, scripted
from graph_mail import Mailboxes
from graph_service import Service, error
from graph_signin import SignIn
from graph_watch import GITHUB, GRAPH, Watch, bucket
from graph_wire import Answer, Listener, Request, authority, tls

AUDITS = "/v1.0/auditLogs/directoryAudits"
SIGN_INS = "/v1.0/auditLogs/signIns"
DEVICES = "/v1.0/devices"
NAMED_LOCATIONS = "/v1.0/identity/conditionalAccess/namedLocations"
REGISTRATIONS = "/v1.0/reports/authenticationMethods/userRegistrationDetails"
MANAGED_DEVICES = "/v1.0/deviceManagement/managedDevices"
DEVICE_CONFIGURATIONS = "/v1.0/deviceManagement/deviceConfigurations"
CONFIGURATION_POLICIES = "/beta/deviceManagement/configurationPolicies"


class Tenant:
    """A tenant with one registered app. On leaving `with`, violations fail the test."""

    id = "00000000-0000-0000-0000-000000000001"
    domain = "example.com"
    client_id = "00000000-0000-0000-0000-0000000000aa"
    user, user_id = "reader@example.com", "00000000-0000-0000-0000-0000000000bb"

    def __init__(self, records=(), *, clock, seed=0):
        self.clock = clock
        self.dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.canaries = set()
        """Every secret, token, code and assertion so far; none may show up in what is written."""
        self.consented = True
        """Whether somebody agreed that the app may act for the user."""
        self.user_may_read = True
        """Whether the user has a directory role that may read reports."""
        self.demanded = None
        self._faults = []
        self._lock = threading.RLock()
        self._stack = ExitStack()
        self._listeners = [
            Listener(self._served, tls()),
            Listener(self._strayed, tls()),
            Listener(self._plainly, None),
        ]
        self.url, self.elsewhere, self.plain = (one.url for one in self._listeners)
        """The service, another HTTPS server, and a plain one: the machine's own identity service,
        and a proxy that wants a user."""
        self.authority = f"{self.url}/{self.id}"
        self.watch = Watch()
        self.sign_in = SignIn(self, clock, self.dice)
        self.app = self.sign_in.app
        self.secret = self.app.secret
        self.graph = Service(self.url, clock, self.dice, self.watch)
        self.mail = Mailboxes()
        self.add(AUDITS, records)

    def __enter__(self):
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.ca = str(self.folder / "ca.pem")
        authority().cert_pem.write_to_path(self.ca)
        for one in self._listeners:
            self._stack.enter_context(one)
        return self

    def __exit__(self, kind, _value, _trace):
        self._stack.close()
        crashes = [crash for one in self._listeners for crash in one.crashes]
        idle = [f"the fault {f.kind} never struck" for f in self._faults if not f.struck]
        if kind is None:
            assert not [*self.violations, *crashes, *idle], "\n".join(
                [*self.violations, *crashes, *idle]
            )

    @property
    def violations(self):
        """What the clients did that they must not; a test that wants them clears the list."""
        return self.watch.violations

    @property
    def requests(self):
        """Every request so far, in order."""
        return self.watch.requests

    def asked(self, words=""):
        """Return the requests to Graph whose path or query has these words."""
        return [r for r in self.requests if r.bucket in GRAPH and words in r.words]

    def add(self, path, records, visible_at=None):
        """Add records (dicts, or texts to be sent untouched) that show from a time on."""
        with self._lock:
            self.graph.add(path, records, visible_at)

    def replace(self, path, record):
        """Let a record say something else from now on; its id finds it."""
        with self._lock:
            self.graph.replace(path, record)

    def fault(self, kind, *, on=None, nth=1, times=1, where="graph", **options):
        """Let something go wrong, and return the fault, which counts how often it struck.

        `kind` is a status code or a name in graph_faults.FAULTS; `options` are that function's.
        `on` is a word of the target or a function of the request, `nth` the first fitting request
        from now that is hit, `times` how many are hit (None: all), `where` "graph" or "sign-in".
        Of several that fit a request, only the first is asked. One that never strikes fails the
        test.
        """
        with self._lock:
            self._faults.append(scripted(kind, options, on=on, nth=nth, times=times, where=where))
            return self._faults[-1]

    def refuse_sign_in(self, code, times=1):
        """Answer the next token requests with an AADSTS code of graph_refusals.ERRORS."""
        self.sign_in.refusals += [code] * times

    def written(self, name, content):
        """Write bytes into the tenant's own folder and return the path."""
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    @property
    def github(self):
        """The environment of a GitHub job that may ask for an identity."""
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}{GITHUB}?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.sign_in.github_token,
        }

    @property
    def machine(self):
        """The environment of a machine with a managed identity."""
        return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": self.plain}

    def browse(self, url):
        """Do what a user's browser does with a sign-in page; can stand in for webbrowser.open."""
        with httpx.Client(verify=ssl.create_default_context(cafile=self.ca)) as browser:
            page = browser.get(url).text
        target = html.unescape(re.search(r'action="([^"]*)"', page)[1])
        fields = re.findall(r'name="([^"]*)" value="([^"]*)"', page)
        form = {name: html.unescape(value) for name, value in fields}
        # msal listens in the thread that opened the browser, so the post must not hold it up
        post = threading.Thread(target=httpx.post, args=(target,), kwargs={"data": form})
        post.start()
        self._stack.callback(post.join)
        return True

    def guid(self):
        return f"00000000-0000-0000-0000-{self.dice.getrandbits(48):012x}"

    def _served(self, *parts):
        with self._lock:
            request = self._request(*parts)
            is_ours = request.site == self.url
            is_graph = is_ours and request.target.startswith(("/v1.0/", "/beta/"))
            request = replace(request, bucket=_bucket(request, is_ours, is_graph))
            self.watch.saw(request)
            if is_graph:
                answer = self._faulty(request, lambda **how: self._graph(request, **how))
            elif is_ours:
                answer = self._faulty(request, lambda: self.sign_in.answer(request))
            else:
                answer = self._nowhere()
            return self._stamped(request, answer)

    def _strayed(self, *parts):
        with self._lock:
            self.watch.saw(self._request(*parts))
            return self._nowhere()

    def _plainly(self, *parts):
        with self._lock:
            request = self._request(*parts)
            self.watch.saw(request)
            if request.method == "CONNECT":
                return Answer(407, b"", {"Proxy-Authenticate": 'Basic realm="proxy"'})
            return self._stamped(request, self.sign_in.machine(request))

    def _request(self, method, site, target, headers, body):
        number, now = len(self.requests) + 1, self.clock.now()
        return Request(number, now, method, site, target, "elsewhere", headers, body)

    def _nowhere(self):
        return Answer(200, b'{"value":[]}', {"Content-Type": "application/json"})

    def _faulty(self, request, proceed):
        if request.bucket in GRAPH and self.watch.crowded(request):
            told = {"Retry-After": "10"} if request.bucket == "reports" else {}
            return error(429, "UnknownError", "This request is throttled.", told)
        for fault in self._faults:
            if fault.strikes(request):
                return fault.answer(self, request, proceed)
        return proceed()

    def _graph(self, request, **how):
        token = self.sign_in.tokens.get(request.token)
        if token is None or token.audience != self.url:
            return error(401, "InvalidAuthenticationToken")
        if token.until <= self.clock.now():
            if request.token in self.sign_in.spent:
                self.watch.blame(request, "used an expired token again")
            self.sign_in.spent.add(request.token)
            text = "Lifetime validation failed, the token is expired."
            return error(401, "InvalidAuthenticationToken", text)
        if self.demanded and not answers(self.demanded, token.claims):
            return challenge(self.demanded, self.url)
        if token.delegated and not self.user_may_read and request.bucket == "reports":
            return error(403, "Authentication_RequestFromUnsupportedUserRole")
        return self.mail.answer(request, token) or self.graph.answer(request, **how)

    def _stamped(self, request, answer):
        self.watch.answered(request, answer)
        stamps = {
            "Date": format_datetime(self.clock.now(), usegmt=True),
            "request-id": self.guid(),
        }
        if request.headers.get("return-client-request-id") == "true":
            stamps["client-request-id"] = request.headers.get("client-request-id", "")
        return replace(answer, headers={**stamps, **answer.headers})


def _bucket(request, is_ours, is_graph):
    if is_graph:
        return bucket(request.path)
    return "sign-in" if is_ours else "elsewhere"
