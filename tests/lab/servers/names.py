"""A forward proxy that stands in for the internet: names of the runbook lead to the lab's servers, everything else is refused.

It takes what HTTP clients send a proxy (`CONNECT name:443` and `GET http://name/path`), speaks TLS by a certificate of the
lab's own authority where the client does, and hands the rest on as it comes. So the seed's commands and the runbook run
against the lab with their own URLs, by `https_proxy` and the lab's authority in `SSL_CERT_FILE`.

    names.py PORT CERTIFICATE KEY NAME=PORT…
"""

import select
import socket
import socketserver
import ssl
import sys

# How long a connection may be silent.
PATIENCE = 120


def head(connection):
    """The request line and the headers, as they came; empty where the client went away."""
    text = b""
    while b"\r\n\r\n" not in text:
        more = connection.recv(65536)
        if not more or len(text) > 1 << 20:
            return b""
        text += more
    return text


def relay(one, other):
    """Hands on what either side sends until one of them ends."""
    while True:
        # What TLS has decrypted already is not seen by select.
        pending = [side for side in (one, other) if isinstance(side, ssl.SSLSocket) and side.pending()]
        ready = pending or select.select([one, other], [], [], PATIENCE)[0]
        if not ready:
            return
        for side in ready:
            data = side.recv(65536)
            if not data:
                return
            (other if side is one else one).sendall(data)


class Proxy(socketserver.BaseRequestHandler):
    """One connection of a client."""

    def handle(self):
        try:
            self.serve()
        except (OSError, ValueError) as error:
            print(f"{self.client_address}: {error}", file=sys.stderr)

    def serve(self):
        request = head(self.request)
        if not request:
            return
        method, target, _ = request.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        if method == "CONNECT":
            server = self.reach(target.rsplit(":", 1)[0])
            if server is None:
                return
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            client = self.server.tls.wrap_socket(self.request, server_side=True)
        else:
            name, _, path = target.removeprefix("http://").partition("/")
            server = self.reach(name.split(":", 1)[0])
            if server is None:
                return
            server.sendall(request.replace(target.encode("latin-1"), b"/" + path.encode("latin-1"), 1))
            client = self.request
        with server, client:
            relay(client, server)

    def reach(self, name):
        """A connection to the server that a name leads to; the client is told where there is none."""
        port = self.server.names.get(name)
        if port is None:
            self.request.sendall(b"HTTP/1.1 502 No such name in the lab\r\nContent-Length: 0\r\n\r\n")
            return None
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        except OSError:
            self.request.sendall(b"HTTP/1.1 503 The lab's server is down\r\nContent-Length: 0\r\n\r\n")
            return None


class Server(socketserver.ThreadingTCPServer):
    """Listens on loopback."""

    allow_reuse_address = True
    daemon_threads = True


def main():
    port, certificate, key, *names = sys.argv[1:]
    with Server(("127.0.0.1", int(port)), Proxy) as server:
        server.names = {name: int(port) for name, port in (pair.split("=") for pair in names)}
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(certificate, key)
        server.serve_forever()


if __name__ == "__main__":
    main()
