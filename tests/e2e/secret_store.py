"""A store of secrets for the tests: the key-value API of OpenBao, and an item API as a webhook store has it."""

import http.server
import json
import threading
import urllib.parse

TOKEN = "s.bao-test-token"


class SecretStore:
    def __init__(self):
        self.secrets = {}  # "app" -> {"password": "…"}
        self.asked = []  # (method, path, headers)
        self.down = False
        store = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                store.asked.append((self.command, self.path, dict(self.headers)))
                status, body = store.answer(self.path, self.headers)
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

    def answer(self, path, headers):
        if self.down:
            return 400, {"errors": [json.dumps(self.secrets)]}  # what a careless store may say
        if headers.get("X-Vault-Token") != TOKEN and headers.get("Authorization") != f"Bearer {TOKEN}":
            return 403, {"errors": ["permission denied"]}
        path = urllib.parse.unquote(path)
        if path.startswith("/v1/kv/data/") and path[12:] in self.secrets:
            return 200, {"data": {"data": self.secrets[path[12:]], "metadata": {"version": 1}}}
        if path.startswith("/item/") and path[6:] in self.secrets:
            fields = [{"name": name, "value": value} for name, value in self.secrets[path[6:]].items()]
            return 200, {"success": True, "data": {"fields": fields}}
        return 404, {"errors": []}

    def close(self):
        self.server.shutdown()
        self.server.server_close()
