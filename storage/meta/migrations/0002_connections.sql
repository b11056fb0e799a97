-- Connections that are saved for queries: profiles, and tables made from them. Names are what queries call them.

CREATE TABLE connection_profiles (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    connector  TEXT NOT NULL,
    config     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE connection_tables (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE COLLATE NOCASE,
    connector  TEXT NOT NULL,
    profile_id TEXT REFERENCES connection_profiles (id),
    table_type TEXT NOT NULL,
    config     TEXT NOT NULL,
    schema     TEXT NOT NULL,
    definition TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX connection_tables_by_age ON connection_tables (created_at DESC, id DESC);

-- Which pipelines were planned with which tables.
CREATE TABLE connection_table_pipelines (
    table_id    TEXT NOT NULL REFERENCES connection_tables (id) ON DELETE CASCADE,
    pipeline_id TEXT NOT NULL REFERENCES pipelines (id) ON DELETE CASCADE,
    PRIMARY KEY (table_id, pipeline_id)
) STRICT;
