"""Verifies a DKIM signature with dkimpy, an implementation of its own. usage: dkim_verify.py TXT < message

TXT is the content of the DNS record, as it was printed for publishing. Exit status 0 where it verifies.
"""

import sys, dkim

record = sys.argv[1].encode()
asked = []


def dns(name, timeout=5):
    asked.append(name)
    return record


message = sys.stdin.buffer.read()
good = dkim.verify(message, dnsfunc=dns)
print({"verified": good, "asked": [n.decode() if isinstance(n, bytes) else n for n in asked]})
sys.exit(0 if good else 1)
