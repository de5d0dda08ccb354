"""The sign-in half of the fake tenant: discovery, and tokens for each way to sign in.

Shapes and codes are those of the Microsoft identity platform:
https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
"""

import base64
import hashlib
import html
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import jwt
from graph_credentials import EXCHANGE, Credentials
from graph_refusals import DECLINED, Refusal, json_answer, refused
from graph_watch import GITHUB
from graph_wire import Answer

LIFE = timedelta(seconds=3599)
DEVICE_LIFE = timedelta(minutes=15)
DEVICE_GRANTS = {"device_code", "urn:ietf:params:oauth:grant-type:device_code"}
OUTLOOK = "https://outlook.office365.com"
"""Exchange Online, whose SMTP door takes tokens of its own."""
IMDS = "/metadata/identity/oauth2/token"


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was given out."""

    until: datetime
    claims: str = ""
    """The text of the claims that the client asked for."""
    delegated: bool = False
    audience: str = ""
    """The root of the service that it is good for."""


class SignIn:
    """The token service of one tenant, with one app and one user."""

    def __init__(self, tenant, clock, dice):
        self.tenant, self._clock, self._dice = tenant, clock, dice
        self.app = Credentials(tenant.client_id, self.canary("secret"))
        self.github_token = self.canary("github")
        self.tokens, self.spent = {}, set()
        """Tokens by their text, and those that were refused as expired once."""
        self.refusals = []
        """Codes with which the next token requests are refused, whatever they show."""
        self.public = True
        """Whether the app may sign people in without a secret."""
        self.polls = 0
        """How often a device is told to wait before its user has signed in."""
        self.interval = 5
        """Seconds that a device is told to let pass between two questions."""
        self.user_says = "yes"
        """Or "no": the user declines at the device code page or in the browser."""
        self.identities = {None}
        """The managed identities here, by client id; None is the machine's own."""
        self._devices, self._codes, self._refresh = {}, {}, {}

    def canary(self, what):
        """Return a secret that is easy to search for, and note it."""
        text = f"canary-{what}-{self._dice.getrandbits(96):024x}"
        self.tenant.canaries.add(text)
        return text

    def answer(self, request):
        """Return what the token service says."""
        if request.path == GITHUB:
            return self._github(request)
        name, _, rest = request.path.strip("/").partition("/")
        if rest == "discovery/instance":
            metadata = f"{self.tenant.authority}/v2.0/.well-known/openid-configuration"
            return json_answer(200, {"tenant_discovery_endpoint": metadata, "metadata": []})
        try:
            return self._routed(name, rest, request)
        except Refusal as refusal:
            return refused(refusal.code, self._clock.now(), self.tenant.guid)

    def _routed(self, name, rest, request):
        if name not in {self.tenant.id, self.tenant.domain}:
            raise Refusal(90002)
        match rest:
            case "v2.0/.well-known/openid-configuration":
                return json_answer(200, self._metadata())
            case "oauth2/v2.0/token":
                self.tenant.canaries |= self._secrets(request.form)
                return json_answer(200, self._granted(request.form))
            case "oauth2/v2.0/devicecode":
                return json_answer(200, self._device(request.form))
            case "oauth2/v2.0/authorize":
                return self._authorized(request.form or request.options)
        return json_answer(404, {"error": "not_found"})

    def _secrets(self, form):
        names = ("client_assertion", "client_secret", "refresh_token", "code", "code_verifier")
        return {form[name] for name in names if name in form}

    def _metadata(self):
        root = self.tenant.authority
        return {
            "issuer": f"{root}/v2.0",
            "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
            "token_endpoint": f"{root}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{root}/discovery/v2.0/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _granted(self, form):
        self._check_app(form)
        if self.refusals:
            raise Refusal(self.refusals.pop(0))
        grant = form.get("grant_type")
        if grant == "client_credentials":
            root = self.tenant.authority
            self.app.check(form, {f"{root}/oauth2/v2.0/token", f"{root}/v2.0"})
            if form.get("scope") not in {f"{self.tenant.url}/.default", f"{OUTLOOK}/.default"}:
                raise Refusal(1002012 if self.tenant.url in form.get("scope", "") else 500011)
            return self._issued(form)
        if not self.public:
            raise Refusal(7000218)
        if grant in DEVICE_GRANTS:
            return self._for_user(form, self._device_grant(form))
        if grant == "authorization_code":
            return self._for_user(form, self._code_grant(form))
        if grant == "refresh_token":
            if form.get("refresh_token") not in self._refresh:
                raise Refusal(50173)
            return self._for_user(form, self._refresh.pop(form["refresh_token"]))
        raise Refusal(70003)

    def _check_app(self, form):
        if form.get("client_id") != self.app.client_id:
            raise Refusal(700016)

    def _issued(self, form, *, delegated=False):
        token = self.canary("token")
        until = self._clock.now() + LIFE
        audience = OUTLOOK if OUTLOOK in form.get("scope", "") else self.tenant.url
        self.tokens[token] = Token(until, form.get("claims", ""), delegated, audience)
        return {"token_type": "Bearer", "expires_in": 3599, "access_token": token}

    def _for_user(self, form, asked):
        """Return the tokens of a signed-in user; `asked` holds nonce and scope."""
        if not self.tenant.consented:
            raise Refusal(65001)
        refresh = self.canary("refresh")
        self._refresh[refresh] = {"scope": asked["scope"]}
        said = {
            "iss": f"{self.tenant.authority}/v2.0",
            "aud": self.app.client_id,
            "sub": self.canary("subject"),
            "oid": self.tenant.user_id,
            "tid": self.tenant.id,
            "preferred_username": self.tenant.user,
            "iat": 0,
            "nbf": 0,
            "exp": 4_102_444_800,  # the year 2100: msal looks at the machine's clock
        }
        if asked.get("nonce"):
            said["nonce"] = asked["nonce"]
        identity = jwt.encode(said, "", algorithm="none")
        self.tenant.canaries.add(identity)
        who = json.dumps({"uid": self.tenant.user_id, "utid": self.tenant.id}).encode()
        return {
            **self._issued(form, delegated=True),
            "scope": " ".join(s for s in asked["scope"].split() if "://" in s),
            "refresh_token": refresh,
            "id_token": identity,
            "client_info": base64.urlsafe_b64encode(who).decode().rstrip("="),
        }

    def _checked_scope(self, form):
        scope = form.get("scope", "")
        if not any(one.startswith(f"{self.tenant.url}/") for one in scope.split()):
            raise Refusal(500011)
        return scope

    def _device(self, form):
        self._check_app(form)
        code, user_code = self.canary("device"), f"{self._dice.getrandbits(36):09X}"
        asked = {"scope": self._checked_scope(form), "until": self._clock.now() + DEVICE_LIFE}
        self._devices[code] = {**asked, "polls": self.polls}
        page = f"{self.tenant.url}/device"
        return {
            "user_code": user_code,
            "device_code": code,
            "verification_uri": page,
            "expires_in": int(DEVICE_LIFE.total_seconds()),
            "interval": self.interval,
            "message": f"To sign in, open the page {page} and enter the code {user_code}.",
        }

    def _device_grant(self, form):
        asked = self._devices.get(form.get("device_code"))
        if asked is None:
            raise Refusal(70000)
        if asked["until"] <= self._clock.now():
            raise Refusal(70020)
        if asked["polls"]:
            asked["polls"] -= 1
            raise Refusal(70016)
        if self.user_says == "no":
            raise Refusal(DECLINED)
        return self._devices.pop(form["device_code"])

    def _authorized(self, form):
        """Return the page that a browser posts to the app at once."""
        self._check_app(form)
        redirect = form.get("redirect_uri", "")
        if not redirect.startswith("http://localhost:"):
            raise Refusal(50011)
        if self.user_says == "no":
            said = {"error": "access_denied", "error_description": "AADSTS65004: User declined."}
        else:
            code = self.canary("code")
            names = ("code_challenge", "nonce", "redirect_uri")
            self._codes[code] = {name: form.get(name) for name in names}
            self._codes[code]["scope"] = self._checked_scope(form)
            said = {"code": code}
        said["state"] = form.get("state", "")
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
            for name, value in said.items()
        )
        page = f'<form method="post" action="{html.escape(redirect)}">{fields}</form>'
        return Answer(200, page.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def _code_grant(self, form):
        asked = self._codes.pop(form.get("code"), None)
        if asked is None:
            raise Refusal(54005)
        if form.get("redirect_uri") != asked["redirect_uri"]:
            raise Refusal(50011)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            raise Refusal(501481)
        return asked

    def expire(self, text):
        """Let one token end now."""
        if text in self.tokens:
            self.tokens[text] = replace(self.tokens[text], until=self._clock.now())

    def revoke_sessions(self):
        """Make every refresh token and every token worthless, as an administrator can."""
        self._refresh.clear()
        for text in self.tokens:
            self.expire(text)

    def _github(self, request):
        if request.token != self.github_token:
            return json_answer(401, {"message": "Bad credentials"})
        audience = request.options.get("audience", EXCHANGE)
        token = self.app.federated_token(aud=audience)
        self.tenant.canaries.add(token)
        return json_answer(200, {"count": len(token), "value": token})

    def machine(self, request):
        """Return what the machine's own identity service says, over plain HTTP."""
        options = request.options
        refused = {"error": "invalid_request"}
        if request.path != IMDS or request.headers.get("metadata") != "true":
            return json_answer(400, {**refused, "error_description": "Required metadata header"})
        if options.get("client_id") not in self.identities:
            return json_answer(400, {**refused, "error_description": "Identity not found"})
        if options.get("resource", "").rstrip("/") != self.tenant.url:
            return json_answer(
                400, {"error": "invalid_resource", "error_description": "AADSTS500011"}
            )
        issued = self._issued({})
        until = int((self._clock.now() + LIFE).timestamp())
        return json_answer(
            200,
            {**issued, "expires_in": "3599", "expires_on": str(until), "resource": self.tenant.url},
        )
