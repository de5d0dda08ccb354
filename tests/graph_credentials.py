"""What an app proves itself with: secrets, certificates, and the assertions signed by them."""

import functools
import hashlib
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from graph_refusals import Refusal

ISSUER = "https://token.actions.example.com"
SUBJECT = "repo:example/audit:ref:refs/heads/main"
EXCHANGE = "api://AzureADTokenExchange"
"""https://learn.microsoft.com/en-us/entra/workload-id/workload-identity-federation"""
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SLACK_S = 300
"""How far two clocks may differ."""


@dataclass(frozen=True)
class KeyPair:
    """A private key and its self-signed certificate."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    def pem(self, password=None):
        """Return key and certificate as one PEM; the key encrypted if there is a password."""
        lock = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
        return key + self.certificate.public_bytes(Encoding.PEM)

    def pfx(self, password):
        """Return key and certificate as PKCS #12."""
        lock = BestAvailableEncryption(password.encode())
        return pkcs12.serialize_key_and_certificates(b"app", self.key, self.certificate, None, lock)

    @property
    def thumbprints(self):
        """The certificate's name in a JWT header, by each of the header's keys."""
        der = self.certificate.public_bytes(Encoding.DER)
        return {
            "x5t": _url64(hashlib.sha1(der, usedforsecurity=False).digest()),
            "x5t#S256": _url64(hashlib.sha256(der).digest()),
        }


@functools.cache
def key_pair(name="registered"):
    """Return the key pair of a name, the same all through a run: making one takes a while."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    return KeyPair(key, certificate)


class Credentials:
    """What one app has registered, and the checks of what it shows."""

    def __init__(self, client_id, secret):
        self.client_id, self.secret = client_id, secret
        self.secret_expired = False
        self.certificates = [key_pair()]
        self.issuer, self.subject, self.issuer_keys = ISSUER, SUBJECT, key_pair("issuer")
        self.time = time.time
        """Seconds since 1970 by which assertions are checked: msal stamps them by the machine's
        clock, which cannot be handed in."""

    def check(self, form, audiences):
        """Return nothing if the app has proved itself; else raise Refusal."""
        if "client_secret" in form:
            if form["client_secret"] != self.secret:
                raise Refusal(7000215)
            if self.secret_expired:
                raise Refusal(7000222)
        elif form.get("client_assertion_type") == ASSERTION:
            self._check_assertion(form.get("client_assertion", ""), audiences)
        else:
            raise Refusal(7000216)

    def _check_assertion(self, assertion, audiences):
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError as fault:
            raise Refusal(50027) from fault
        if claims.get("iss") == self.client_id:
            shown = {header.get(name, "").rstrip("=") for name in ("x5t", "x5t#S256")}
            known = [one for one in self.certificates if shown & set(one.thumbprints.values())]
            if not known:
                raise Refusal(700027)
            if claims.get("sub") != self.client_id or claims.get("aud") not in audiences:
                raise Refusal(700023)
            pair = known[0]
        else:
            pair = self.issuer_keys
            for name, wanted, code in (
                ("iss", self.issuer, 700211),
                ("aud", EXCHANGE, 700212),
                ("sub", self.subject, 700213),
            ):
                if claims.get(name) != wanted:
                    raise Refusal(code)
        self._check_signature(assertion, pair)
        begins = claims.get("nbf", claims.get("iat", 0))
        if not begins - SLACK_S <= self.time() <= claims.get("exp", 0) + SLACK_S:
            raise Refusal(700024)

    def _check_signature(self, assertion, pair):
        unread = {
            "verify_exp": False,
            "verify_nbf": False,
            "verify_aud": False,
            "verify_iat": False,
        }
        public = pair.key.public_key()
        try:
            jwt.decode(assertion, public, algorithms=["RS256", "PS256"], options=unread)
        except jwt.InvalidTokenError as fault:
            raise Refusal(700027) from fault

    def federated_token(self, **claims):
        """Return what the outside issuer says of the app; `claims` replace or add."""
        now = int(self.time())
        said = {"iss": self.issuer, "sub": self.subject, "aud": EXCHANGE, "nbf": now}
        said |= {"iat": now, "exp": now + 600, "jti": "canary-federated"}
        return jwt.encode({**said, **claims}, self.issuer_keys.key, algorithm="RS256")


def _url64(raw):
    return urlsafe_b64encode(raw).decode().rstrip("=")
