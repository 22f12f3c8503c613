CREATE TABLE workspace (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    org_name TEXT NOT NULL,
    -- How many imports were committed; an import goes through only on the revision that it was planned on.
    revision INTEGER NOT NULL CHECK (revision >= 0),
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE access_key (
    id TEXT NOT NULL PRIMARY KEY,
    workspace TEXT NOT NULL REFERENCES workspace (id),
    kind TEXT NOT NULL CHECK (kind IN ('service', 'agent')),
    name TEXT,
    -- SHA-256 of the whole key, which is stored nowhere.
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    created_at TEXT NOT NULL,
    revoked_at TEXT
) STRICT;

CREATE INDEX access_key_workspace ON access_key (workspace);

-- The last version of every policy, deactivated ones included. Imports write it in the order of its key.
CREATE TABLE policy (
    workspace TEXT NOT NULL REFERENCES workspace (id),
    name TEXT NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    -- The audit event that made this version.
    seq INTEGER NOT NULL,
    action_type TEXT NOT NULL,
    approval_required INTEGER NOT NULL CHECK (approval_required IN (0, 1)),
    approval_timeout_hours INTEGER NOT NULL,
    -- JSON lists of patterns; NULL admits any.
    allowed_repos TEXT,
    allowed_branches TEXT,
    conditions TEXT,
    PRIMARY KEY (workspace, name)
) STRICT, WITHOUT ROWID;

-- The versions that later ones replaced. The state after event N has, of each name, the last version with seq <= N in
-- the two tables together.
CREATE TABLE policy_version (
    workspace TEXT NOT NULL REFERENCES workspace (id),
    name TEXT NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    seq INTEGER NOT NULL,
    action_type TEXT NOT NULL,
    approval_required INTEGER NOT NULL CHECK (approval_required IN (0, 1)),
    approval_timeout_hours INTEGER NOT NULL,
    allowed_repos TEXT,
    allowed_branches TEXT,
    conditions TEXT,
    PRIMARY KEY (workspace, name, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE breaker (
    workspace TEXT NOT NULL REFERENCES workspace (id),
    anomaly_type TEXT NOT NULL,
    -- A decimal literal: SQLite's own numbers would round some of them.
    score_threshold TEXT NOT NULL,
    response_level TEXT NOT NULL,
    PRIMARY KEY (workspace, anomaly_type)
) STRICT;

-- The leaves of the audit log. What is hashed is `body`, byte for byte.
CREATE TABLE audit_event (
    workspace TEXT NOT NULL REFERENCES workspace (id),
    seq INTEGER NOT NULL CHECK (seq >= 0),
    body TEXT NOT NULL,
    names TEXT NOT NULL,
    leaf BLOB NOT NULL,
    PRIMARY KEY (workspace, seq)
) STRICT;

-- The hashes of complete subtrees of two leaves or more, from which proofs are made. None of them is trusted: a proof is
-- checked before it is given out, and verification starts from the leaves' bodies.
CREATE TABLE audit_node (
    workspace TEXT NOT NULL REFERENCES workspace (id),
    level INTEGER NOT NULL CHECK (level >= 1),
    idx INTEGER NOT NULL CHECK (idx >= 0),
    hash BLOB NOT NULL,
    PRIMARY KEY (workspace, level, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_head (
    workspace TEXT NOT NULL PRIMARY KEY REFERENCES workspace (id),
    size INTEGER NOT NULL CHECK (size >= 0),
    frontier BLOB NOT NULL,
    root BLOB NOT NULL
) STRICT;

-- What imports answered that may be asked for again: the same request gets the same answer, byte for byte.
CREATE TABLE request (
    workspace TEXT NOT NULL REFERENCES workspace (id),
    -- The caller's key.
    id TEXT NOT NULL,
    -- SHA-256 of all that the request says.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    created_at TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (workspace, id)
) STRICT;

CREATE INDEX request_created_at ON request (workspace, created_at);
