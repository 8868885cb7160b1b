"""A store of secrets for the tests. It speaks as OpenBao's key-value engine, as a webhook store, as 1Password Connect, as
Infisical, as AWS Secrets Manager and as Bitwarden Secrets Manager, all with the same secrets and the same token."""

import base64
import hashlib
import hmac
import http.server
import json
import subprocess
import threading
import urllib.parse

TOKEN = "test-token-of-the-store"
AWS_KEY = "aws-test-secret-key"
BITWARDEN_TOKEN = "0.client." + TOKEN + ":" + base64.b64encode(bytes(range(16))).decode()
BITWARDEN_ID = "0a0a0a0a-0000-4000-8000-000000000001"  # of app: password


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def aws_signature(method, headers, body):
    """What the Authorization header must end in, worked out anew."""
    fields = dict(part.strip().split("=", 1) for part in headers["Authorization"].split(" ", 1)[1].split(","))
    day, region, service, end = fields["Credential"].split("/")[1:]
    names = fields["SignedHeaders"]
    lines = "".join(f"{name}:{headers[name]}\n" for name in names.split(";"))
    canonical = f"{method}\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{region}/{service}/{end}"
    text = f"AWS4-HMAC-SHA256\n{headers['X-Amz-Date']}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("AWS4" + AWS_KEY).encode()
    for part in (day, region, service, end):
        key = mac(key, part.encode())
    return mac(key, text.encode()).hex()


def bitwarden_text(key, plain):
    """AES by the openssl command."""
    iv = bytes(range(16))
    data = subprocess.run(["openssl", "enc", "-aes-256-cbc", "-K", key[:32].hex(), "-iv", iv.hex()], input=plain.encode(),
                          stdout=subprocess.PIPE, check=True).stdout
    return "2." + "|".join(base64.b64encode(part).decode() for part in (iv, data, mac(key[32:], iv + data)))


def bitwarden_account_key():
    extracted = mac(b"bitwarden-accesstoken", bytes(range(16)))
    first = mac(extracted, b"sm-access-token\x01")
    return first + mac(extracted, first + b"sm-access-token\x02")


ORGANISATION_KEY = bytes(range(64, 128))


class SecretStore:
    def __init__(self):
        self.secrets = {}  # "app" -> {"password": "…"}
        self.asked = []  # (method, path, headers)
        self.down = False
        store = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if not self.path.startswith("/v1/auth/token/"):  # how the token is kept alive has its own pace
                    store.asked.append((self.command, self.path, dict(self.headers)))
                status, body = store.answer(self.command, self.path, self.headers, sent)
                body = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, method, path, headers, sent):
        if self.down:
            return 400, {"errors": [json.dumps(self.secrets)]}  # what a careless store may say
        if path.endswith(("/universal-auth/login", "/connect/token")):
            return self.login(path, sent.decode())
        is_allowed = (headers.get("X-Vault-Token") == TOKEN or headers.get("Authorization") == f"Bearer {TOKEN}"
                      or ("X-Amz-Target" in headers
                          and headers["Authorization"].endswith("=" + aws_signature(method, headers, sent))))
        if not is_allowed:
            return 403, {"errors": ["permission denied"]}
        answer = self.read(urllib.parse.unquote(path), json.loads(sent or b"{}"))
        return (404, {"errors": []}) if answer is None else (200, answer)

    def login(self, path, sent):
        if path.endswith("/universal-auth/login"):
            good = json.loads(sent) == {"clientId": "client", "clientSecret": TOKEN}
            return (200, {"accessToken": TOKEN, "expiresIn": 3600}) if good else (401, {})
        if urllib.parse.parse_qs(sent)["client_secret"] != [TOKEN]:
            return 400, {}
        payload = json.dumps({"encryptionKey": base64.b64encode(ORGANISATION_KEY).decode()})
        return 200, {"access_token": TOKEN, "expires_in": 3600,
                     "encrypted_payload": bitwarden_text(bitwarden_account_key(), payload)}

    def read(self, path, sent):
        """The answer to what the path asks for; None: it is not there."""
        path, _, query = path.partition("?")
        if path == "/v1/auth/token/lookup-self":
            return {"data": {"ttl": 0, "renewable": False}}
        if path.startswith("/v1/kv/data/"):
            found = self.secrets.get(path[12:])
            return found and {"data": {"data": found, "metadata": {"version": 1}}}
        if path.startswith("/item/"):
            found = self.secrets.get(path[6:])
            return found and {"success": True, "data": {"fields": self.fields(found, "name")}}
        if path == "/v1/vaults":
            return [{"id": "v1"}] if query == 'filter=title eq "The vault"' else []
        if path == "/v1/vaults/v1/items":
            return [{"id": name} for name in self.secrets if query == f'filter=title eq "{name}"']
        if path.startswith("/v1/vaults/v1/items/"):
            return {"fields": self.fields(self.secrets[path[20:]], "label")}
        if path.startswith("/api/v3/secrets/raw/"):
            value = self.secrets["app"].get(path[20:])
            return value and {"secret": {"secretValue": value}}
        if path == "/":  # AWS
            found = self.secrets.get(sent["SecretId"])
            return found and {"SecretString": json.dumps(found)}
        if path == "/secrets/get-by-ids":
            value = bitwarden_text(ORGANISATION_KEY, self.secrets["app"]["password"])
            return {"data": [{"id": BITWARDEN_ID, "value": value}]} if sent["ids"] == [BITWARDEN_ID] else None
        return None

    @staticmethod
    def fields(values, name):
        return [{name: key, "value": value} for key, value in values.items()]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
