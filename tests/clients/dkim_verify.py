"""Verifies a DKIM signature with dkimpy, an implementation of its own. usage: dkim_verify.py TXT [NUMBER] < message

TXT is the content of the DNS record, as it was printed for publishing; NUMBER counts the signatures from the
top, from 0. Exit status 0 where it verifies.
"""

import sys, dkim

record = sys.argv[1].encode()
number = int(sys.argv[2]) if len(sys.argv) > 2 else 0
asked = []


def dns(name, timeout=5):
    asked.append(name)
    return record


message = sys.stdin.buffer.read()
try:
    good = dkim.DKIM(message).verify(idx=number, dnsfunc=dns)
except dkim.DKIMException as fault:
    print(fault)
    good = False
print({"verified": good, "asked": [n.decode() if isinstance(n, bytes) else n for n in asked]})
sys.exit(0 if good else 1)
