"""A receiver of notifications for tests: plays Apprise."""

import http.server
import json
import threading

from harness import free_port

URLS = "json://somebody,slack://token-a/token-b"


class Apprise:
    """Takes notifications while it is up; may answer late, or something else than 200."""

    def __init__(self):
        self.port, self.messages, self.status = free_port(), [], 200
        self.answers = threading.Event()  # cleared: it hangs
        self.answers.set()
        self.server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/notify"

    def up(self):
        apprise = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                apprise.messages.append(json.loads(body))
                apprise.answers.wait(20)
                try:
                    self.send_response(apprise.status)
                    self.end_headers()
                    self.wfile.write(b'{"error": "no answer from slack://token-a/token-b", "token": "token-c"}')
                except OSError:
                    pass  # the sender is gone

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def down(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def titles(self):
        return [message["title"] for message in self.messages]
