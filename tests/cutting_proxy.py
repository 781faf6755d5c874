"""A proxy before a PostgreSQL that cuts one connection at the moment of its commit, and passes everything else on."""

import socket
import threading


class CuttingProxy:
    """Cuts the first connection that commits what it wrote (a transaction with `lock table`).

    `moment`: "answer", the server has committed and its answer is lost; "question", the commit never reaches it.
    `then`: "serve", later connections are passed on; "refuse", nobody is let in again.
    """

    def __init__(self, port, moment, then="serve"):
        self.port_behind, self.moment, self.then, self.cuts = port, moment, then, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.cuts and self.then == "refuse":
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.port_behind))
            threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _serve(self, client, server):
        answers = threading.Thread(target=self._pass, args=(server, client), daemon=True)
        answers.start()
        locked, rest = False, b""
        while data := self._receive(client):
            rest += data
            locked = locked or b"lock table" in rest
            # A query is Q, its length and its text; libpq sends the commit on its own.
            at = rest.find(b"Q\x00\x00\x00\x0bcommit\x00") if locked else -1
            if at >= 0 and not self.cuts:
                self.cuts += 1
                if self.moment == "answer":
                    self._shut(client)  # nothing more is passed back
                    server.sendall(data)
                    self._receive(server)
                break
            server.sendall(data)
            rest = rest[-64:]
        self._shut(client)
        self._shut(server)

    def _pass(self, source, sink):
        while data := self._receive(source):
            try:
                sink.sendall(data)
            except OSError:
                return
        self._shut(sink)

    @staticmethod
    def _receive(one):
        try:
            return one.recv(1 << 16)
        except OSError:
            return b""

    @staticmethod
    def _shut(one):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
