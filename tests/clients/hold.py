"""Holds an IMAP session and a submission in the middle of DATA; goes on when a line comes on stdin.

usage: hold.py IMAPSPORT SUBMISSIONPORT CAFILE HOSTNAME USER PASSWORD MESSAGEID
Prints "held", then, after the line, {"imap": ..., "smtp": ...}; exit status 0 where neither was cut.
"""

import imaplib, json, smtplib, socket, ssl, sys

imaps, submission, cafile, hostname, user, password, message_id = sys.argv[1:8]
context = ssl.create_default_context(cafile=cafile)
original = socket.create_connection
socket.create_connection = lambda address, *a, **k: original(("127.0.0.1", address[1]), *a, **k)

box = imaplib.IMAP4_SSL(hostname, int(imaps), ssl_context=context)
box.login(user, password)
box.select("INBOX")
smtp = smtplib.SMTP(hostname, int(submission), local_hostname="client.example.net")
smtp.starttls(context=context)
smtp.login(user, password)
smtp.mail(user)
smtp.rcpt(user)
smtp.docmd("DATA")
smtp.send(f"From: {user}\r\nTo: {user}\r\nSubject: half\r\nMessage-ID: {message_id}\r\n\r\nfirst half\r\n")
print("held", flush=True)
sys.stdin.readline()
smtp.send("second half\r\n.\r\n")
accepted = smtp.getreply()
noop = box.noop()
print(json.dumps({"imap": noop[0], "smtp": accepted[0]}))
sys.exit(0 if noop[0] == "OK" and accepted[0] == 250 else 1)
