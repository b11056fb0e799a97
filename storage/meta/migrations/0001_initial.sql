-- The first schema. Times are microseconds since the Unix epoch.

CREATE TABLE pipelines (
    id                         TEXT PRIMARY KEY,
    name                       TEXT NOT NULL,
    query                      TEXT NOT NULL,
    program                    BLOB NOT NULL,
    parallelism                INTEGER NOT NULL CHECK (parallelism > 0),
    checkpoint_interval_micros INTEGER NOT NULL,
    state_url                  TEXT,
    tags                       TEXT NOT NULL,
    created_at                 INTEGER NOT NULL,
    updated_at                 INTEGER NOT NULL,
    deleted_at                 INTEGER
) STRICT;

CREATE INDEX pipelines_by_age ON pipelines (created_at DESC, id DESC);

-- What is wanted of a job. Only the API writes here.
CREATE TABLE job_configs (
    id                         TEXT PRIMARY KEY,
    pipeline_id                TEXT NOT NULL REFERENCES pipelines (id) ON DELETE CASCADE,
    stop                       TEXT NOT NULL CHECK (stop IN ('none', 'checkpoint', 'graceful', 'immediate', 'force')),
    checkpoint_interval_micros INTEGER NOT NULL,
    restart_nonce              INTEGER NOT NULL,
    restart_mode               TEXT NOT NULL CHECK (restart_mode IN ('safe', 'force')),
    parallelism_overrides      TEXT NOT NULL,
    ttl_micros                 INTEGER,
    env_vars                   TEXT NOT NULL,
    scheduler_config           TEXT,
    created_at                 INTEGER NOT NULL,
    updated_at                 INTEGER NOT NULL
) STRICT;

CREATE INDEX job_configs_by_pipeline ON job_configs (pipeline_id, created_at);

-- What has become of a job. Only the controller writes here.
CREATE TABLE job_statuses (
    id              TEXT PRIMARY KEY REFERENCES job_configs (id) ON DELETE CASCADE,
    state           TEXT NOT NULL,
    run_id          INTEGER NOT NULL,
    start_time      INTEGER,
    finish_time     INTEGER,
    tasks           INTEGER,
    restarts        INTEGER NOT NULL,
    restart_nonce   INTEGER NOT NULL,
    failure_message TEXT,
    failure_domain  TEXT,
    failure_details TEXT,
    updated_at      INTEGER NOT NULL
) STRICT;

-- A projection of the checkpoints for people to look at; the manifests are the truth.
CREATE TABLE checkpoints (
    id          TEXT PRIMARY KEY,
    job_id      TEXT NOT NULL REFERENCES job_configs (id) ON DELETE CASCADE,
    epoch       INTEGER NOT NULL,
    generation  INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('inprogress', 'committing', 'ready', 'compacted', 'failed')),
    start_time  INTEGER NOT NULL,
    finish_time INTEGER,
    bytes       INTEGER NOT NULL,
    operators   TEXT NOT NULL,
    events      TEXT NOT NULL,
    is_stopping INTEGER NOT NULL CHECK (is_stopping IN (0, 1)),
    UNIQUE (job_id, epoch, generation)
) STRICT;

CREATE TABLE job_log_messages (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    job_id       TEXT NOT NULL REFERENCES job_configs (id) ON DELETE CASCADE,
    created_at   INTEGER NOT NULL,
    operator_id  TEXT,
    task_index   INTEGER,
    level        TEXT NOT NULL CHECK (level IN ('info', 'warn', 'error')),
    message      TEXT NOT NULL,
    details      TEXT NOT NULL,
    error_domain TEXT
) STRICT;

CREATE INDEX job_log_messages_by_job ON job_log_messages (job_id, seq);
