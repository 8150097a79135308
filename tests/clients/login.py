"""Logs in with Python's own clients, all tries at the same time; prints a JSON list of [let in, what was said, seconds].

usage: login.py HOST KIND:USER:PASSWORD ...     with KIND imap, pop3, sieve (STARTTLS) or smtp, HOST or HOST/SMTPHOST
KIND may be KIND=PORT, and HOST may be HOST@SOURCE: the address of ours that it comes from.
"""

import base64, imaplib, json, poplib, smtplib, socket, ssl, sys, time
from concurrent.futures import ThreadPoolExecutor

hosts, _, source = sys.argv[1].partition("@")
host, _, smtp_host = hosts.partition("/")
if source:
    original = socket.create_connection
    socket.create_connection = lambda address, timeout=None, *rest, **more: original(
        address, timeout, source_address=(source, 0)
    )
# Which certificate is shown is another test's affair.
context = ssl._create_unverified_context()
PATIENCE = 60


def imap(user, password, port=993):
    box = imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=PATIENCE)
    box.login(user, password)


def pop3(user, password, port=995):
    box = poplib.POP3_SSL(host, port, context=context, timeout=PATIENCE)
    box.user(user)
    box.pass_(password)


def smtp(user, password, port=465):
    with smtplib.SMTP_SSL(smtp_host or host, port, context=context, timeout=PATIENCE) as server:
        server.login(user, password)


def sieve(user, password, port=4190):
    raw = socket.create_connection((host, port), timeout=PATIENCE)
    stream = raw.makefile("rwb")

    def answer():
        while True:
            line = stream.readline().decode().rstrip()
            word = line.split(" ")[0].upper()
            if word in ("OK", "NO", "BYE", ""):
                if word != "OK":
                    raise RuntimeError(line)
                return

    answer()
    stream.write(b"STARTTLS\r\n")
    stream.flush()
    answer()
    stream = context.wrap_socket(raw, server_hostname="server").makefile("rwb")
    answer()
    token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    stream.write(f'AUTHENTICATE "PLAIN" "{token}"\r\n'.encode())
    stream.flush()
    answer()


def attempt(word):
    door, user, password = word.split(":", 2)
    kind, *port = door.split("=")
    began = time.monotonic()
    try:
        {"imap": imap, "pop3": pop3, "sieve": sieve, "smtp": smtp}[kind](user, password, *map(int, port))
        done, said = True, ""
    except (imaplib.IMAP4.error, poplib.error_proto, smtplib.SMTPAuthenticationError, RuntimeError) as refused:
        done, said = False, str(refused)
    return [done, said, time.monotonic() - began]


with ThreadPoolExecutor(32) as pool:
    print(json.dumps(list(pool.map(attempt, sys.argv[2:]))))
