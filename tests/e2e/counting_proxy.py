"""A proxy in front of a registry that keeps what it was asked, and can be away."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "host"}


class CountingProxy:
    """asked: one (method, path, status, If-None-Match) for each request, in order."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.asked = []
        self.answer = None  # (status, headers) for every manifest; None: the registry's own
        self._lock = threading.Lock()
        self._port = 0
        self._server = None
        self.start()

    @property
    def address(self):
        return f"127.0.0.1:{self._port}"

    def start(self):
        """Again after stop(), on the port it had."""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                status, headers, body = proxy.answer_to(self)
                with proxy._lock:
                    proxy.asked.append((self.command, self.path, status, self.headers.get("If-None-Match")))
                self.send_response_only(status)
                for name, value in headers:
                    self.send_header(name, value)
                if self.command != "HEAD" and status != 304:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = forward

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True
            connections = set()

            def handle_error(self, *_):
                pass  # the client has gone, or stop() has ended the connection

            def process_request(self, request, client_address):
                self.connections.add(request)
                super().process_request(request, client_address)

        self._server = Server(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        """Nobody listens any more, and open connections end."""
        if not self._server:
            return
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._server.connections):
            try:
                connection.shutdown(2)
            except OSError:
                pass
        self._server = None

    def answer_to(self, request):
        if self.answer and "/manifests/" in request.path:
            return *self.answer, b""
        connection = http.client.HTTPConnection(self.upstream, timeout=30)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
            connection.request(request.command, request.path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        skipped = HOP_BY_HOP if request.command == "HEAD" else HOP_BY_HOP | {"content-length"}
        return answer.status, [(n, v) for n, v in answer.getheaders() if n.lower() not in skipped], body

    def count(self, method=None, path_part=""):
        with self._lock:
            return sum(1 for asked in self.asked if (method in (None, asked[0])) and path_part in asked[1])

    def take(self):
        """What was asked since the last take()."""
        with self._lock:
            asked, self.asked = self.asked, []
            return asked
