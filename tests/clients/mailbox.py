"""Reads a mailbox with Python's own imaplib and poplib, and speaks ManageSieve; prints JSON.

usage: mailbox.py imap|pop3 tls|starttls|plain PORT CAFILE HOSTNAME USER PASSWORD [FOLDER [HEADER VALUE]]
       mailbox.py sieve starttls PORT CAFILE HOSTNAME USER PASSWORD SCRIPTFILE
Exit status 0 with {"messages": [...]}; 1 with {"refused": "..."}.
"""

import base64, imaplib, json, poplib, socket, ssl, sys, time

kind, mode, port, cafile, hostname, user, password = sys.argv[1:8]
rest = sys.argv[8:]
context = ssl.create_default_context(cafile=cafile)
# The stack answers on loopback under its own name: connect there, check the name all the same.
original = socket.create_connection
socket.create_connection = lambda address, *a, **k: original(("127.0.0.1", address[1]), *a, **k)


def imap():
    if mode == "tls":
        box = imaplib.IMAP4_SSL(hostname, int(port), ssl_context=context)
    else:
        box = imaplib.IMAP4(hostname, int(port))
        if mode == "starttls":
            box.starttls(context)
    box.login(user, password)
    folder = rest[0] if rest else "INBOX"
    deadline = time.monotonic() + 30
    while True:
        status, data = box.select(f'"{folder}"')
        query = ["HEADER", rest[1], f'"{rest[2]}"'] if len(rest) > 2 else ["ALL"]
        found = box.search(None, *query)[1][0].split() if status == "OK" else []
        if found or len(rest) < 3 or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    messages = [box.fetch(n, "(BODY.PEEK[])")[1][0][1].decode("latin-1") for n in found]
    folders = [line.decode() for line in box.list()[1]]
    box.logout()
    return {"messages": messages, "folders": folders}


def pop3():
    if mode == "tls":
        box = poplib.POP3_SSL(hostname, int(port), context=context)
    else:
        box = poplib.POP3(hostname, int(port))
        if mode == "starttls":
            box.stls(context)
    box.user(user)
    box.pass_(password)
    count = len(box.list()[1])
    messages = [b"\r\n".join(box.retr(n + 1)[1]).decode("latin-1") for n in range(count)]
    box.quit()
    return {"messages": messages}


def sieve():
    """RFC 5804, as far as putting one script in force goes."""
    raw = socket.create_connection((hostname, int(port)))
    stream = raw.makefile("rwb")

    def answer():
        lines = []
        while True:
            line = stream.readline().decode().rstrip()
            lines.append(line)
            word = line.split(" ")[0].upper()
            if word in ("OK", "NO", "BYE", ""):
                if word != "OK":
                    raise RuntimeError(" / ".join(lines))
                return lines

    def ask(text):
        stream.write(text.encode())
        stream.flush()
        return answer()

    answer()
    ask("STARTTLS\r\n")
    raw = context.wrap_socket(raw, server_hostname=hostname)
    stream = raw.makefile("rwb")
    answer()
    token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    ask(f'AUTHENTICATE "PLAIN" "{token}"\r\n')
    script = open(rest[0]).read()
    ask(f'PUTSCRIPT "test" {{{len(script.encode())}+}}\r\n{script}\r\n')
    ask('SETACTIVE "test"\r\n')
    return {"messages": [], "scripts": ask("LISTSCRIPTS\r\n")}


try:
    print(json.dumps({"imap": imap, "pop3": pop3, "sieve": sieve}[kind]()))
except (imaplib.IMAP4.error, poplib.error_proto, RuntimeError) as refused:
    print(json.dumps({"refused": str(refused)}))
    sys.exit(1)
