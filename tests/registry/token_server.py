"""A token server for docker-registry's `auth: token`, signing as its documentation describes.

https://distribution.github.io/distribution/spec/auth/jwt/
"""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from certificates import Certificate

SERVICE, ISSUER = "a registry", "a token server"
USER, PASSWORD = "reader", "pass:word/ä"
REFRESH = "an identity token"
PUBLIC = "public/"  # what may be read by everybody


class TokenServer:
    """A running token server; `asked` holds what it was asked: way, who, scope."""

    def __init__(self, signer: Certificate) -> None:
        self._signer = signer
        self.asked: list[tuple[str, str, str]] = []
        self.lifetime = 60
        self.url = ""

    @property
    def auth(self) -> dict[str, object]:
        """The section `auth` of the registry's configuration."""
        bundle = str(self._signer.path)
        return {"token": {"realm": self.url, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": bundle}}

    def token(self, scope: str, *actions: str) -> str:
        """A token for a scope, with these actions, or the ones that the scope names."""
        kind, name, wanted = scope.split(":")
        access = [{"type": kind, "name": name, "actions": list(actions or wanted.split(","))}]
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": USER, "aud": SERVICE, "jti": str(time.monotonic_ns()), "access": access}
        claims |= {"iat": now, "nbf": now - 30, "exp": now + self.lifetime}
        body = "".join(self._signer.path.read_text().splitlines()[1:-1])
        header = {"typ": "JWT", "alg": "RS256", "x5c": [body]}
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
        command = ["openssl", "dgst", "-sha256", "-sign", str(self._signer.key)]
        signature = subprocess.run(command, input=signed.encode(), capture_output=True, check=True, timeout=30).stdout
        return f"{signed}.{_encoded(signature)}"

    def answer(self, way: str, authorization: str, form: Mapping[str, list[str]]) -> tuple[int, dict[str, object]]:
        """What the server says to a request."""
        scope = form.get("scope", [""])[0]
        right = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        known = form.get("refresh_token") == [REFRESH] if way == "POST" else authorization == right
        self.asked.append((way, "known" if known else "anonymous" if not authorization else "wrong", scope))
        if form.get("service") != [SERVICE] or not (known or scope.startswith(f"repository:{PUBLIC}")):
            return 401, {"errors": [{"code": "DENIED", "message": f"you sent {authorization}"}]}
        if way == "POST":
            return 200, {"access_token": self.token(scope), "refresh_token": REFRESH}
        return 200, {"token": self.token(scope)}


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


@contextlib.contextmanager
def running(signer: Certificate) -> Iterator[TokenServer]:
    """A token server on a free port of 127.0.0.1; it ends with the block."""
    found = TokenServer(signer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self.reply(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def reply(self, query: str) -> None:
            status, body = found.answer(self.command, self.headers.get("Authorization", ""), parse_qs(query))
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/token"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
