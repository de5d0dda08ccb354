"""Asks Graph: signed, paced, asked again where that helps, checked; and page after page.

One worry a function, from the outside in:

    pages     follows next links, and only those that stay where they were
    get       asks again
    _checked  says what an answer means
    _signed   answers one 401 with a new token
    _sent     waits its turn and sends one request
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import httpx

from sspr_audit.errors import ServiceUnreachable, SsprAuditError
from sspr_audit.model import Clock, Posted
from sspr_audit.sources.graph import answers, refusals
from sspr_audit.sources.graph import http as wire
from sspr_audit.sources.graph.answers import Answer, Page
from sspr_audit.sources.graph.auth import SignIn
from sspr_audit.sources.graph.collections import MAIL, Collection
from sspr_audit.sources.graph.errors import ChainBroken, NotOffered, TooHeavy, Unproved
from sspr_audit.sources.graph.pace import Pace
from sspr_audit.sources.graph.retrying import LONGEST_HOLD, Again, may_pass, retried, retry_after

TRIES: Final = 6
"""For what usually passes: throttling, 5xx, a connection that broke."""
HEAVY_TRIES: Final = 3
"""For a service that thought too long: asking for less is the better answer."""
DOUBTFUL_TRIES: Final = 2
"""For a no that Graph is known to give now and then where it means yes."""
POST_TRIES: Final = 3
"""For a post that the service did not take because it is busy, and says when to come again."""
LONGEST_POST_HOLD: Final = 300.0
"""Seconds that a post waits for that; what wants longer is for the next run."""
LONGEST_NAMED: Final = 200
"""Characters of a link that are told: whoever wrote it could have written pages."""
MOST_EMPTY: Final = 100
"""Pages without a record, one after the other, that are believed."""

_HEAVY: Final = frozenset({408, 504})


class Graph:
    """One tenant's Graph; not for several threads at once, which its limits would not reward."""

    def __init__(  # noqa: PLR0913 - the outside is handed in, piece by piece
        self,
        http: httpx.Client,
        sign_in: SignIn,
        root: str,
        pace: Pace,
        clock: Clock,
        *,
        note: Callable[[str], None],
        dice: random.Random,
    ) -> None:
        """`root` such as https://graph.microsoft.com; `note` is told of every try that failed;
        `dice` makes request ids and the jitter of pauses.
        """
        self._http = http
        self._sign_in = sign_in
        self._root = httpx.URL(root)
        self._pace = pace
        self._clock = clock
        self._note = note
        self._dice = dice
        self.requests: Counter[str] = Counter()
        """How many went out, by kind: the collection's name unless the caller named another."""
        self.waited = 0.0
        """Seconds spent waiting for the pace and for what the service asked."""

    def pages(
        self, collection: Collection, path_and_query: str, *, kind: str | None = None
    ) -> Iterator[Page]:
        """Yield every page of a query, until one has no next link; a page may be empty.

        Raises, beside what `get` does: ChainBroken where a next page cannot be had or was had
        before, Unproved where a link leads elsewhere. What was yielded until then is no whole
        window.
        """
        link: str | None = str(self._root.join(path_and_query))
        links: set[int] = set()
        known: set[int] = set()
        number = empty = 0
        while link is not None:
            url = self._trusted(link, collection)
            if hash(link) in links:
                msg = f"Graph leads from page {number} of {collection.name} to one read before"
                raise ChainBroken(msg)
            links.add(hash(link))
            found = self._next(url, collection, number, kind)
            number += 1
            records = found.records
            if records is None:
                msg = f"Graph answered to {collection.name} with something that is no page of it"
                raise Unproved(msg)
            empty = 0 if records else empty + 1
            fingerprint = answers.fingerprint(records)
            if (records and fingerprint in known) or empty > MOST_EMPTY:
                msg = f"Graph gave page {number} of {collection.name} before: it goes in circles"
                raise ChainBroken(msg)
            known.add(fingerprint)
            yield Page(records, found.request_id, number, found.next_link is None)
            link = found.next_link

    def get(self, url: str, collection: Collection, *, kind: str | None = None) -> Answer:
        """Return the whole answer to one question, asked again as long as that may help.

        Raises Refused (401, 403), NotOffered (400, 404 and the like), TooHeavy where the service
        gave no whole answer after all tries, Unproved for what is no answer of Graph,
        ServiceUnreachable where it was not reached, and what SignIn.token raises.
        """
        count = kind or collection.name

        def once() -> Answer:
            try:
                return self._checked(self._signed(url, collection, count), collection)
            except Again as again:
                self._note(f"{collection.name}: {again.end}")
                raise

        return retried(
            once,
            sleep=lambda seconds: self._pace.hold(collection.bucket, seconds),
            jitter=self._dice.random(),
        )

    def post(self, path: str, body: bytes, kind: str, ready: Callable[[], None]) -> Posted:
        """Hand something over, once: again only where the answer says that it was not taken.

        `ready` is called when nothing but the request is still to come. Raises ServiceUnreachable
        and what SignIn.token raises where nothing was taken.
        """
        url = str(self._root.join(path))
        content = (body, kind)
        self._sign_in.token()
        self.waited += self._pace.wait(MAIL.bucket)
        ready()
        for attempt in range(1, POST_TRIES + 1):
            try:
                response = self._signed(url, MAIL, MAIL.name, content)
            except Again as again:
                if isinstance(again.end, TooHeavy):  # it broke off with the request under way
                    return Posted(None, why=str(again.end))
                raise again.end from None
            after = retry_after(response, self._clock.now())
            busy = response.status_code == httpx.codes.TOO_MANY_REQUESTS or (
                response.status_code == httpx.codes.SERVICE_UNAVAILABLE and after is not None
            )
            if not busy or attempt == POST_TRIES or (after or 0) > LONGEST_POST_HOLD:
                break
            self._pace.hold(MAIL.bucket, after or 0)
        return self._told(response, busy=busy)

    def _told(self, response: httpx.Response, *, busy: bool) -> Posted:
        """Return what an answer to a post says."""
        status = response.status_code
        if response.is_redirect or "html" in response.headers.get("Content-Type", ""):
            raise ServiceUnreachable(wire.portal(self._root.host, status))
        code = refusals.word(answers.error_code(response), "")
        why = refusals.mail(self._sign_in.app.client_id, code)
        return Posted(status, code, why, busy)

    def _next(self, url: str, collection: Collection, number: int, kind: str | None) -> Answer:
        try:
            return self.get(url, collection, kind=kind)
        except NotOffered as error:
            if number == 0:
                raise
            page = f"page {number + 1} of {collection.name}"
            msg = f"Graph no longer knows where {page} begins ({error.status} {error.code})"
            raise ChainBroken(msg) from None

    def _trusted(self, link: str, collection: Collection) -> str:
        """Return the link as it is. Raises Unproved where it leaves Graph or the collection: the
        client would sign it all the same.
        """
        try:
            there, path = _place(httpx.URL(link))
        except (httpx.InvalidURL, UnicodeError):  # the latter for a name that punycode cannot give
            there, path = None, ""
        if there != _place(self._root)[0] or path.casefold() != collection.address.casefold():
            away = ascii(link.partition("?")[0])[1:-1][:LONGEST_NAMED]
            msg = (
                f"Graph's answer to {collection.name} leads to {away}, which is not where it came "
                "from: nothing was sent there; have the network's owner see what stands between"
            )
            raise Unproved(msg)
        return link

    def _checked(self, response: httpx.Response, collection: Collection) -> Answer:
        """Return what a good answer says. Raises Again for what may pass, else what `get` says."""
        status, host = response.status_code, self._root.host
        if may_pass(status):
            raise self._busy(response, collection)
        if wire.is_portal(response):
            raise wire.portal(host, status)
        if status == httpx.codes.OK:
            try:
                return answers.answer(response, response.request.headers["client-request-id"])
            except answers.Broken:
                msg = f"Graph broke off in the middle of an answer to {collection.name}"
                raise Again(TooHeavy(msg), tries=TRIES) from None
        raise self._denied(response, collection)

    def _busy(self, response: httpx.Response, collection: Collection) -> Again:
        status = response.status_code
        after = retry_after(response, self._clock.now())
        text = f"Graph answers {status} to {collection.name}"
        if after is not None and after > LONGEST_HOLD:
            end = ServiceUnreachable(f"{text} and wants {after:.0f} s of rest: run again then")
            return Again(end, tries=1, after=after)
        tries = HEAVY_TRIES if status in _HEAVY else TRIES
        return Again(TooHeavy(f"{text}, again and again: ask for less"), tries=tries, after=after)

    def _denied(self, response: httpx.Response, collection: Collection) -> SsprAuditError | Again:
        status = response.status_code
        code = refusals.word(answers.error_code(response), "")
        ids = response.headers.get("request-id")
        client_id = self._sign_in.app.client_id
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            end: SsprAuditError = refusals.permission(collection, client_id, status, code, ids)
            return Again(end, tries=DOUBTFUL_TRIES) if code == refusals.NON_PREMIUM else end
        end = NotOffered(
            f"Graph does not answer {collection.name} here ({status} {code}): {collection.without}",
            status=status,
            code=code,
        )
        if status == httpx.codes.BAD_REQUEST and code == "UnknownError":
            return Again(end, tries=DOUBTFUL_TRIES)
        return end

    def _signed(
        self, url: str, collection: Collection, kind: str, posted: tuple[bytes, str] | None = None
    ) -> httpx.Response:
        """Return the answer, with one new token where the first is not (or no longer) enough.

        `posted` is a body with its content type; None asks for something.
        """
        response = self._sent(url, collection, kind, posted)
        claims = answers.claims_challenge(response)
        if response.status_code == httpx.codes.UNAUTHORIZED or claims is not None:
            self._sign_in.token(claims, fresh=claims is None)
            response = self._sent(url, collection, kind, posted)
        return response

    def _sent(
        self, url: str, collection: Collection, kind: str, posted: tuple[bytes, str] | None
    ) -> httpx.Response:
        """Send one request when its turn has come. No name here holds the token: a traceback
        with values would show it.
        """
        self.waited += self._pace.wait(collection.bucket)
        if posted is None:
            request = self._http.build_request("GET", url, headers=self._headers())
        else:
            body, of = posted
            headers = {**self._headers(), "Content-Type": of}
            request = self._http.build_request("POST", url, headers=headers, content=body)
        request.headers["Authorization"] = f"Bearer {self._sign_in.token()}"
        self.requests[kind] += 1
        try:
            return wire.received(self._http, request, self._clock)
        except httpx.HTTPError as error:
            raise self._lost(error, collection) from None

    def _headers(self) -> dict[str, str]:
        return {
            "Accept": "application/json",
            "client-request-id": str(uuid.UUID(int=self._dice.getrandbits(128), version=4)),
            "return-client-request-id": "true",
        }

    def _lost(self, error: httpx.HTTPError, collection: Collection) -> Again:
        text = wire.trouble(error, self._root.host)
        if wire.is_lasting(error):
            return Again(ServiceUnreachable(text), tries=1)
        if wire.is_on_the_way(error):
            return Again(ServiceUnreachable(text), tries=TRIES)
        heavy = isinstance(error, httpx.TimeoutException | wire.Endless)
        end = TooHeavy(f"{text}, while answering {collection.name}")
        return Again(end, tries=HEAVY_TRIES if heavy else TRIES)


def _place(url: httpx.URL) -> tuple[tuple[str, str, int | None, bytes], str]:
    """Return scheme, host, port and user of an address, and apart from these its path."""
    return (url.scheme, url.host, url.port, url.userinfo), url.path
