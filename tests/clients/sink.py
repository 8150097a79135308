"""A mail server on the outside: takes every message for any recipient and keeps it. usage: sink.py PORT FOLDER"""

import socketserver, sys, pathlib, uuid

folder = pathlib.Path(sys.argv[2])


class Session(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.say("220 sink.example.net ESMTP")
        envelope = []
        while line := self.rfile.readline():
            word = line.decode("latin-1").strip()
            verb = word.upper().split(":")[0].split(" ")[0]
            if verb in ("EHLO", "HELO"):
                self.say("250 sink.example.net")
            elif verb in ("MAIL", "RCPT", "RSET", "NOOP"):
                envelope.append(word)
                self.say("250 2.0.0 Ok")
            elif verb == "DATA":
                self.say("354 go on")
                body = []
                while (data := self.rfile.readline()) not in (b".\r\n", b""):
                    body.append(data[1:] if data.startswith(b"..") else data)
                name = folder / uuid.uuid4().hex
                name.with_suffix(".part").write_bytes("\n".join(envelope).encode() + b"\n\n" + b"".join(body))
                name.with_suffix(".part").rename(name.with_suffix(".eml"))
                envelope = []
                self.say("250 2.0.0 kept")
            elif verb == "QUIT":
                self.say("221 2.0.0 Bye")
                return
            else:
                self.say("500 5.5.2 What?")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


server = Server(("0.0.0.0", int(sys.argv[1])), Session)
print(server.server_address[1], flush=True)
server.serve_forever()
