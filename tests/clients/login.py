"""Logs in with Python's own clients, all tries at the same time; prints a JSON list of [let in, what was said, seconds].

usage: login.py HOST KIND:USER:PASSWORD ...     with KIND imap, pop3, sieve (STARTTLS) or smtp, HOST or HOST/SMTPHOST
"""

import base64, imaplib, json, poplib, smtplib, socket, ssl, sys, time
from concurrent.futures import ThreadPoolExecutor

host, _, smtp_host = sys.argv[1].partition("/")
# Which certificate is shown is another test's affair.
context = ssl._create_unverified_context()
PATIENCE = 60


def imap(user, password):
    box = imaplib.IMAP4_SSL(host, 993, ssl_context=context, timeout=PATIENCE)
    box.login(user, password)


def pop3(user, password):
    box = poplib.POP3_SSL(host, 995, context=context, timeout=PATIENCE)
    box.user(user)
    box.pass_(password)


def smtp(user, password):
    with smtplib.SMTP_SSL(smtp_host or host, 465, context=context, timeout=PATIENCE) as server:
        server.login(user, password)


def sieve(user, password):
    raw = socket.create_connection((host, 4190), timeout=PATIENCE)
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
    kind, user, password = word.split(":", 2)
    began = time.monotonic()
    try:
        {"imap": imap, "pop3": pop3, "sieve": sieve, "smtp": smtp}[kind](user, password)
        done, said = True, ""
    except (imaplib.IMAP4.error, poplib.error_proto, smtplib.SMTPAuthenticationError, RuntimeError) as refused:
        done, said = False, str(refused)
    return [done, said, time.monotonic() - began]


with ThreadPoolExecutor(32) as pool:
    print(json.dumps(list(pool.map(attempt, sys.argv[2:]))))
