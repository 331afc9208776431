"""An identity provider on loopback: a real one as far as it goes, which says what a test lets it say."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = "account-intelligence"
SECRET = "a secret of both"


@dataclass
class Provider:
    """A provider with one key. `claims` go into the next token; `signs_with` and `algorithm` say how it is signed;
    `asked` is what it was last asked.
    """

    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))
    signs_with: Any = None
    algorithm: str = "RS256"
    claims: dict[str, Any] = field(default_factory=dict)
    is_away: bool = False
    address: str = ""
    asked: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def described(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
        }

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The token endpoint: the code once, with the proof that whoever began also finishes."""
        code = form.get("code", "")
        proven = base64.urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if code in self.taken or code != "the-code" or proven != self.asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        self.taken.add(code)
        now = int(time.time())
        claims = {
            "iss": self.address, "aud": CLIENT, "sub": "7", "iat": now, "exp": now + 300, "nonce": self.asked["nonce"],
            "email_verified": True, **self.claims,
        }  # fmt: skip
        signed = jwt.encode(
            {"alg": self.algorithm, "kid": "one"}, claims, self.signs_with or self.key, algorithms=[self.algorithm]
        )
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": signed}

    def settings(self) -> dict[str, str]:
        """The environment of an installation that has this provider."""
        return {
            "OIDC_ISSUER": self.address,
            "OIDC_CLIENT_ID": CLIENT,
            "OIDC_CLIENT_SECRET": SECRET,
            "OIDC_NAME": "Example SSO",
        }

    def page(self) -> str:
        """What a person sees there: who they are known as, asked to prove it when that was wanted."""
        question = "Prove that it is you" if self.asked.get("prompt") == "login" else "You are signed in"
        sent = "".join(
            f'<input type="hidden" name="{name}" value="{escape(value)}">'
            for name, value in {"state": self.asked["state"], "code": "the-code"}.items()
        )
        return f"""<!doctype html><html lang="en"><title>Example SSO</title><h1>{question}</h1>
            <form action="{escape(self.asked["redirect_uri"])}">{sent}<button>Continue</button></form>"""


@contextmanager
def a_provider() -> Iterator[Provider]:
    """A provider that answers."""
    made = Provider()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status: int, text: str, kind: str = "application/json") -> None:
            self.send_response(503 if made.is_away else status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def do_GET(self) -> None:
            known = {
                "/.well-known/openid-configuration": made.described(),
                "/keys": {"keys": [made.key.as_dict(private=False)]},
            }
            place = urlsplit(self.path)
            if place.path == "/authorize":
                made.asked = {name: values[0] for name, values in parse_qs(place.query).items()}
                made.taken.clear()
                self.answer(200, made.page(), "text/html; charset=utf-8")
            else:
                self.answer(200 if self.path in known else 404, json.dumps(known.get(self.path, {})))

        def do_POST(self) -> None:
            sent = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            named = base64.b64encode(f"{CLIENT}:{quote_plus(SECRET)}".encode()).decode()
            is_known = self.headers["authorization"] == f"Basic {named}"
            form = {name: values[0] for name, values in sent.items()}
            status, said = made.token(form) if is_known else (401, {"error": "invalid_client"})
            self.answer(status, json.dumps(said))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()
