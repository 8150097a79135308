-- The directory: who exists and where mail goes. Read by mailctld (its snapshot) and by Dovecot's own
-- SQLite driver (columns mailbox.address, mailbox.password, mailbox.quota_bytes: do not rename them).
-- Addresses and domains are in lower case, as `Address::parse` makes them.

CREATE TABLE domain (
    name       TEXT NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL             -- seconds since 1970
) STRICT, WITHOUT ROWID;

CREATE TABLE mailbox (
    address     TEXT NOT NULL PRIMARY KEY,
    password    TEXT NOT NULL CHECK (password GLOB '{?*}?*'),   -- Dovecot's form: {SCHEME}hash, never empty
    quota_bytes INTEGER CHECK (quota_bytes >= 0),               -- NULL: MAILBOX_SIZE_LIMIT of the settings
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- source: an address, or @domain for all of it that has no address of its own.
CREATE TABLE alias (
    source     TEXT NOT NULL,
    target     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (source, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_by_target ON alias (target);

-- Which selector signs for a domain now; its key is keys/dkim/DOMAIN/SELECTOR.private.
CREATE TABLE signing (
    domain     TEXT NOT NULL PRIMARY KEY,
    selector   TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What changed, for mailctld's snapshot: it asks for everything after the last seq it saw. AUTOINCREMENT
-- never uses a seq twice; whoever is behind the oldest row reads everything anew.
CREATE TABLE change (
    seq  INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,                     -- domain, mailbox, alias, signing
    key  TEXT NOT NULL                      -- domain name, address, alias source, domain name
) STRICT;

CREATE TRIGGER change_pruned AFTER INSERT ON change WHEN NEW.seq % 1000 = 0 BEGIN
    DELETE FROM change WHERE seq <= NEW.seq - 20000;
END;

CREATE TRIGGER domain_added AFTER INSERT ON domain BEGIN
    INSERT INTO change (kind, key) VALUES ('domain', NEW.name);
END;
CREATE TRIGGER domain_changed AFTER UPDATE ON domain BEGIN
    INSERT INTO change (kind, key) VALUES ('domain', OLD.name), ('domain', NEW.name);
END;
CREATE TRIGGER domain_removed AFTER DELETE ON domain BEGIN
    INSERT INTO change (kind, key) VALUES ('domain', OLD.name);
END;

CREATE TRIGGER mailbox_added AFTER INSERT ON mailbox BEGIN
    INSERT INTO change (kind, key) VALUES ('mailbox', NEW.address);
END;
CREATE TRIGGER mailbox_changed AFTER UPDATE ON mailbox BEGIN
    INSERT INTO change (kind, key) VALUES ('mailbox', OLD.address), ('mailbox', NEW.address);
END;
CREATE TRIGGER mailbox_removed AFTER DELETE ON mailbox BEGIN
    INSERT INTO change (kind, key) VALUES ('mailbox', OLD.address);
END;

CREATE TRIGGER alias_added AFTER INSERT ON alias BEGIN
    INSERT INTO change (kind, key) VALUES ('alias', NEW.source);
END;
CREATE TRIGGER alias_changed AFTER UPDATE ON alias BEGIN
    INSERT INTO change (kind, key) VALUES ('alias', OLD.source), ('alias', NEW.source);
END;
CREATE TRIGGER alias_removed AFTER DELETE ON alias BEGIN
    INSERT INTO change (kind, key) VALUES ('alias', OLD.source);
END;

CREATE TRIGGER signing_added AFTER INSERT ON signing BEGIN
    INSERT INTO change (kind, key) VALUES ('signing', NEW.domain);
END;
CREATE TRIGGER signing_changed AFTER UPDATE ON signing BEGIN
    INSERT INTO change (kind, key) VALUES ('signing', OLD.domain), ('signing', NEW.domain);
END;
CREATE TRIGGER signing_removed AFTER DELETE ON signing BEGIN
    INSERT INTO change (kind, key) VALUES ('signing', OLD.domain);
END;

PRAGMA application_id = 1835234412;         -- "mctl": it is ours
PRAGMA user_version = 1;
