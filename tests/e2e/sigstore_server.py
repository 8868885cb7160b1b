"""The private instance on a port, for the real cosign to sign with: as much as it uses of Fulcio (v1), Rekor (v1) and a
timestamp authority."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from certificates import pem
from sigstore_instance import uri
from transparency_logs import b64, canonical, envelope_record


def base64url(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class ForeignKey:
    """The public half of what cosign made."""

    def __init__(self, pem_text):
        self.der = base64.b64decode("".join(line for line in pem_text.splitlines() if not line.startswith("-----")))


def identity_token(issuer, subject):
    """What a CI gives its jobs. Nobody here checks the signature."""
    claims = {"iss": issuer, "sub": subject, "aud": "sigstore", "exp": int(time.time()) + 600}
    return ".".join([base64url(canonical({"alg": "RS256"})), base64url(canonical(claims)), base64url(b"signature")])


def as_logged(proposed):
    """What Rekor makes of an entry that somebody proposes: of envelopes it keeps hashes."""
    if proposed["kind"] != "dsse":
        return canonical(proposed)
    content = proposed["spec"]["proposedContent"]
    return envelope_record(json.loads(content["envelope"]), base64.b64decode(content["verifiers"][0]).decode())


class SigstoreServer:
    def __init__(self, instance):
        self.instance = instance
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                routes = {"/api/v1/signingCert": server.certificate, "/api/v1/log/entries": server.entry,
                          "/api/v1/timestamp": server.timestamp}
                if self.path not in routes:
                    return self.send_error(404)
                with server._lock:
                    kind, answer = routes[self.path](body, self.headers)
                self.send_response(201)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def certificate(self, body, headers):
        claims = headers["Authorization"].split()[1].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        key = ForeignKey(base64.b64decode(json.loads(body)["publicKey"]["content"]).decode())
        signer = self.instance.signer(key=key, issuer=claims["iss"], subject=uri(claims["sub"]),
                                      start=int(time.time()))
        chain = (self.instance.authority, self.instance.root)
        text = signer.pem + "".join(pem("CERTIFICATE", each) for each in chain)
        return "application/pem-certificate-chain", text.encode()

    def entry(self, body, _):
        entry = self.instance.log.add(as_logged(json.loads(body)), time.time())
        answer = {"body": b64(entry.body), "integratedTime": entry.time, "logID": entry.log_id.hex(),
                  "logIndex": entry.index,
                  "verification": {"signedEntryTimestamp": b64(entry.promise),
                                   "inclusionProof": {"checkpoint": entry.checkpoint, "logIndex": entry.index,
                                                      "rootHash": entry.root.hex(), "treeSize": entry.size,
                                                      "hashes": [each.hex() for each in entry.hashes]}}}
        return "application/json", json.dumps({f"{entry.index:064x}": answer}).encode()

    def timestamp(self, body, _):
        return "application/timestamp-reply", self.instance.answer_timestamp(body)
