"""A way to a server that can be made bad: `slow.py PORT TARGET FILE`. FILE says how, and is read for each connection.

    delay SECONDS   each piece of an answer is held back
    cut BYTES       the connection is cut in the middle of the answer, after so many bytes
    (nothing)       the bytes go through as they come

With a TARGET of 0 connections are taken and nothing is ever said.
"""

import socket
import socketserver
import sys
import threading
import time
from pathlib import Path


class Way(socketserver.BaseRequestHandler):
    """One connection."""

    def handle(self):
        try:
            how = self.server.file.read_text().split()
        except FileNotFoundError:
            how = []
        if self.server.target == 0:
            while self.request.recv(65536):
                pass
            return
        try:
            with socket.create_connection(("127.0.0.1", self.server.target)) as server:
                threading.Thread(target=copy, args=(self.request, server, []), daemon=True).start()
                copy(server, self.request, how)
        except OSError as error:
            print(error, file=sys.stderr)


def copy(source, sink, how):
    """Hands on what comes."""
    left = int(how[1]) if how[:1] == ["cut"] else None
    try:
        while data := source.recv(65536):
            if how[:1] == ["delay"]:
                time.sleep(float(how[1]))
            if left is not None:
                data = data[:left]
                left -= len(data)
            sink.sendall(data)
            if left == 0:
                return
    except OSError:
        pass
    finally:
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Server(socketserver.ThreadingTCPServer):
    """Listens on loopback."""

    allow_reuse_address = True
    daemon_threads = True


port, target, file = sys.argv[1:]
with Server(("127.0.0.1", int(port)), Way) as server:
    server.target, server.file = int(target), Path(file)
    server.serve_forever()
