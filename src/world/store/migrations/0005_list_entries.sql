-- Who is refused and who is not asked further, by command; the files beside them are the operator's.

CREATE TABLE list_entry (
    entry      TEXT NOT NULL,               -- as mailctl writes it: 192.0.2.0/24, sender:example.net
    way        TEXT NOT NULL CHECK (way IN ('allow', 'block')),
    comment    TEXT NOT NULL,
    until      INTEGER,                     -- first second since 1970 at which it counts no more; NULL = it stays
    created_at INTEGER NOT NULL,            -- seconds since 1970
    PRIMARY KEY (entry, way)
) STRICT, WITHOUT ROWID;

-- kind `list`, key: the entry
CREATE TRIGGER list_entry_added AFTER INSERT ON list_entry BEGIN
    INSERT INTO change (kind, key) VALUES ('list', NEW.entry);
END;
CREATE TRIGGER list_entry_changed AFTER UPDATE ON list_entry BEGIN
    INSERT INTO change (kind, key) VALUES ('list', NEW.entry);
END;
CREATE TRIGGER list_entry_removed AFTER DELETE ON list_entry BEGIN
    INSERT INTO change (kind, key) VALUES ('list', OLD.entry);
END;

PRAGMA user_version = 5;
