"""An HTTP proxy that knows CONNECT, one user, and which hosts there are.

    ConnectProxy({"registry.test:443": "127.0.0.1:5000"}, "user", "password")
"""

import base64
import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_CONNECT(self):
        if self.headers.get("Proxy-Authorization") != self.server.expected:
            self.send_response(407)
            self.send_header("Proxy-Authenticate", 'Basic realm="proxy"')
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.server.asked.append(self.path)
        target = self.server.hosts.get(self.path)
        if not target:
            return self.send_error(502)
        host, port = target.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as link:
            self.send_response_only(200)
            self.end_headers()
            self.relay(link)
        self.close_connection = True

    def relay(self, link):
        ends = {self.connection: link, link: self.connection}
        while True:
            for end in select.select(list(ends), [], [], 30)[0] or [None]:
                data = end.recv(65536) if end else b""
                if not data:
                    return
                ends[end].sendall(data)

    def log_message(self, *_):
        pass


class ConnectProxy:
    def __init__(self, hosts, user, password):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.hosts, self.server.asked = hosts, []
        self.server.expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server.server_address[1]}"

    @property
    def asked(self):
        return list(self.server.asked)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
