"""The Graph half of the fake tenant: collections, filters, pages, permissions and licences."""

import json
import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import graph_filter
from graph_filter import BadFilter, Moment
from graph_kinds import DENIED, NO_PERMISSION, PERMISSIONS, kind_of
from graph_wire import Answer

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FREE, PREMIUM = "free", "P1"
RETENTION = {FREE: timedelta(days=7), PREMIUM: timedelta(days=30)}
"""https://learn.microsoft.com/en-us/entra/identity/monitoring-health/reference-reports-data-retention"""

MESSAGES = {
    NO_PERMISSION: "Calling principal does not have required MSGraph permissions",
    DENIED: "Insufficient privileges to complete the operation.",
    "AccessDenied": "You cannot perform the requested operation, required scopes are missing in"
    " the token.",
    "Forbidden": "Application is not authorized to perform this operation.",
    "Authentication_RequestFromNonPremiumTenantOrB2CTenant": "Neither tenant is B2C or tenant"
    " doesn't have premium license",
    "Authentication_ApplicationHasNoDirectoryReadAccess": "Failed to do premium license check from"
    " ADGraph",
    "Authentication_ApplicationHasNoReadAuditLogDataAccess": "Application does not have permission"
    " to read audit log data",
    "Authentication_RequestFromUnsupportedUserRole": "User isn't in the allowed roles",
    "InvalidAuthenticationToken": "Access token validation failure.",
}
UNSUPPORTED = ("count", "search", "expand", "skip")
MOST_CHOICES = 15
"""Clauses joined by `or` that the service bears in one filter."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record, its text, and the moment from which the service shows it."""

    record: dict
    text: str
    ticks: int = 0
    visible_at: object = None


@dataclass(frozen=True, slots=True)
class Chain:
    """The rest of a list that is handed out page by page; what comes later isn't in it."""

    path: str
    rows: list
    options: dict
    size: int


def error(status, code, message=None, headers=None, **inner):
    """Return an error in Graph's shape."""
    text = {
        "code": code,
        "message": message or MESSAGES.get(code, code),
        "innerError": inner,
    }
    body = json.dumps({"error": text}).encode()
    return Answer(status, body, {"Content-Type": "application/json", **(headers or {})})


