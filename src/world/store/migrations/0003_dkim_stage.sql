-- Where a DKIM key stands that does not sign now: to be published (pending), signed until a moment ago
-- (leaving), withdrawn (retired). A key without a line lies there and is nobody's concern.

CREATE TABLE dkim_stage (
    domain   TEXT NOT NULL,
    selector TEXT NOT NULL,
    stage    TEXT NOT NULL CHECK (stage IN ('pending', 'leaving', 'retired')),
    since    INTEGER NOT NULL,              -- seconds since 1970
    PRIMARY KEY (domain, selector)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 3;
