-- 0010: the rest of the bus: order by key, fair turns, limits, dedup, cancelling, progress, results, exact counters.
-- Locks the queue's small tables for the time of a few catalogue changes, and rewrites the rows that are ready now.
--
--   send ──► arrival ──► (admit) ──► ready ──► lease ──► outcome
--                           │ ▲ release  ▲
--                           ▼ │          │ a retry keeps the place of its key
--                         blocked     deferred
--
-- From here on the functions of the queue stand in Functions/: they are dropped and made anew as a whole with every
-- upgrade, in the transaction of the last migration. What the files before this one say of functions is history.

-- Every table that is changed from here on, at once and before anything is done. The processes come first, as they do for
-- whoever takes, claims or ends: those who are at it go on to their end, and nobody new gets in. Who has sent something and
-- ends his job after that comes the other way round; then we give way (the limit is the migrator's) and are tried again.
lock table queue.worker, queue.queue, queue.ring, queue.ready, queue.lease, queue.hold, queue.outcome, queue.audit
    in access exclusive mode;

-- Policies. A queue is ordered by key (key_limit), fair between keys (is_fair), or neither.
alter table queue.queue
    add column key_limit smallint check (key_limit between 1 and 1000),
    add column is_fair boolean not null default false,
    add column running_max int check (running_max >= 1),
    add column rate_per_second double precision check (rate_per_second > 0),
    add column rate_burst int check (rate_burst >= 1),
    add column ageing_ms bigint check (ageing_ms >= 1),
    add column is_encrypted boolean not null default false,
    add check (key_limit is null or not is_fair),
    add check ((rate_per_second is null) = (rate_burst is null));

comment on column queue.queue.key_limit is 'jobs of one key at a time, in the order of sending; null: keys mean nothing';
comment on column queue.queue.is_fair is 'jobs of different keys take turns';
comment on column queue.queue.running_max is 'jobs at a time over all processes; of a batched queue, batches';
comment on column queue.queue.ageing_ms is 'after so long a job counts as one priority higher; null: never';
comment on column queue.queue.is_encrypted is 'arguments and results are ciphertext to the database';

-- Where a job stands among those of its priority: its id, except where turns or ageing say otherwise.
alter table queue.ready add column rank bigint;
update queue.ready set rank = id;
alter table queue.ready alter column rank set not null;

do $$
begin
    for slot in 0..7 loop
        execute format('drop index queue.ready_%1$s_queue_id_priority_id_idx', slot);
        execute format('create index on queue.ready_%s (queue_id, priority, rank)', slot);
    end loop;
end $$;

-- No slot is in the ring twice: two who turn it at the same time open one.
alter table queue.ring add unique (slot);

-- Jobs of a queue with a running_max are counted where they run.
alter table queue.lease add column is_counted boolean not null default false;
create index on queue.lease (queue_id) where is_counted;

-- What a batch holds, for the queues where a row is not found by its id alone.
alter table queue.hold add column ranks bigint[];

-- What a handler wants to be remembered of a job.
alter table queue.outcome add column result jsonb;

-- Keyed jobs that nobody has looked at yet. Senders only append here and take no lock: two transactions that send for
-- each other's key cannot deadlock, and a long one stops nobody.
create sequence queue.arrival_number;
create table queue.arrival (
    seq bigint not null,
    id bigint not null,
    queue_id smallint not null,
    priority smallint not null,
    attempt smallint not null default 0,
    key text not null,
    primary key (queue_id, seq)
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

-- A key that is busy. running counts its jobs that are ready, leased, waiting for a retry, or dead at the head of a key
-- that waits for a person; never more than the queue's key_limit, unless that was lowered meanwhile.
create table queue.gate (
    queue_id smallint not null,
    running smallint not null,
    key text not null,
    primary key (queue_id, key)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0);

-- Jobs behind a busy key, in the order of admission (aseq). Touched twice, however long the chain is.
create sequence queue.admission_number;
create table queue.blocked (
    aseq bigint not null,
    id bigint not null,
    queue_id smallint not null,
    priority smallint not null,
    attempt smallint not null default 0,
    key text not null,
    primary key (queue_id, key, aseq)
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

-- Dead jobs that still hold the place of their key (on_dead = block), until a person skips or redrives them.
create table queue.halted (
    aseq bigint not null,
    id bigint not null primary key,
    at timestamptz not null default clock_timestamp(),
    queue_id smallint not null,
    key text not null
);
create index on queue.halted (queue_id, key);

-- The last turn that was given to a key of a fair queue.
create table queue.turn (
    rank bigint not null,
    queue_id smallint not null,
    key text not null,
    primary key (queue_id, key)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0);

-- Token buckets of queues with a rate.
create table queue.rate (
    queue_id smallint not null primary key,
    tokens double precision not null,
    at timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- Jobs that must not be sent twice within a window. until null: while the job is unfinished.
create table queue.dedup (
    queue_id smallint not null,
    id bigint not null,
    until timestamptz,
    key text not null,
    primary key (queue_id, key)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
create index on queue.dedup (until);

-- Running jobs that somebody has asked to stop.
create table queue.cancellation (
    id bigint not null primary key,
    at timestamptz not null default clock_timestamp(),
    reason text not null
);

-- How far long jobs are. Unlogged: a job that a crash interrupts begins again.
create unlogged table queue.progress (
    id bigint not null primary key,
    at timestamptz not null default clock_timestamp(),
    done bigint not null,
    total bigint,
    note text
) with (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- Counters without a hot row: whoever changes a number appends what changed, in leaves that are emptied together with
-- those of ready and folded into queue.counter then. counter: see queue.counter_name.
create table queue.delta (
    slot smallint not null,
    queue_id smallint not null,
    counter smallint not null,
    n int not null
) partition by list (slot);

create table queue.counter (
    queue_id smallint not null,
    counter smallint not null,
    n bigint not null,
    primary key (queue_id, counter)
) with (fillfactor = 50);

do $$
begin
    for slot in 0..7 loop
        execute format('create table queue.delta_%s partition of queue.delta for values in (%s)', slot, slot);
    end loop;
end $$;

alter table queue.audit drop constraint audit_action_check;  -- the functions know what they do

-- Counted from what is there.
insert into queue.counter (queue_id, counter, n)
select queue_id, 1::smallint, count(*) from queue.job group by queue_id
union all
select queue_id, state, count(*) from queue.outcome group by queue_id, state
union all
select queue_id, 7::smallint, count(*) from queue.deferred group by queue_id
union all
select queue_id, 9::smallint, count(*) from queue.audit where action = 'redrive' group by queue_id;

-- Side tables for compaction: the living rows wait here while a bloated table is emptied. Rows never outlive the
-- transaction that put them here, so they need no log.
create unlogged table queue.spare_arrival (like queue.arrival);
create unlogged table queue.spare_blocked (like queue.blocked);
create unlogged table queue.spare_deferred (like queue.deferred);
create unlogged table queue.spare_dedup (like queue.dedup);
create unlogged table queue.spare_gate (like queue.gate);
create unlogged table queue.spare_hold (like queue.hold);
create unlogged table queue.spare_lease (like queue.lease);
create unlogged table queue.spare_sleeper (like queue.sleeper);
create unlogged table queue.spare_turn (like queue.turn);
create unlogged table queue.spare_worker (like queue.worker);
