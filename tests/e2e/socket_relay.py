#!/usr/bin/env python3
"""Passes connections of one Unix socket on to another, half-closes included; ends when it is killed.

usage: socket_relay.py LISTEN TARGET
"""

import socket
import sys
import threading


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(listen, target):
    door = socket.socket(socket.AF_UNIX)
    door.bind(listen)
    door.listen(64)
    while True:
        client, _ = door.accept()
        engine = socket.socket(socket.AF_UNIX)
        engine.connect(target)
        for pair in ((client, engine), (engine, client)):
            threading.Thread(target=pump, args=pair, daemon=True).start()


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2])
