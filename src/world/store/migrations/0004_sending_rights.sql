-- What a login may send as, beside its own address and the aliases that lead to it.

CREATE TABLE sending_right (
    source     TEXT NOT NULL,               -- an address, or @domain for all of it; here or elsewhere
    login      TEXT NOT NULL,               -- mailbox.address
    created_at INTEGER NOT NULL,            -- seconds since 1970
    PRIMARY KEY (source, login)
) STRICT, WITHOUT ROWID;
CREATE INDEX sending_right_by_login ON sending_right (login);

-- kind `right`, key: the source
CREATE TRIGGER right_added AFTER INSERT ON sending_right BEGIN
    INSERT INTO change (kind, key) VALUES ('right', NEW.source);
END;
CREATE TRIGGER right_changed AFTER UPDATE ON sending_right BEGIN
    INSERT INTO change (kind, key) VALUES ('right', OLD.source), ('right', NEW.source);
END;
CREATE TRIGGER right_removed AFTER DELETE ON sending_right BEGIN
    INSERT INTO change (kind, key) VALUES ('right', OLD.source);
END;
-- Whoever gets the same name later begins with nothing.
CREATE TRIGGER right_ended AFTER DELETE ON mailbox BEGIN
    DELETE FROM sending_right WHERE login = OLD.address;
END;

PRAGMA user_version = 4;
