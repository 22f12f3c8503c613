-- Texts are ordered by their bytes, whatever the database's own order is.
CREATE TABLE lattice.workspace (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    org_name TEXT NOT NULL,
    -- How many imports were committed; an import goes through only on the revision that it was planned on.
    revision BIGINT NOT NULL CHECK (revision >= 0),
    created_at TEXT NOT NULL
);

CREATE TABLE lattice.access_key (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- Counts up in order of creation.
    nr BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY,
    workspace TEXT COLLATE "C" NOT NULL REFERENCES lattice.workspace (id),
    kind TEXT NOT NULL CHECK (kind IN ('service', 'agent')),
    name TEXT,
    -- SHA-256 of the whole key, which is stored nowhere.
    hash BYTEA NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    created_at TEXT NOT NULL,
    revoked_at TEXT
);

CREATE INDEX access_key_workspace ON lattice.access_key (workspace, nr);

-- The last version of every policy, deactivated ones included.
CREATE TABLE lattice.policy (
    workspace TEXT COLLATE "C" NOT NULL REFERENCES lattice.workspace (id),
    name TEXT COLLATE "C" NOT NULL,
    active BOOLEAN NOT NULL,
    -- The audit event that made this version.
    seq BIGINT NOT NULL,
    action_type TEXT NOT NULL,
    approval_required BOOLEAN NOT NULL,
    approval_timeout_hours INTEGER NOT NULL,
    -- JSON lists of patterns; NULL admits any.
    allowed_repos TEXT,
    allowed_branches TEXT,
    conditions TEXT,
    PRIMARY KEY (workspace, name)
);

-- The versions that later ones replaced. The state after event N has, of each name, the last version with seq <= N in
-- the two tables together.
CREATE TABLE lattice.policy_version (
    workspace TEXT COLLATE "C" NOT NULL REFERENCES lattice.workspace (id),
    name TEXT COLLATE "C" NOT NULL,
    active BOOLEAN NOT NULL,
    seq BIGINT NOT NULL,
    action_type TEXT NOT NULL,
    approval_required BOOLEAN NOT NULL,
    approval_timeout_hours INTEGER NOT NULL,
    allowed_repos TEXT,
    allowed_branches TEXT,
    conditions TEXT,
    PRIMARY KEY (workspace, name, seq)
);

CREATE TABLE lattice.breaker (
    workspace TEXT COLLATE "C" NOT NULL REFERENCES lattice.workspace (id),
    anomaly_type TEXT COLLATE "C" NOT NULL,
    -- A decimal literal, exactly as it was given.
    score_threshold TEXT NOT NULL,
    response_level TEXT NOT NULL,
    PRIMARY KEY (workspace, anomaly_type)
);

-- The leaves of the audit log. What is hashed is `body`, byte for byte.
CREATE TABLE lattice.audit_event (
    workspace TEXT COLLATE "C" NOT NULL REFERENCES lattice.workspace (id),
    seq BIGINT NOT NULL CHECK (seq >= 0),
    body TEXT NOT NULL,
    names TEXT NOT NULL,
    leaf BYTEA NOT NULL,
    PRIMARY KEY (workspace, seq)
);

-- The hashes of complete subtrees of two leaves or more, from which proofs are made. None of them is trusted: a proof is
-- checked before it is given out, and verification starts from the leaves' bodies.
CREATE TABLE lattice.audit_node (
    workspace TEXT COLLATE "C" NOT NULL REFERENCES lattice.workspace (id),
    level INTEGER NOT NULL CHECK (level >= 1),
    idx BIGINT NOT NULL CHECK (idx >= 0),
    hash BYTEA NOT NULL,
    PRIMARY KEY (workspace, level, idx)
);

-- One row for every workspace, made with it. Whoever writes to the workspace locks it first.
CREATE TABLE lattice.audit_head (
    workspace TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES lattice.workspace (id),
    size BIGINT NOT NULL CHECK (size >= 0),
    frontier BYTEA NOT NULL,
    root BYTEA NOT NULL
);

-- What imports answered that may be asked for again: the same request gets the same answer, byte for byte.
CREATE TABLE lattice.request (
    workspace TEXT COLLATE "C" NOT NULL REFERENCES lattice.workspace (id),
    -- The caller's key.
    id TEXT COLLATE "C" NOT NULL,
    -- SHA-256 of all that the request says.
    digest BYTEA NOT NULL CHECK (octet_length(digest) = 32),
    created_at TEXT COLLATE "C" NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (workspace, id)
);

CREATE INDEX request_created_at ON lattice.request (workspace, created_at);
