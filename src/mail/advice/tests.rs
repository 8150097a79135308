//! Answers as servers give them.

use super::*;

/// Proves: S0-21 (cause and fix for each of them).
#[test]
fn answers_are_known() {
    for (answer, name) in [
        ("554 5.7.1 <bob@example.com>: Relay access denied", "relay-denied"),
        ("550 5.7.64 TenantAttribution; Relay Access Denied [XX.prod.outlook.com]", "relay-denied"),
        ("535 5.7.8 Error: authentication failed: (reason unavailable)", "login-refused"),
        ("535 Authentication Credentials Invalid", "login-refused"),
        (
            "535-5.7.8 Username and Password not accepted. For more information, go to 535 5.7.8 https://support.google.com/mail/?p=BadCredentials a1-gsmtp",
            "gmail-app-password",
        ),
        ("534-5.7.9 Application-specific password required.", "gmail-app-password"),
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
            "microsoft-basic-auth",
        ),
        ("530 5.7.0 Authentication Required", "login-wanted"),
        ("530 5.7.0 Must issue a STARTTLS command first", "starttls-wanted"),
        ("connect to smtp.example.net[192.0.2.1]:25: Connection refused", "connection-refused"),
        ("connect to smtp.example.net[192.0.2.1]:25: Connection timed out", "connection-timed-out"),
        ("Server certificate not verified", "certificate"),
        ("Server certificate not trusted", "certificate"),
        ("SSL_connect error: wrong version number", "tls-form"),
        (
            "550-5.7.26 Your email has been blocked because the sender is unauthenticated.\r\n550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM.",
            "gmail-authentication",
        ),
        (
            "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address.",
            "gmail-rate",
        ),
        ("550-5.7.1 [192.0.2.1 12] Gmail has detected that this message is likely unsolicited mail.", "spam"),
        ("550-5.7.25 The IP address sending this message does not have a PTR record setup", "reverse-name"),
        ("550-5.1.1 The email account that you tried to reach does not exist.", "recipient-unknown"),
        (
            "550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown in virtual mailbox table",
            "recipient-unknown",
        ),
        ("552-5.2.2 The email account that you tried to reach is over quota", "mailbox-full"),
        ("452-4.2.2 The email account that you tried to reach is over quota", "mailbox-full"),
        ("451 4.7.1 Greylisting in action, please come back later", "greylisted"),
        ("450 4.2.0 <bob@example.net>: Recipient address rejected: Greylisted", "greylisted"),
        (
            "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.",
            "microsoft-new-tenant",
        ),
        (
            "550 5.7.520 Access denied, Your organization does not allow external forwarding.",
            "microsoft-forwarding",
        ),
        (
            "550 5.4.1 Recipient address rejected: Access denied. [XX.protection.outlook.com]",
            "microsoft-no-recipient",
        ),
        (
            "550 5.7.509 Access denied, sending domain example.org does not pass DMARC verification and has a DMARC policy of reject.",
            "microsoft-authentication",
        ),
        (
            "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. part of their network is on our block list (S3140).",
            "blocklist",
        ),
        (
            "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.",
            "rate",
        ),
        (
            "550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.",
            "sendgrid-sender",
        ),
        ("451 Authentication failed: Maximum credits exceeded", "sendgrid-credits"),
        (
            "554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: ann@example.org",
            "ses-sender",
        ),
        ("454 Throttling failure: Maximum sending rate exceeded.", "rate"),
        ("550 5.7.1 Sandbox subdomains are for test purposes only.", "mailgun-sender"),
        ("421 Domain example.org is not allowed to send: The domain is unverified", "mailgun-sender"),
        (
            "550 The 'From' address you supplied (ann@example.org) is not a Sender Signature on your account.",
            "postmark-sender",
        ),
        ("550 Sender not verified", "postmark-sender"),
        (
            "553 5.7.1 <ann@example.org>: Sender address rejected: not owned by user relay@example.net",
            "send-as",
        ),
        (
            "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
            "blocklist",
        ),
        ("550 5.7.23 The message was rejected because of Sender Policy Framework violation", "spf"),
        ("552 5.3.4 Message size exceeds fixed limit", "too-large"),
        ("554 5.4.6 Too many hops", "loop"),
        ("521 5.5.2 mx.example.net Error: bare <LF> received", "line-ends"),
        ("450 4.1.8 <a@b.example>: Sender address rejected: Domain not found", "sender-domain"),
        ("452 4.3.1 Insufficient system storage", "full-disk"),
        ("554 5.7.1 no", "refused-by-policy"),
        ("421 busy", "later"),
        ("550 no", "never"),
    ] {
        let found = advise(answer).map(|advice| advice.name);
        assert_eq!(found, Some(name), "{answer}");
    }
    for unknown in ["", "hello", "192.0.2.550", "5.7.15501", "15500", "a550b"] {
        assert_eq!(advise(unknown), None, "{unknown}");
    }
}

#[test]
fn steps_name_what_the_answer_names() {
    let answer = "550 5.1.1 <Bob@Example.net>: Recipient address rejected: User unknown";
    let steps = advise(answer).unwrap().steps(answer);
    assert_eq!(steps[0], "mailctl alias resolve bob@example.net");
    let answer =
        "450 4.7.25 Client host rejected: cannot find your reverse hostname, [192.0.2.1] mail.example.org";
    assert!(advise(answer).unwrap().steps(answer)[1].ends_with("mailctl dns-check mail.example.org"));
    let answer = "550 5.7.23 SPF";
    assert_eq!(advise(answer).unwrap().steps(answer)[0], "mailctl dns-check DOMAIN");
}

#[test]
fn each_line_of_the_table_is_one_that_can_be_found() {
    let mut names = std::collections::BTreeSet::new();
    for advice in table::all() {
        assert!(names.insert(advice.name), "{} is there twice", advice.name);
        assert!(
            !advice.cause.is_empty() && !advice.fix.is_empty() && !advice.when.is_empty(),
            "{}",
            advice.name
        );
        let found = advice.when.iter().any(|set| advise(&set.join(" ")) == Some(advice));
        assert!(found, "{} is hidden by an earlier line", advice.name);
        for word in advice.when.iter().flat_map(|set| set.iter()) {
            assert_eq!(*word, word.to_lowercase(), "{}", advice.name);
        }
    }
}
