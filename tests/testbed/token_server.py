#!/usr/bin/env python3
"""A token server for docker-registry's `auth: token`: python3 and the openssl command, nothing else.

usage: token_server.py FOLDER PORT USER PASSWORD

FOLDER holds key.pem, cert.pem and ca.pem (the registry trusts the last). Who knows the password may do anything;
everybody else may pull what starts with `public/`. Every token asked for is one line of FOLDER/token.requests.
"""

import base64
import json
import secrets
import ssl
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

FOLDER, PORT, USER, PASSWORD = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
ISSUER = SERVICE = "windlass-test"
LIFETIME_SECONDS = 120


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(text):
    command = ["openssl", "dgst", "-sha256", "-sign", f"{FOLDER}/key.pem", "-binary"]
    return subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True).stdout


def certificate_chain():
    with open(f"{FOLDER}/cert.pem") as file:
        return [base64.b64encode(ssl.PEM_cert_to_DER_cert(file.read())).decode()]


def make_token(subject, access):
    now = int(time.time())
    header = {"typ": "JWT", "alg": "RS256", "x5c": certificate_chain()}
    claims = {
        "iss": ISSUER, "sub": subject, "aud": SERVICE, "jti": secrets.token_hex(8),
        "iat": now, "nbf": now - 5, "exp": now + LIFETIME_SECONDS, "access": access,
    }
    signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{base64url(sign(signed))}"


def granted(scopes, trusted):
    """`repository:<name>:pull,push`, cut down to what this caller may do."""
    access = []
    for scope in " ".join(scopes).split():
        kind, name, actions = scope.split(":", 2)
        wanted = actions.split(",")
        if not trusted:
            wanted = [action for action in wanted if action == "pull" and name.startswith("public/")]
        if wanted:
            access.append({"type": kind, "name": name, "actions": wanted})
    return access


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        scopes = query.get("scope", [])
        credentials = self.headers.get("Authorization", "")
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        trusted = credentials == expected
        with open(f"{FOLDER}/token.requests", "a") as log:
            log.write(f"{'trusted' if trusted else 'refused' if credentials else 'anonymous'} {' '.join(scopes)}\n")
        if credentials and not trusted:
            return self.answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong user or password"}]})
        token = make_token(USER if trusted else "", granted(scopes, trusted))
        return self.answer(200, {"token": token, "access_token": token, "expires_in": LIFETIME_SECONDS})

    def do_POST(self):
        # The OAuth2 form of the flow is not ours: clients fall back to GET.
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer(404, {"errors": [{"code": "UNSUPPORTED", "message": "use GET"}]})

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    print(f"listening on 127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
