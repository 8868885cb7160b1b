"""A scripted HTTP proxy in front of a real registry: passes requests on, except where the script has a fault for one.

    proxy = FaultProxy(bed()["REGISTRY"])
    proxy.on("GET", "/blobs/", status(503), status(503))     the first two such requests; what follows is passed on
    proxy.on("GET", "/blobs/", always(cut(1000)))            every one
    FaultProxy(bed()["REGISTRY"], folder)                    over HTTPS, with cert.pem and key.pem of that folder

A fault takes the handler and what the registry answered, and writes what the client gets instead.
"""

import http.client
import re
import socket
import ssl
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Upstream:
    """What the registry answered."""

    def __init__(self, answer):
        self.status, self.headers, self.body = answer.status, answer.getheaders(), answer.read()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle(self):
        # As any web server: it refuses TLS at once, and does not wait for an end of line in it.
        if not self.server.has_tls and self.connection.recv(1, socket.MSG_PEEK) == b"\x16":
            return self.wfile.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        super().handle()

    def pass_on(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        fault = self.server.script.next_fault(self.command, self.path, headers)
        link = http.client.HTTPConnection(self.server.upstream, timeout=60)
        link.request(self.command, self.path, body, {**headers, "Host": self.headers.get("Host", "")})
        upstream = Upstream(link.getresponse())
        link.close()
        try:
            (fault or passed)(self, upstream)
        except OSError:
            self.close_connection = True  # the client has left

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = pass_on

    def send_head(self, status, headers):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        self.end_headers()

    def send_body(self, body):
        if self.command != "HEAD":
            self.wfile.write(body)
            self.wfile.flush()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client that hangs up is what these tests are about


class Script:
    def __init__(self):
        self.lock = threading.Lock()
        self.rules = []  # (method, pattern, faults left, endless)
        self.asked = []  # (method, path, headers), in order

    def next_fault(self, method, path, headers):
        with self.lock:
            self.asked.append((method, path, headers))
            for rule in self.rules:
                if rule["method"] in (method, "*") and re.search(rule["path"], path) and rule["faults"]:
                    fault = rule["faults"][0]
                    if not getattr(fault, "is_endless", False):
                        rule["faults"].pop(0)
                    return fault
        return None


class FaultProxy:
    def __init__(self, upstream, certificate_folder=None):
        self.script = Script()
        self.closing = threading.Event()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.script, self.server.upstream, self.server.closing = self.script, upstream, self.closing
        self.server.has_tls = certificate_folder is not None
        if self.server.has_tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"{certificate_folder}/cert.pem", f"{certificate_folder}/key.pem")
            # The handshake is left to the connection's own thread: nobody waits for another one's.
            self.server.socket = context.wrap_socket(self.server.socket, True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server.server_address[1]}"

    def on(self, method, path, *faults):
        with self.script.lock:
            self.script.rules.append({"method": method, "path": path, "faults": list(faults)})

    def requests(self, method, path):
        """Headers of the requests so far that fit."""
        with self.script.lock:
            return [headers for each, where, headers in self.script.asked
                    if method in (each, "*") and re.search(path, where)]

    def reset(self):
        with self.script.lock:
            self.script.rules, self.script.asked = [], []

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


# --- faults ----------------------------------------------------------------------------------------------------------


def passed(handler, upstream):
    handler.send_head(upstream.status, upstream.headers)
    handler.send_body(upstream.body)


def after(act):
    """The registry's own answer, but first something happens: what is in the registry changes under the client."""
    def answer(handler, upstream):
        act()
        passed(handler, upstream)
    return answer


def always(fault):
    """The same fault, however often."""
    def endless(handler, upstream):
        fault(handler, upstream)
    endless.is_endless = True
    return endless


def status(code, body=b"", **headers):
    def answer(handler, _):
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        handler.send_head(code, [*named, ("Content-Length", str(len(body)))])
        handler.send_body(body)
    return answer


def redirect(location):
    return status(307, Location=location)


def sent_on(origin):
    """To the same path there: https://host:port, say."""
    def answer(handler, upstream):
        status(308, Location=origin + handler.path)(handler, upstream)
    return answer


def cut(count, reset=False):
    """Announces all, sends so many bytes of the body, hangs up; `reset`: the hard way."""
    def answer(handler, upstream):
        handler.send_head(upstream.status, upstream.headers)
        handler.send_body(upstream.body[:count])
        if reset:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True
        if reset:
            handler.connection.close()
    return answer


def stalled(count):
    """Sends so many bytes of the body and then nothing more; None: not even the head."""
    def answer(handler, upstream):
        if count is not None:
            handler.send_head(upstream.status, upstream.headers)
            handler.send_body(upstream.body[:count])
        handler.server.closing.wait(120)
        handler.close_connection = True
    return answer


def trickled(seconds):
    """The body, a byte each time."""
    def answer(handler, upstream):
        handler.send_head(upstream.status, upstream.headers)
        for at in range(len(upstream.body)):
            handler.send_body(upstream.body[at:at + 1])
            if handler.server.closing.wait(seconds):
                break
        handler.close_connection = True
    return answer


def changed(edit, **headers):
    """Another body, under an honest Content-Length; headers replace the registry's."""
    def answer(handler, upstream):
        body = edit(upstream.body)
        named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        named["content-length"] = str(len(body))
        kept = [(name, value) for name, value in upstream.headers if name.lower() not in named]
        handler.send_head(upstream.status, [*kept, *named.items()])
        handler.send_body(body)
    return answer


def shortened(count):
    """Of the range that was asked for only so many bytes, which Content-Range says."""
    def answer(handler, upstream):
        named = {name.lower(): value for name, value in upstream.headers}
        first, total = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", named["content-range"]).groups()
        shown = f"bytes {first}-{int(first) + count - 1}/{total}"
        changed(lambda body: body[:count], Content_Range=shown)(handler, upstream)
    return answer


def garbage(data):
    """These bytes instead of an answer."""
    def answer(handler, _):
        handler.wfile.write(data)
        handler.close_connection = True
    return answer


def flipped(body):
    return body[:-1] + bytes([body[-1] ^ 1])
