"""Opens keep-alive TLS connections, and leaves them idle: idle.py PORT HOST COUNT

Each makes one request, so that it is a connection that a browser would keep. Prints
"open N" when all are, then waits until its standard input ends.
"""

import resource
import socket
import ssl
import sys


def open_one(context, port, host):
    connection = context.wrap_socket(socket.create_connection(("127.0.0.1", port), 30), server_hostname=host)
    connection.sendall(f"GET /.doorward/auth HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    # All of it, or the rest would lie in the server's memory and be counted as its own.
    head, _, body = read_until(connection, b"\r\n\r\n").partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65536)
    if b"connection: close" in lines:
        raise SystemExit("idle.py: the server does not keep connections open")
    return connection


def read_until(connection, end):
    seen = b""
    while end not in seen:
        piece = connection.recv(65536)
        if not piece:
            raise SystemExit("idle.py: the server closed the connection")
        seen += piece
    return seen


def main(port, host, count):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connections = [open_one(context, port, host) for _ in range(count)]
    print(f"open {len(connections)}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
