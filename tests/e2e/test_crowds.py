"""Crowds of clients that want little good (reliability F85, F86): they cost little memory and no place that others need,
and are gone after the limits of the server."""

import os
import select
import socket
import ssl
import struct
import subprocess
import time
import unittest

from harness import EndToEnd, compose, idle_service, payload, sign, until

MIB = 1 << 20


class Crowds(EndToEnd):
    settings = {"LOG_LEVEL": "warn"}

    def connect(self, **options):
        client = socket.socket()
        self.addCleanup(client.close)
        for name, value in options.items():
            client.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        client.connect(("127.0.0.1", self.windlass.port))
        return client

    def resident(self):
        with open(f"/proc/{self.windlass.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def answers_quickly(self, tls=None):
        begin = time.monotonic()
        client = self.connect()
        if tls:
            client = tls.wrap_socket(client)
        client.sendall(b"GET /v1/health HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(4096), b""))
        client.close()
        self.assertIn(b" 200 OK", answer)
        self.assertLess(time.monotonic() - begin, 1)

    def test_five_hundred_that_wait_for_their_runs(self):
        self.windlass.start()
        name = self.stack("crowd")
        ref = self.ref(name)
        slow = {"test": ["CMD", "true"], "interval": "6s"}
        digest = self.push(ref, {".doco-cd.yaml": f"name: {name}\n",
                                 "compose.yaml": compose({"app": idle_service(healthcheck=slow)})})
        first = self.windlass.send(ref, digest)
        until(lambda: self.windlass.run(first.job_id)["status"] == "running", "the first job to run")
        body = payload(ref, digest)
        head = f"X-Doco-OCI-Signature-256: sha256={sign(body)}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        clients = []
        for number in range(500):  # of one lane, so that all of them wait; no such target exists
            clients.append(self.connect())
            clients[-1].sendall(f"POST /v1/webhook/t{number}?wait=true HTTP/1.0\r\n{head}".encode())
        time.sleep(1)
        self.assertEqual(len(self.windlass.api("runs?status=accepted&limit=200")[1]["content"]), 200)
        self.assertEqual(self.windlass.run(first.job_id)["status"], "running")
        self.answers_quickly()
        self.assertLess(self.resident(), 64 * MIB)
        self.succeeds(self.windlass.wait_run(first.job_id))
        for client in clients:
            client.settimeout(60)
            answer = b"".join(iter(lambda: client.recv(4096), b""))
            self.assertTrue(answer.startswith(b"HTTP/1.1 500 ") and b"configuration file not found" in answer, answer)

    def test_answers_that_nobody_reads(self):
        self.windlass.start()
        request = b"GET /v1/health HTTP/1.1\r\nHost: h\r\n\r\n"
        clients = [self.connect(SO_RCVBUF=2304) for _ in range(100)]
        for client in clients:
            client.setblocking(False)
            try:
                while True:
                    client.sendall(request * 100)
            except BlockingIOError:
                pass  # the server takes no more either
        self.answers_quickly()
        self.assertLess(self.resident(), 64 * MIB)
        poll = select.poll()
        for client in clients:
            poll.register(client, 0)  # only errors: the server has cut it
        until(lambda: len(poll.poll(0)) == len(clients), "the server to cut them", 45)  # 30 s without progress

    def start_with_tls(self, *new_key):
        """What clients connect with."""
        folder = self.windlass.folder
        key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key,
                        "-out", certificate, "-newkey", *new_key], check=True, capture_output=True)
        self.windlass.start(healthy=False, HTTP_TLS_CERT_FILE=certificate, HTTP_TLS_KEY_FILE=key)
        tls = ssl.create_default_context(cafile=certificate)
        tls.check_hostname = False

        def is_up():
            try:
                self.answers_quickly(tls)
                return True
            except (OSError, AssertionError):
                return False

        until(is_up, "windlass to answer")
        return tls

    def test_greetings_that_come_all_at_once(self):
        tls = self.start_with_tls("rsa:2048")  # whose signatures cost the most
        outgoing = ssl.MemoryBIO()
        with self.assertRaises(ssl.SSLWantReadError):
            tls.wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
        greeting = outgoing.read()
        open_one = tls.wrap_socket(self.connect())
        self.addCleanup(open_one.close)
        clients = [self.connect() for _ in range(1000)]
        for client in clients:
            client.send(greeting)
        self.answers_quickly(tls)
        begin = time.monotonic()
        open_one.sendall(b"GET /v1/health HTTP/1.0\r\n\r\n")
        self.assertIn(b" 200 OK", open_one.recv(4096))
        self.assertLess(time.monotonic() - begin, 1)
        self.answers_quickly(tls)
        self.assertLess(self.resident(), 160 * MIB)

    def test_handshakes_that_never_end(self):
        tls = self.start_with_tls("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        clients = []
        for number in range(1000):
            client = self.connect()
            client.setblocking(False)
            if number % 2:
                client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")  # how a greeting begins
            clients.append(client)
        self.answers_quickly(tls)
        self.assertLess(self.resident(), 160 * MIB)

        def some_are_left():
            for client in list(clients):
                try:
                    if client.recv(4096) == b"":
                        clients.remove(client)
                except BlockingIOError:
                    pass
                except OSError:
                    clients.remove(client)
            return bool(clients)

        until(lambda: not some_are_left(), "the server to end them", 15)
        self.answers_quickly(tls)

    def test_clients_that_reset(self):
        self.windlass.start()
        for number in range(3000):
            client = self.connect()
            if number % 2:
                client.send(b"POST /v1/webhook HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        self.answers_quickly()
        self.assertLess(self.resident(), 64 * MIB)


if __name__ == "__main__":
    unittest.main()
