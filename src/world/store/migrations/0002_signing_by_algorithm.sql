-- A domain signs with one key of each algorithm (RFC 8463 §5): RSA for everybody, Ed25519 beside it. All keys
-- that were chosen so far are RSA: no other could be.

CREATE TABLE signing_by_algorithm (
    domain     TEXT NOT NULL,
    algorithm  TEXT NOT NULL CHECK (algorithm IN ('rsa', 'ed25519')),
    selector   TEXT NOT NULL,
    created_at INTEGER NOT NULL,            -- seconds since 1970
    PRIMARY KEY (domain, algorithm)
) STRICT, WITHOUT ROWID;
INSERT INTO signing_by_algorithm SELECT domain, 'rsa', selector, created_at FROM signing;

-- Its triggers go with it. Nothing signs otherwise than before, so the log of changes gets no entry.
DROP TABLE signing;
ALTER TABLE signing_by_algorithm RENAME TO signing;

CREATE TRIGGER signing_added AFTER INSERT ON signing BEGIN
    INSERT INTO change (kind, key) VALUES ('signing', NEW.domain);
END;
CREATE TRIGGER signing_changed AFTER UPDATE ON signing BEGIN
    INSERT INTO change (kind, key) VALUES ('signing', OLD.domain), ('signing', NEW.domain);
END;
CREATE TRIGGER signing_removed AFTER DELETE ON signing BEGIN
    INSERT INTO change (kind, key) VALUES ('signing', OLD.domain);
END;

PRAGMA user_version = 2;