class Service:
    """The collections of one tenant."""

    def __init__(self, url, clock, dice, watch):
        self.url, self.clock, self._dice, self._watch = url, clock, dice, watch
        self.rows = {}
        self.licence = PREMIUM
        self.permissions = set(PERMISSIONS)
        self.unknown_values = set()
        """Values of `eq` clauses that match nothing, whatever the records say."""
        self.heaviest = None
        """The longest window that is borne, as a timedelta; a longer one gets 504."""
        self.poisoned = set()
        """Ids of records over which a page breaks."""
        self.chains = {}
        self.latest = None
        """The chain and the row at which the page began that was made last."""

    def add(self, path, records, visible_at=None):
        one = kind_of(path)
        if one is None:
            msg = f"the fake tenant has no {path}"
            raise ValueError(msg)
        rows = self.rows.setdefault(path, [])
        for raw in records:
            record = json.loads(raw) if isinstance(raw, str) else raw
            text = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False)
            ticks = Moment.of(record[one.time]).ticks if one.time else 0
            rows.append(Row(record, text, ticks, visible_at))
        rows.sort(key=_ticks)

    def replace(self, path, record):
        """Put a record in the place of the one that has its id, as the service does to sign-ins."""
        kept = [row for row in self.rows[path] if row.record["id"] != record["id"]]
        if len(kept) == len(self.rows[path]):
            msg = f"no record of {path} has the id {record['id']}"
            raise ValueError(msg)
        self.rows[path] = kept
        self.add(path, [record])

    def answer(self, request, **how):
        """Return what Graph says to a request whose token is good; `how` is for `_chain`."""
        one = kind_of(request.path)
        if one is None:
            return error(400, "BadRequest", f"Resource not found for the segment '{request.path}'.")
        options = request.options
        try:
            self._check_rights(one)
            if "$skiptoken" in options:
                return self.page(*self._continued(options["$skiptoken"]))
            return self.page(self._chain(one, request.path, options, **how), 0)
        except BadFilter as refusal:
            return error(400, "BadRequest", f"Invalid filter clause: {refusal}")
        except _Refused as refusal:
            return refusal.answer

    def _continued(self, token):
        if token not in self.chains:
            text = "Invalid Skip Token, skip token is null."
            raise _Refused(error(400, "BadRequest", text))
        return self.chains[token]

    def _check_rights(self, one):
        if self.permissions.isdisjoint(one.permissions):
            message = f"{MESSAGES[one.refusal]} {one.permissions[0]}"
            raise _Refused(error(403, one.refusal, message))
        if one.premium and self.licence == FREE:
            raise _Refused(error(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"))

    def _chain(self, one, path, options, *, filtered=True, echoed=True):
        """Start the pages of a query; `echoed` tells whether their links show its filter."""
        for name in UNSUPPORTED:
            if f"${name}" in options:
                text = f"Query option '{name.title()}' is not allowed."
                raise _Refused(error(400, "BadRequest", text))
        tree = None
        if "$filter" in options:
            tree = graph_filter.parse(options["$filter"])
            self._check(one, tree)
            tree = graph_filter.without(tree, self.unknown_values)
        size = _page_size(one, options)
        rows = self._fitting(one, path, tree, filtered=filtered)
        kept = options if echoed else {n: v for n, v in options.items() if n != "$filter"}
        return Chain(path, self._ordered(one, rows, options), kept, size)

    def _fitting(self, one, path, tree, *, filtered):
        rows = self.rows.get(path, [])
        if one.time:
            rows = self._inside(rows, graph_filter.window(tree, one.time), filtered=filtered)
        rows = [row for row in rows if not row.visible_at or row.visible_at <= self.clock.now()]
        if tree is None or not filtered:
            return rows
        return [row for row in rows if graph_filter.matches(tree, row.record)]

    def _inside(self, rows, window, *, filtered):
        """Return the rows of a window that are still kept; refuse one that is too long."""
        now = _in_ticks(self.clock.now() - EPOCH)
        kept_from = now - _in_ticks(RETENTION[self.licence])
        first, last = max(window[0], kept_from), window[1]
        if self.heaviest and min(last, now) - first > _in_ticks(self.heaviest):
            raise _Refused(error(504, "UnknownError", "The gateway did not answer in time."))
        if not filtered:
            first, last = kept_from, now
        start, end = bisect_left(rows, first, key=_ticks), bisect_right(rows, last, key=_ticks)
        return rows[start:end]

    def _check(self, one, tree):
        for path, operator, value in graph_filter.leaves(tree):
            allowed = one.filters.get(path)
            if allowed is None:
                name = f"microsoft.graph.{one.type}"
                msg = f"Could not find a property named '{path}' on type '{name}'."
                raise BadFilter(msg)
            if operator not in allowed:
                raise _Refused(error(400, "BadRequest", "Unsupported Query."))
            if (path == one.time) != isinstance(value, Moment):
                msg = f"A binary operator with incompatible types was detected at '{path}'."
                raise BadFilter(msg)
        most = graph_filter.most_choices(tree)
        if most > MOST_CHOICES:
            msg = (
                "Too many child clauses specified in search filter expression containing 'OR'"
                f" operators: {most}. Max allowed: {MOST_CHOICES}."
            )
            raise BadFilter(msg)

    def _ordered(self, one, rows, options):
        order = options.get("$orderby", "")
        if order and order.split()[0] != one.time:
            raise _Refused(error(400, "BadRequest", "Unsupported Query."))
        if not one.time:
            return rows
        newest_first = not order or order.lower().endswith(" desc")
        return rows[::-1] if newest_first else rows

    def page(self, chain, start):
        """Return the page of a chain that begins at a row."""
        self.latest = (chain, start)
        rows = chain.rows[start : start + chain.size]
        end = start + len(rows)
        link = self.link(chain, end) if end < len(chain.rows) else None
        return self.written(chain, rows, link)

    def link(self, chain, start):
        """Return a next link, spelled as the service spells it, and remember it."""
        token = f"{self._dice.getrandbits(128):032x}_{len(self.chains)}"
        self.chains[token] = (chain, start)
        kept = {**chain.options, "$skiptoken": token}
        query = "&".join(f"{name}={_spelled(value)}" for name, value in kept.items())
        link = f"{self.url}{chain.path}?{query}"
        self._watch.links.add(link)
        return link

    def written(self, chain, rows, link):
        version, _, name = chain.path.strip("/").partition("/")
        head = {"@odata.context": f"{self.url}/{version}/$metadata#{name}"}
        if link:
            head["@odata.nextLink"] = link
        ill = next((n for n, row in enumerate(rows) if row.record.get("id") in self.poisoned), None)
        texts = [_selected(row, chain.options.get("$select")) for row in rows[:ill]]
        end = "]}" if ill is None else BROKEN
        body = json.dumps(head)[:-1] + ',"value":[' + ",".join(texts) + end
        return Answer(200, body.encode(), {"Content-Type": JSON})


JSON = (
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;"
    "charset=utf-8"
)
BROKEN = (
    '{"id":"Sync_HM0PK_XXXXX"{ "error": { "code":"BadRequest","message":'
    "\"The property 'category[Nullable=False]' has a null value\" } }"
)
"""How a page ends when the service stumbles over a record in the middle of it."""


class _Refused(Exception):
    def __init__(self, answer):
        super().__init__(answer.status)
        self.answer = answer


def _page_size(one, options):
    wanted = options.get("$top", str(one.page))
    if not wanted.isdecimal() or not int(wanted):
        raise _Refused(error(400, "BadRequest", f"Invalid page size specified: '{wanted}'."))
    return min(int(wanted), one.page)


def _ticks(row):
    return row.ticks


def _in_ticks(span):
    return span // timedelta(microseconds=1) * 10


def _spelled(value):
    """Percent-encode as .NET does: lower-case digits, + for a blank, quotes as they are."""
    text = quote(value, safe="'()$, ").replace(" ", "+")
    return re.sub("%..", lambda match: match[0].lower(), text)


def _selected(row, wanted):
    if not wanted:
        return row.text
    names = {"id", *wanted.split(",")}
    return json.dumps({name: value for name, value in row.record.items() if name in names})
