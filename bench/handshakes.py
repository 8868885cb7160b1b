#!/usr/bin/env python3
"""A crowd of TLS greetings: how long GET /v1/health takes over HTTPS on connections of their own while so many clients
greet at once and say no more, with an RSA and with an ECDSA key."""

import argparse
import os
import resource
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))
from harness import Windlass  # noqa: E402

KEYS = {"RSA 2048": ["rsa:2048"], "ECDSA P-256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]}


def greeting():
    """What a client says first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl._create_unverified_context().wrap_bio(incoming, outgoing)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


def health(port, tls):
    """Seconds until the answer."""
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain, tls.wrap_socket(plain) as client:
        client.sendall(b"GET /v1/health HTTP/1.0\r\n\r\n")
        while client.recv(4096):
            pass
    return time.monotonic() - begin


def measure(key, count, greets):
    windlass = Windlass(LOG_LEVEL="warn")
    certificate, key_file = os.path.join(windlass.folder, "crt"), os.path.join(windlass.folder, "key")
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key_file,
                    "-out", certificate, "-newkey", *key], check=True, capture_output=True)
    tls = ssl._create_unverified_context()
    try:
        windlass.start(healthy=False, HTTP_TLS_CERT_FILE=certificate, HTTP_TLS_KEY_FILE=key_file)
        end = time.monotonic() + 20
        while True:
            try:
                health(windlass.port, tls)
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        alone = min(health(windlass.port, tls) for _ in range(5))
        clients = [socket.create_connection(("127.0.0.1", windlass.port)) for _ in range(count)]
        for client in clients:
            client.setblocking(False)
        gone = threading.Thread(target=lambda: [client.send(greets) for client in clients])
        gone.start()
        gone.join()
        times = []
        while len(times) < 20:
            times.append(health(windlass.port, tls))
        return alone, times[0], max(times)
    finally:
        windlass.close()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clients", type=int, default=1000)
    options = options.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for name, key in KEYS.items():
        alone, first, longest = measure(key, options.clients, greeting())
        print(f"{name}: alone {alone * 1000:.0f} ms; after {options.clients} greetings {first * 1000:.0f} ms, "
              f"of 20 the longest {longest * 1000:.0f} ms")


if __name__ == "__main__":
    main()
