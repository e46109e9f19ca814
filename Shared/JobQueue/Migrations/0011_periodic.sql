-- 0011: jobs that come again and again. Declared in code by the service they belong to, kept here, fired by whichever
-- of its processes looks first: the lock on the row is the election.

create table queue.periodic (
    name text not null primary key check (name ~ '^[a-z_]{1,32}\.[a-z0-9_.-]{1,64}$'),
    owner_service text not null,
    queue_id smallint not null references queue.queue (id),
    version smallint not null,
    kind text not null,
    key text,
    args jsonb not null,
    schedule jsonb not null,
    schedule_text text not null,
    time_zone text not null,
    catch_up text not null check (catch_up in ('skip', 'one', 'all')),
    catch_up_max int not null check (catch_up_max between 1 and 1000),
    next_at timestamptz,
    last_at timestamptz,
    last_job bigint,
    paused_at timestamptz,
    defined_at timestamptz not null,
    declared_at timestamptz not null
) with (fillfactor = 70);

comment on column queue.periodic.schedule is
    '{"every", "anchor"} in seconds, or {"minutes", "hours", "days", "months", "weekdays"}, where absent means all';
comment on column queue.periodic.last_at is
    'the moment for which a job was sent last; after an outage long before its sending';
comment on column queue.periodic.defined_at is
    'start of the process whose definition this is: a younger one may change it, an older one not';
comment on column queue.periodic.declared_at is 'when a living process last said that it has this job';

-- What was done to a periodic job stands beside what was done to queues.
alter table queue.audit add column periodic text;
