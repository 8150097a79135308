"""Holds an IMAP session in IDLE and a submission in the middle of a message of 10 MB, which goes out in small pieces all
the while; ends both when a line comes on stdin.

usage: hold.py IMAPSPORT SUBMISSIONPORT CAFILE HOSTNAME USER PASSWORD MESSAGEID
Prints "held", then, after the line, {"imap": ..., "smtp": ...}; exit status 0 where neither was cut and the message came
in under IDLE.
"""

import imaplib, json, smtplib, socket, ssl, sys, threading, time

imaps, submission, cafile, hostname, user, password, message_id = sys.argv[1:8]
context = ssl.create_default_context(cafile=cafile)
original = socket.create_connection
socket.create_connection = lambda address, *a, **k: original(("127.0.0.1", address[1]), *a, **k)

box = imaplib.IMAP4_SSL(hostname, int(imaps), ssl_context=context)
box.login(user, password)
box.select("INBOX")
box.send(b"idle1 IDLE\r\n")
assert box.readline().startswith(b"+")

smtp = smtplib.SMTP(hostname, int(submission), local_hostname="client.example.net")
smtp.starttls(context=context)
smtp.login(user, password)
smtp.mail(user)
smtp.rcpt(user)
smtp.docmd("DATA")
smtp.send(f"From: {user}\r\nTo: {user}\r\nSubject: long\r\nMessage-ID: {message_id}\r\n\r\n")

PIECE = (b"x" * 70 + b"\r\n") * 728  # 52 kB
PIECES = 200
hurry = threading.Event()
cut = []


def send():
    try:
        for _ in range(PIECES):
            smtp.sock.sendall(PIECE)
            hurry.wait(0.1)
    except OSError as error:
        cut.append(str(error))


sender = threading.Thread(target=send)
sender.start()
time.sleep(0.2)
print("held", flush=True)
sys.stdin.readline()
busy = sender.is_alive()
hurry.set()
sender.join()
accepted = (0, cut)
if not cut:
    smtp.send(".\r\n")
    accepted = smtp.getreply()
box.sock.settimeout(30)
told = []
try:
    while not any(line.endswith(b"EXISTS\r\n") for line in told):
        told.append(box.readline())
        assert told[-1]
    box.send(b"DONE\r\n")
    while not told[-1].startswith(b"idle1 "):
        told.append(box.readline())
        assert told[-1]
except (OSError, AssertionError) as error:
    told.append(repr(error).encode())
print(json.dumps({"imap": told[-1].decode(), "smtp": accepted[0], "cut": cut, "busy": busy}))
sys.exit(0 if told[-1].startswith(b"idle1 OK") and accepted[0] == 250 and busy else 1)
