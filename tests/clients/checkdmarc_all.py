"""What checkdmarc says of many domains, asked of one name server.

usage: checkdmarc_all.py ADDRESS PORT < lines "SUBJECT DOMAIN"
Prints {DOMAIN: {"valid": bool, ...}}; of MX "valid" means that nothing is remarked, since checkdmarc has no verdict
there. Policies of MTA-STS are not fetched: only the record is looked at.
"""

import json, sys

import checkdmarc, dns.nameserver
from checkdmarc import dmarc, mta_sts, smtp, smtp_tls_reporting, spf

asked = {"nameservers": [dns.nameserver.Do53Nameserver(sys.argv[1], int(sys.argv[2]))], "timeout": 5.0}


def of_spf(domain):
    said = spf.check_spf(domain, **asked)
    return {
        "valid": said["valid"],
        "lookups": said.get("dns_lookups"),
        "voids": said.get("void_dns_lookups"),
        "said": said.get("error") or said.get("warnings"),
    }


def of_dmarc(domain):
    said = dmarc.check_dmarc(domain, **asked)
    denied = [warning for warning in said["warnings"] if "accepts DMARC reports" in warning]
    return {"valid": said["valid"], "denied": bool(denied), "said": said.get("error") or said["warnings"]}


def of_tls_rpt(domain):
    said = smtp_tls_reporting.check_smtp_tls_reporting(domain, **asked)
    return {"valid": said["valid"], "said": said.get("error") or said["warnings"]}


def of_mta_sts(domain):
    try:
        record = mta_sts.query_mta_sts_record(domain, **asked)["record"]
        return {"valid": True, "said": mta_sts.parse_mta_sts_record(record)["warnings"]}
    except mta_sts.MTASTSError as error:
        return {"valid": False, "said": str(error)}


def of_mx(domain):
    said = smtp.check_mx(domain, **asked)
    # Names of addresses are not the domain's, and no part of this comparison.
    remarks = [remark for remark in said.get("warnings", []) if "reverse DNS" not in remark]
    return {"valid": "error" not in said and not remarks, "said": said.get("error") or remarks}


def of_name_servers(domain):
    said = checkdmarc.check_ns(domain, **asked)
    return {"valid": "error" not in said, "names": sorted(said["hostnames"]), "said": said.get("error")}


LOOKS = {
    "spf": of_spf,
    "dmarc": of_dmarc,
    "tls-rpt": of_tls_rpt,
    "mta-sts": of_mta_sts,
    "mx": of_mx,
    "name-servers": of_name_servers,
}
answers = {}
for line in sys.stdin:
    subject, domain = line.split()
    try:
        answers[domain] = LOOKS[subject](domain)
    except Exception as error:  # what its caller would see: a crash
        answers[domain] = {"valid": None, "said": f"{type(error).__name__}: {error}"}
json.dump(answers, sys.stdout)
