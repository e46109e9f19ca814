-- 0001: the queue's tables. A state of a job is the table its row lives in; no state column can get out of step.
--
--   job ──► ready ──► lease ──► outcome (completed, dead)
--             ▲  ▲      │
--             │  └──────┴──► outcome (lost: worker died or lease expired; given back: no row)
--             └── deferred ◄── outcome (failed: will be retried)
--
-- Rows are inserted and deleted, never updated, on the whole way of a job. The payload is written once and never
-- moves. `job` and `outcome` are cut into days by id, because an id carries its time: retention drops a partition.
-- The tables on that way have no check constraints: PostgreSQL reads their expressions anew in every statement that
-- inserts, which was a tenth of the cost of sending. Only the functions of the next files write here.

create schema queue;
revoke all on schema queue from public;

-- An id is milliseconds since 1970 and 20 bits that tell the jobs of one millisecond apart: new rows go to the right
-- edge of every index. The upper half of the 20 bits is for ids that senders make themselves, which saves the round
-- trip that would fetch them: each process leases blocks of 256 numbers for five seconds. A block is given out again
-- after 2,047 others; if two jobs ever met all the same, the primary key would refuse the second.
create sequence queue.job_number;
create sequence queue.number_block;

-- Catalogue. Changed by a deploy or by an operator, read by everybody: small, and kept in few pages.
create table queue.queue (
    id smallint generated always as identity primary key,
    name text not null unique check (name ~ '^[a-z_]{1,32}\.[a-z0-9_.-]{1,64}$'),
    owner_service text not null,
    attempts_max smallint not null default 20 check (attempts_max between 1 and 10000),
    losses_max smallint not null default 3 check (losses_max between 1 and 1000),
    backoff_base_ms int not null default 500 check (backoff_base_ms >= 0),
    backoff_factor real not null default 2 check (backoff_factor >= 1),
    backoff_cap_ms int not null default 900000 check (backoff_cap_ms >= 0),
    backoff_jitter real not null default 0.2 check (backoff_jitter between 0 and 1),
    lease_ms int not null default 30000 check (lease_ms >= 100),
    on_dead text not null default 'release' check (on_dead in ('release', 'block')),
    retention_days smallint not null default 14 check (retention_days >= 1),
    producers text[],
    paused_at timestamptz,
    declared_at timestamptz
) with (fillfactor = 70);

comment on column queue.queue.producers is 'services that may send to this queue; null: every service';
comment on column queue.queue.losses_max is 'workers a job may take down before it is declared dead';
comment on column queue.queue.declared_at is 'null: a message was sent before its owner first started';

-- Which queues hear of an event. Additive: two versions of a service can run side by side during a deploy.
create table queue.subscription (
    event text not null,
    queue_id smallint not null references queue.queue (id),
    primary key (event, queue_id)
);

-- The payload. reply_class: null no reply is awaited, 1 durable, 2 volatile (no history is kept of it).
create table queue.job (
    id bigint not null,
    deadline timestamptz,
    cause_id bigint,
    reply_to int,
    queue_id smallint not null,
    version smallint not null,
    priority smallint not null,
    reply_class smallint,
    kind text not null,
    key text,
    args jsonb not null,
    headers jsonb,
    primary key (id)
) partition by range (id);

create table queue.job_rest partition of queue.job default;

-- Every attempt that came to an end. state: 2 completed, 3 failed and will be retried, 4 dead, 6 lost with its worker.
create table queue.outcome (
    id bigint not null,
    at timestamptz not null default clock_timestamp(),
    worker_id int,
    attempt smallint not null,
    queue_id smallint not null,
    state smallint not null,
    error jsonb,
    primary key (id, attempt, state)
) partition by range (id);

create table queue.outcome_rest partition of queue.outcome default;
create index on queue.outcome (queue_id, id) where state = 4;

-- What can run now: thin references in a ring of eight leaves. Writers use the slot that queue.ring opened last;
-- a sealed slot that has run empty can be truncated, which needs no vacuum and ignores old snapshots.
create table queue.ready (
    id bigint not null,
    aseq bigint,
    slot smallint not null,
    queue_id smallint not null,
    priority smallint not null,
    attempt smallint not null default 0,
    key text
) partition by list (slot);

create table queue.ring (
    generation bigint generated always as identity primary key,
    slot smallint not null check (slot between 0 and 7),
    opened_at timestamptz not null default clock_timestamp()
);
insert into queue.ring (slot) values (0);

do $$
begin
    for slot in 0..7 loop
        execute format('create table queue.ready_%s partition of queue.ready for values in (%s)', slot, slot);
        execute format('create unique index on queue.ready_%s (queue_id, priority, id)', slot);
        execute format(
            'alter table queue.ready_%s set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
                autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_insert_scale_factor = 0.05)', slot);
    end loop;
end $$;

-- What runs later: delayed jobs (attempt 0) and retries. Taken by due time, never scanned.
create table queue.deferred (
    run_at timestamptz not null,
    id bigint not null primary key,
    aseq bigint,
    queue_id smallint not null,
    priority smallint not null,
    attempt smallint not null,
    key text
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

create index on queue.deferred (queue_id, run_at);

-- What runs: one row a job, no heartbeat updates. Found by id only; rescue reads the whole (small) table.
create table queue.lease (
    id bigint not null primary key,
    deadline timestamptz not null,
    aseq bigint,
    worker_id int not null,
    queue_id smallint not null,
    priority smallint not null,
    attempt smallint not null,
    key text
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

-- Processes. Alive while they hold the advisory lock (queue.liveness_class(), id) or were seen lately; see 0006.
create table queue.worker (
    id int generated always as identity primary key,
    service text not null,
    host text not null,
    pid int not null,
    started_at timestamptz not null default clock_timestamp(),
    session_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0);

-- Who waits for a bell. Unlogged: after a crash of the server nobody sleeps, everybody reconnects and sweeps.
create unlogged table queue.sleeper (
    worker_id int primary key,
    service text not null
) with (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- What a process holds in an open transaction: the last batch of each of its batch runners. Read only when the
-- process died, to count the loss; stale numbers are harmless, because their jobs are no longer ready.
create unlogged table queue.hold (
    worker_id int not null,
    runner smallint not null,
    queue_id smallint not null,
    ids bigint[] not null,
    primary key (worker_id, runner)
) with (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- Answers on their way back. status: 1 answered, 2 failed (body is {"code": …}).
create table queue.reply (
    id bigint not null,
    instance int not null,
    status smallint not null,
    at timestamptz not null default clock_timestamp(),
    body jsonb not null,
    primary key (instance, id)
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

create unlogged table queue.volatile_reply (like queue.reply including all);

-- What operators did, with the reason they gave. A redrive opens a new epoch of attempts after `attempt`.
create table queue.audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    actor text not null default session_user,
    action text not null check (action in ('pause', 'resume', 'redrive')),
    queue_id smallint not null references queue.queue (id),
    job_id bigint,
    attempt smallint,
    reason text not null
);

create index on queue.audit (job_id, attempt) where action = 'redrive';
