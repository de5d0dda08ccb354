"""What can go wrong between a client and Graph: one small function for each fault.

A fault gets the tenant, the request, and `proceed`, which gives the answer that would have come.
"""

import base64
import json
import zlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import format_datetime

from graph_service import BROKEN, JSON, MESSAGES, error
from graph_wire import Answer, End

THROTTLED = (
    "This request is throttled. Please try again after the value specified in the Retry-After"
    " header."
)
SAYS = {
    400: ("UnknownError", "Unsupported Query"),
    401: ("InvalidAuthenticationToken", "Access token validation failure."),
    403: ("Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
    404: ("ResourceNotFound", "Resource could not be discovered."),
    408: ("RequestTimeout", "The request timed out."),
    410: ("Directory_ExpiredPageToken", "The specified page token value has expired."),
    429: ("UnknownError", THROTTLED),
    500: ("InternalServerError", "An error occurred."),
    502: ("BadGateway", "Bad gateway."),
    503: ("ServiceUnavailable", "The service is unavailable."),
    504: ("UnknownError", "The gateway did not receive a response in time."),
    509: ("BandwidthLimitExceeded", "The bandwidth limit is exceeded."),
}
PORTAL = b"<!DOCTYPE html><html><body><h1>Welcome to the guest network</h1></body></html>"


def status(tenant, _request, _proceed, *, code=500, name=None, message=None, retry_after=None):
    """An error; `retry_after` is in seconds, or a time, which is then told as an HTTP date."""
    default = SAYS.get(code, ("UnknownError", "An error occurred."))
    told = {}
    if isinstance(retry_after, datetime):
        told["Retry-After"] = format_datetime(retry_after, usegmt=True)
    elif retry_after is not None:
        told["Retry-After"] = str(retry_after)
    at = tenant.clock.now().strftime("%Y-%m-%dT%H:%M:%S")
    said = message or MESSAGES.get(name, default[1])
    return error(code, name or default[0], said, told, date=at)


def expired(tenant, request, proceed):
    """The token that came is expired from now on."""
    tenant.sign_in.expire(request.token)
    return proceed()


def claims(tenant, _request, proceed):
    """From now on only tokens are good that were asked for with certain claims."""
    since = str(int(tenant.clock.now().timestamp()))
    tenant.demanded = {"access_token": {"nbf": {"essential": True, "value": since}}}
    return proceed()


def reset(_tenant, _request, _proceed):
    """The connection is reset before the answer."""
    return Answer(200, end=End.RESET)


def cut_off(_tenant, _request, proceed):
    """The connection is reset in the middle of the answer."""
    return replace(proceed(), end=End.CUT)


def hang(tenant, _request, _proceed, *, seconds=0):
    """Nothing comes until the client gives up, which takes so long by the clock."""
    tenant.clock.advance(seconds)
    return Answer(200, end=End.SILENT)


def slow(tenant, _request, proceed, *, seconds):
    """The answer comes after so long by the clock."""
    tenant.clock.advance(seconds)
    return proceed()


def cut_json(_tenant, _request, proceed):
    """The answer is complete for HTTP, but its JSON is not."""
    answer = proceed()
    return replace(answer, body=answer.body[: len(answer.body) * 2 // 3])


def broken_json(_tenant, _request, proceed):
    """An error object stands in the middle of the page, under a 200."""
    answer = proceed()
    return replace(answer, body=answer.body.removesuffix(b"]}") + b"," + BROKEN.encode())


def error_in_200(_tenant, _request, _proceed, *, name="UnknownError"):
    """An error object is the whole answer, under a 200."""
    return replace(error(200, name, "An error occurred."), headers={"Content-Type": JSON})


def portal(_tenant, _request, _proceed):
    """A captive portal answers in the service's place."""
    return Answer(200, PORTAL, {"Content-Type": "text/html"})


def repeat_link(_tenant, request, proceed):
    """The next link is the page's own."""
    return _linked(proceed(), request.site + request.target)


def repeat_page(tenant, _request, proceed):
    """The next link has a new name and leads to the same records."""
    answer = proceed()
    if answer.status != 200:
        return answer
    return _linked(answer, tenant.graph.link(*tenant.graph.latest))


def empty_page(tenant, _request, proceed):
    """A page without records comes first; its next link leads to the records."""
    answer = proceed()
    if answer.status != 200:
        return answer
    chain, start = tenant.graph.latest
    return tenant.graph.written(chain, [], tenant.graph.link(chain, start))


def foreign_link(tenant, request, proceed, *, to):
    """The next link leaves the service, by its `to`: host, port, scheme, collection, version."""
    rest = f"{request.path}?$skiptoken=bait"
    link = {
        "host": tenant.url.replace("localhost", "127.0.0.1") + rest,
        "port": tenant.elsewhere + rest,
        "scheme": tenant.plain + rest,
        "collection": f"{tenant.url}/v1.0/users?$skiptoken=bait",
        "version": tenant.url + rest.replace("/v1.0/", "/beta/"),
    }[to]
    tenant.watch.baits.add(link)
    return _linked(proceed(), link)


def unfiltered(_tenant, _request, proceed, *, echoed=True):
    """The filter is ignored, and every record comes; the next link may show it all the same."""
    return proceed(filtered=False, echoed=echoed)


def says(_tenant, _request, _proceed, *, body=b"", code=200, headers=()):
    """Whatever somebody wants to say in the service's place."""
    return Answer(code, body, {"Content-Type": JSON, **dict(headers)})


def bomb(_tenant, _request, _proceed, *, mib):
    """A small answer that unpacks to a huge one."""
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = [pack.compress(b'{"value":["'), *(pack.compress(b" " * 2**20) for _ in range(mib))]
    body = b"".join([*packed, pack.compress(b'"]}'), pack.flush()])
    return Answer(200, body, {"Content-Type": JSON, "Content-Encoding": "gzip"})


def drip(tenant, _request, proceed, *, seconds, pieces=100):
    """The answer comes in a hundred pieces; the clock goes on between so many of them.

    A client that has given up asks again at once, and the clock must not run on in that answer.
    """
    left = iter([seconds] * pieces)
    return replace(proceed(), between=lambda: tenant.clock.advance(next(left, 0)))


def bad_gzip(_tenant, _request, proceed):
    """The answer says that it is compressed, and cannot be unpacked."""
    answer = proceed()
    return replace(answer, headers={**answer.headers, "Content-Encoding": "gzip"})


def redirect(tenant, _request, _proceed):
    """Somebody on the way, such as a portal, sends the client to another server."""
    return Answer(302, b"", {"Location": f"{tenant.elsewhere}/login"})


def lost_skip_token(_tenant, _request, _proceed):
    """The next link is not known any more."""
    return error(400, "BadRequest", "Invalid Skip Token, skip token is null.")


FAULTS = {
    "bad-gzip": bad_gzip,
    "bomb": bomb,
    "claims": claims,
    "cut-json": cut_json,
    "cut-off": cut_off,
    "drip": drip,
    "broken-json": broken_json,
    "empty-page": empty_page,
    "error-in-200": error_in_200,
    "expired": expired,
    "foreign-link": foreign_link,
    "hang": hang,
    "lost-skip-token": lost_skip_token,
    "portal": portal,
    "redirect": redirect,
    "repeat-link": repeat_link,
    "repeat-page": repeat_page,
    "reset": reset,
    "says": says,
    "slow": slow,
    "status": status,
    "unfiltered": unfiltered,
}
NEEDS_LINK = {"lost-skip-token"}
"""Faults of following pages only."""


@dataclass
class Fault:
    """One fault that waits for its requests."""

    kind: str
    fits: object
    skip: int = 0
    """Fitting requests to let pass first."""
    times: int | None = 1
    """How often it strikes; None is for ever."""
    options: dict = field(default_factory=dict)
    struck: int = 0

    def strikes(self, request):
        """Tell whether it is this one's turn, and count it."""
        if self.struck == self.times or not self.fits(request):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.struck += 1
        return True

    def answer(self, tenant, request, proceed):
        return FAULTS[self.kind](tenant, request, proceed, **self.options)


def scripted(  # noqa: PLR0913 - the words of Tenant.fault
    kind, options, *, on, nth, times, where
):
    """Return a fault."""
    if str(kind).isdigit():
        kind, options = "status", {"code": int(kind), **options}
    if kind not in FAULTS:
        msg = f"no fault is called {kind}; there are {', '.join(FAULTS)}, and status codes"
        raise ValueError(msg)
    if kind in NEEDS_LINK and not on:
        on = "skiptoken"

    def fits(request):
        if where != ("sign-in" if request.bucket == "sign-in" else "graph"):
            return False
        return on(request) if callable(on) else (on or "") in request.words

    return Fault(kind, fits, nth - 1, times, options)


def challenge(wanted, url):
    """Return the 401 that asks for a token with claims."""
    text = base64.b64encode(json.dumps(wanted).encode()).decode()
    told = (
        f'Bearer realm="", authorization_uri="{url}/common/oauth2/authorize",'
        f' error="insufficient_claims", claims="{text}"'
    )
    answer = error(
        401,
        "InvalidAuthenticationToken",
        "Continuous access evaluation resulted in challenge with result: InteractionRequired",
    )
    return replace(answer, headers={**answer.headers, "WWW-Authenticate": told})


def answers(wanted, text):
    """Tell whether the claims that a client asked for hold all that was wanted."""
    asked = json.loads(text or "{}").get("access_token", {})
    return all(asked.get(name) == value for name, value in wanted["access_token"].items())


def _linked(answer, link):
    """Return a page with another next link; its records stay byte for byte."""
    head, mark, records = answer.body.partition(b',"value":[')
    if not mark:
        return answer
    told = {**json.loads(head + b"}"), "@odata.nextLink": link}
    return replace(answer, body=json.dumps(told)[:-1].encode() + mark + records)
