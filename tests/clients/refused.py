"""Logs in wrongly, turn about under each name, one try at a time; prints a JSON object: for each name what was said, each
word once, and the seconds from the password to the refusal.

usage: refused.py imap|smtp HOST ROUNDS NAME ...
"""

import imaplib, json, smtplib, ssl, sys, time

kind, host, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
names = sys.argv[4:]
# Which certificate is shown is another test's affair.
context = ssl._create_unverified_context()
PATIENCE = 60


def imap(name, password):
    box = imaplib.IMAP4_SSL(host, 993, ssl_context=context, timeout=PATIENCE)
    began = time.monotonic()
    try:
        box.login(name, password)
        said = "let in"
    except imaplib.IMAP4.error as refused:
        said = str(refused)
    took = time.monotonic() - began
    box.shutdown()
    return said, took


def smtp(name, password):
    server = smtplib.SMTP_SSL(host, 465, context=context, timeout=PATIENCE)
    server.ehlo()
    server.user, server.password = name, password
    began = time.monotonic()
    try:
        server.auth("PLAIN", server.auth_plain)
        said = "let in"
    except smtplib.SMTPAuthenticationError as refused:
        said = str(refused)
    took = time.monotonic() - began
    server.close()
    return said, took


tries = {name: {"said": [], "seconds": []} for name in names}
for number in range(rounds):
    for name, tried in tries.items():
        said, took = {"imap": imap, "smtp": smtp}[kind](name, f"wrong-{number}-{time.monotonic_ns()}")
        # What is said about a login may name it.
        said = said.replace(name, "NAME")
        tried["said"] = sorted({*tried["said"], said})
        tried["seconds"].append(took)
print(json.dumps(tries))
