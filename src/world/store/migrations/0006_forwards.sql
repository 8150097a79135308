-- Forwards: sources that stand for many addresses, and what is set beside the targets of any source.

-- source: sales-*@example.org, /^ticket-(\d+)$/@example.org, or @old.example with the target @example.org; never one that
-- is in alias: no source means two things. target: an address, which may have $1 and the like in it; or @domain.
CREATE TABLE pattern (
    source     TEXT NOT NULL,
    target     TEXT NOT NULL,
    domain     TEXT NOT NULL,               -- of the source
    created_at INTEGER NOT NULL,            -- seconds since 1970
    PRIMARY KEY (source, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX pattern_by_domain ON pattern (domain);
CREATE INDEX pattern_by_target ON pattern (target);

-- Of an alias or a pattern. One without a line is on and stays. One that is over keeps its line, and its addresses are refused.
CREATE TABLE forward (
    source     TEXT NOT NULL PRIMARY KEY,   -- alias.source or pattern.source
    enabled    INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    until      INTEGER,                     -- first second since 1970 at which it counts no more; NULL = it stays
    note       TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- kind `pattern`, key: the domain whose patterns changed
CREATE TRIGGER pattern_added AFTER INSERT ON pattern BEGIN
    INSERT INTO change (kind, key) VALUES ('pattern', NEW.domain);
END;
CREATE TRIGGER pattern_changed AFTER UPDATE ON pattern BEGIN
    INSERT INTO change (kind, key) VALUES ('pattern', OLD.domain), ('pattern', NEW.domain);
END;
CREATE TRIGGER pattern_removed AFTER DELETE ON pattern BEGIN
    INSERT INTO change (kind, key) VALUES ('pattern', OLD.domain);
END;

-- kind `forward`, key: the source
CREATE TRIGGER forward_added AFTER INSERT ON forward BEGIN
    INSERT INTO change (kind, key) VALUES ('forward', NEW.source);
END;
CREATE TRIGGER forward_changed AFTER UPDATE ON forward BEGIN
    INSERT INTO change (kind, key) VALUES ('forward', OLD.source), ('forward', NEW.source);
END;
CREATE TRIGGER forward_removed AFTER DELETE ON forward BEGIN
    INSERT INTO change (kind, key) VALUES ('forward', OLD.source);
END;

-- What happens to some messages on their way through a forward: the first rule of its source that matches counts.
CREATE TABLE forward_rule (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used twice: mailctld counts matches by it
    source     TEXT NOT NULL,                       -- alias.source or pattern.source
    priority   INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 1000),    -- the lowest first, then the oldest
    enabled    INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    conditions TEXT NOT NULL,                       -- JSON: all of them must hold
    action     TEXT NOT NULL,                       -- JSON
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX forward_rule_by_source ON forward_rule (source, priority, id);

-- kind `rule`, key: the source
CREATE TRIGGER forward_rule_added AFTER INSERT ON forward_rule BEGIN
    INSERT INTO change (kind, key) VALUES ('rule', NEW.source);
END;
CREATE TRIGGER forward_rule_changed AFTER UPDATE ON forward_rule BEGIN
    INSERT INTO change (kind, key) VALUES ('rule', OLD.source), ('rule', NEW.source);
END;
CREATE TRIGGER forward_rule_removed AFTER DELETE ON forward_rule BEGIN
    INSERT INTO change (kind, key) VALUES ('rule', OLD.source);
END;

-- Whatever gets the same source later begins with nothing.
CREATE TRIGGER forward_ended AFTER DELETE ON alias
WHEN NOT EXISTS (SELECT 1 FROM alias WHERE source = OLD.source) BEGIN
    DELETE FROM forward WHERE source = OLD.source;
    DELETE FROM forward_rule WHERE source = OLD.source;
END;
CREATE TRIGGER forward_of_pattern_ended AFTER DELETE ON pattern
WHEN NOT EXISTS (SELECT 1 FROM pattern WHERE source = OLD.source) BEGIN
    DELETE FROM forward WHERE source = OLD.source;
    DELETE FROM forward_rule WHERE source = OLD.source;
END;

PRAGMA user_version = 6;
