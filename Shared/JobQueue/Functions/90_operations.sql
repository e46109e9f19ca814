-- What an operator sees and does. Operators are those who may act as the owner of this schema; a service may do the same
-- to its own queues. What is done is kept in queue.audit with the reason.

create function queue.pause(p_queue smallint, p_reason text) returns void
    language plpgsql as $$
begin
    perform queue.require_owner(p_queue);
    update queue.queue set paused_at = clock_timestamp() where id = p_queue and paused_at is null;
    if found then
        insert into queue.audit (action, queue_id, reason) values ('pause', p_queue, p_reason);
    end if;
end $$;

create function queue.resume(p_queue smallint, p_reason text) returns void
    language plpgsql as $$
begin
    perform queue.require_owner(p_queue);
    update queue.queue set paused_at = null where id = p_queue and paused_at is not null;
    if found then
        insert into queue.audit (action, queue_id, reason) values ('resume', p_queue, p_reason);
    end if;
end $$;

-- Whether the death of a job was undone since.
create function queue.is_redriven(p_id bigint, p_attempt smallint) returns boolean
    language plpgsql stable as $$
begin
    return exists (
        select from queue.audit a where a.action = 'redrive' and a.job_id = p_id and a.attempt >= p_attempt);
end $$;

-- Dead jobs that nobody has redriven, newest first, a page at a time (before: the last id of the page before).
create function queue.dead(p_queue smallint, p_limit int default 50, p_before bigint default null) returns table (
    id bigint, kind text, attempt smallint, at timestamptz, error jsonb
)
    language plpgsql stable as $$
#variable_conflict use_column
begin
    perform queue.require_owner(p_queue);
    return query
        select o.id, j.kind, o.attempt, o.at, o.error
        from queue.outcome o join queue.job j on j.id = o.id
        where o.queue_id = p_queue and o.state = 4 and (p_before is null or o.id < p_before)
            and not queue.is_redriven(o.id, o.attempt)
        order by o.id desc limit p_limit;
end $$;

-- Dead jobs run again with all their attempts before them. The audit row is what makes the death void: a second
-- redrive of the same death finds nothing to do. A job that still holds the place of its key goes on there.
create function queue.redrive(p_queue smallint, p_ids bigint[], p_reason text) returns int
    language plpgsql as $$
declare
    v record;
begin
    perform queue.require_owner(p_queue);
    lock table queue.audit in share row exclusive mode;
    with dead as (
        select o.id, o.attempt, j.priority, j.key
        from queue.outcome o join queue.job j on j.id = o.id
        where o.id = any (p_ids) and o.queue_id = p_queue and o.state = 4 and not queue.is_redriven(o.id, o.attempt)
    ), noted as (
        insert into queue.audit (action, queue_id, job_id, attempt, reason)
        select 'redrive', p_queue, id, attempt, p_reason from dead
    ), halted as (
        delete from queue.halted where id in (select id from dead) returning id, aseq
    )
    select count(*)::int as n, array_agg(d.id order by d.id) as ids, array_agg(d.priority order by d.id) as priorities,
        array_agg(d.attempt order by d.id) as attempts, array_agg(d.key order by d.id) as keys,
        array_agg(h.aseq order by d.id) as aseqs
    into v
    from dead d left join halted h on h.id = d.id;
    if v.n > 0 then
        perform queue.place(p_queue, v.ids, v.priorities, v.attempts, v.keys, v.aseqs);
        perform queue.note(p_queue, 9, v.n);
    end if;
    return v.n;
end $$;

-- Keys that stopped at a dead job, with how many wait behind it.
create function queue.halted_keys(p_queue smallint, p_limit int default 50) returns table (
    key text, job_id bigint, since timestamptz, waiting bigint
)
    language plpgsql stable as $$
#variable_conflict use_column
begin
    perform queue.require_owner(p_queue);
    return query
        select h.key, h.id, h.at, (select count(*) from queue.blocked b where b.queue_id = p_queue and b.key = h.key)
        from queue.halted h where h.queue_id = p_queue order by h.at limit p_limit;
end $$;

-- The dead job at the head of its key stays dead, and the next one of the key runs. Answers whether it did.
create function queue.skip(p_queue smallint, p_id bigint, p_reason text) returns boolean
    language plpgsql as $$
declare
    v_halted queue.halted;
begin
    perform queue.require_owner(p_queue);
    delete from queue.halted where id = p_id and queue_id = p_queue returning * into v_halted;
    if not found then
        return false;
    end if;
    insert into queue.audit (action, queue_id, job_id, reason) values ('skip', p_queue, p_id, p_reason);
    perform queue.release(p_queue, array[v_halted.key], array[v_halted.aseq]);
    return true;
end $$;

-- Ends a job that has not ended. One that waits is cancelled at once; one that runs is told to stop, and loses its claim
-- when it does not in time. Answers 'cancelled', 'asked' (then ring queue.bell_cancel after the commit), or
-- 'out of reach': ended, or in a batch at this moment.
create function queue.cancel(p_id bigint, p_reason text) returns text
    language plpgsql as $$
declare
    v_job queue.job;
    v_lease queue.lease;
begin
    select * into v_job from queue.job where id = p_id;
    if not found then
        return 'out of reach';
    end if;
    perform queue.require_owner(v_job.queue_id);
    insert into queue.audit (action, queue_id, job_id, reason) values ('cancel', v_job.queue_id, p_id, p_reason);
    -- Who ends the attempt at this moment waits for us and then finds our word; or we wait, and find where the job went.
    perform from queue.lease where id = p_id for update;
    if found then
        insert into queue.cancellation (id, reason) values (p_id, p_reason) on conflict (id) do nothing;
        return 'asked';
    end if;
    v_lease := queue.pull_waiting(v_job);
    if v_lease.id is null then
        return 'out of reach';
    end if;
    perform queue.bury(null, v_lease, '{"code": "cancelled"}', 5);
    return 'cancelled';
end $$;

-- Takes a job that waits out of its place, as a lease that somebody would have; all null when nobody can have it.
create function queue.pull_waiting(p_job queue.job) returns queue.lease
    language plpgsql as $$
declare
    v_ready queue.ready;
    v_deferred queue.deferred;
    v_attempt smallint;
begin
    delete from queue.deferred where id = p_job.id returning * into v_deferred;
    if found then
        perform queue.note(p_job.queue_id, 7, -1);
        return row (p_job.id, clock_timestamp(), v_deferred.aseq, null, p_job.queue_id, p_job.priority,
            v_deferred.attempt, p_job.key, false)::queue.lease;
    end if;
    delete from queue.arrival where queue_id = p_job.queue_id and seq = (
        select seq from queue.arrival where queue_id = p_job.queue_id and id = p_job.id for update skip locked)
    returning attempt into v_attempt;
    if not found then
        delete from queue.blocked where queue_id = p_job.queue_id and key = p_job.key and aseq = (
            select aseq from queue.blocked
            where queue_id = p_job.queue_id and key = p_job.key and id = p_job.id for update skip locked)
        returning attempt into v_attempt;
        if found then
            perform queue.note(p_job.queue_id, 8, -1);
        end if;
    end if;
    if v_attempt is not null then
        return row (p_job.id, clock_timestamp(), null, null, p_job.queue_id, p_job.priority, v_attempt, p_job.key,
            false)::queue.lease;
    end if;
    delete from queue.ready r where r.ctid = (
            select ctid from queue.ready
            where queue_id = p_job.queue_id and id = p_job.id for update skip locked)
        and r.slot = (select slot from queue.ready where queue_id = p_job.queue_id and id = p_job.id)
    returning r.* into v_ready;
    if found then
        return row (p_job.id, clock_timestamp(), v_ready.aseq, null, p_job.queue_id, p_job.priority, v_ready.attempt,
            p_job.key, false)::queue.lease;
    end if;
    return null;
end $$;

-- Tells the processes that run these jobs to stop them. After the commit of queue.cancel, in a transaction of its own.
create function queue.bell_cancel(p_ids bigint[]) returns void
    language plpgsql as $$
begin
    perform pg_notify('queue_' || w.service, 'cancel ' || l.id)
    from queue.lease l join queue.worker w on w.id = l.worker_id
    where l.id = any (p_ids);
end $$;

-- What a completed job has left for whoever sent it; null when it has not completed, or left nothing.
create function queue.result(p_id bigint) returns table (state smallint, result jsonb, error jsonb)
    language plpgsql stable as $$
#variable_conflict use_column
declare
    v_queue smallint := (select j.queue_id from queue.job j where j.id = p_id);
begin
    if v_queue is null then
        return;
    end if;
    perform queue.require_owner(v_queue);
    return query
        select o.state, o.result, o.error from queue.outcome o
        where o.id = p_id and o.state in (2, 4, 5) order by o.attempt desc limit 1;
end $$;

-- How far a long job says it is.
create function queue.progress_of(p_id bigint) returns table (done bigint, total bigint, note text, at timestamptz)
    language plpgsql stable as $$
#variable_conflict use_column
declare
    v_queue smallint := (select j.queue_id from queue.job j where j.id = p_id);
begin
    if v_queue is null then
        return;
    end if;
    perform queue.require_owner(v_queue);
    return query select p.done, p.total, p.note, p.at from queue.progress p where p.id = p_id;
end $$;

-- All counters, folded and not yet folded.
create function queue.counts() returns table (queue_id smallint, counter smallint, n bigint)
    language plpgsql stable as $$
#variable_conflict use_column
begin
    return query
        select c.queue_id, c.counter, sum(c.n)::bigint
        from (
            select queue_id, counter, n from queue.counter
            union all select queue_id, counter, n from queue.delta) c
        group by c.queue_id, c.counter;
end $$;

-- How the queues stand, from the counters: nothing that grows is counted. A service sees its own, an operator all.
create function queue.stats() returns table (
    id smallint, name text, owner_service text, paused_at timestamptz, ready bigint, deferred bigint, running bigint,
    dead bigint, oldest_ready_ms bigint, workers bigint, blocked bigint, halted bigint, sent bigint, completed bigint,
    failed bigint, lost bigint, cancelled bigint
)
    language plpgsql stable as $$
#variable_conflict use_column
begin
    return query
        with counted as (
            select c.queue_id, coalesce(sum(n) filter (where counter = 1), 0)::bigint as sent,
                coalesce(sum(n) filter (where counter = 2), 0)::bigint as completed,
                coalesce(sum(n) filter (where counter = 3), 0)::bigint as failed,
                coalesce(sum(n) filter (where counter = 4), 0)::bigint as dead,
                coalesce(sum(n) filter (where counter = 5), 0)::bigint as cancelled,
                coalesce(sum(n) filter (where counter = 6), 0)::bigint as lost,
                coalesce(sum(n) filter (where counter = 7), 0)::bigint as deferred,
                coalesce(sum(n) filter (where counter = 8), 0)::bigint as blocked,
                coalesce(sum(n) filter (where counter = 9), 0)::bigint as redriven
            from queue.counts() c group by c.queue_id
        )
        select q.id, q.name, q.owner_service, q.paused_at,
            c.sent + c.redriven - c.completed - c.dead - c.cancelled - c.deferred - c.blocked - l.n,
            c.deferred, l.n, c.dead - c.redriven, o.ms, w.n, c.blocked, h.n, c.sent, c.completed, c.failed, c.lost,
            c.cancelled
        from queue.queue q
        cross join lateral (
            select coalesce(max(sent), 0) as sent, coalesce(max(completed), 0) as completed,
                coalesce(max(failed), 0) as failed, coalesce(max(dead), 0) as dead,
                coalesce(max(cancelled), 0) as cancelled, coalesce(max(lost), 0) as lost,
                coalesce(max(deferred), 0) as deferred, coalesce(max(blocked), 0) as blocked,
                coalesce(max(redriven), 0) as redriven
            from counted where counted.queue_id = q.id) c
        cross join lateral (select count(*) as n from queue.lease where queue_id = q.id) l
        cross join lateral (select count(*) as n from queue.halted where queue_id = q.id) h
        cross join lateral (
            select (extract(epoch from clock_timestamp() - queue.id_time(min(head.id))) * 1000)::bigint as ms
            from generate_series(0, 4) p cross join lateral (
                select r.id from queue.ready r where r.queue_id = q.id and r.priority = p
                order by r.rank limit 1) head) o
        cross join lateral (select count(*) as n from queue.worker where service = q.owner_service) w
        where queue.caller() = q.owner_service or queue.is_operator()
        order by q.name;
end $$;

-- Jobs of a queue that have not ended, the first ones of each place: those that run, those that run next, those that are
-- due next, and those that wait for others. Reads the heads of indexes, however many there are.
create function queue.jobs(p_queue smallint, p_limit int default 20) returns table (
    id bigint, kind text, key text, place text, attempt smallint, at timestamptz
)
    language plpgsql stable as $$
#variable_conflict use_column
begin
    perform queue.require_owner(p_queue);
    return query
        with head as (
            (select id, 'running' as place, attempt, deadline as at, 1 as nth from queue.lease
                where queue_id = p_queue order by id limit p_limit)
            union all (
                select r.id, 'ready', r.attempt, null, 2
                from generate_series(0, 4) p cross join lateral (
                    select id, attempt from queue.ready
                    where queue_id = p_queue and priority = p order by rank limit p_limit) r
                limit p_limit)
            union all (select id, 'deferred', attempt, run_at, 3 from queue.deferred
                where queue_id = p_queue order by run_at limit p_limit)
            union all (select id, 'arrived', attempt, null, 4 from queue.arrival
                where queue_id = p_queue order by seq limit p_limit)
            union all (select id, 'halted', null, at, 5 from queue.halted
                where queue_id = p_queue order by at limit p_limit)
            union all (select id, 'blocked', attempt, null, 6 from queue.blocked
                where queue_id = p_queue order by key, aseq limit p_limit)
        )
        select h.id, j.kind, j.key, h.place, h.attempt, h.at
        from head h join queue.job j on j.id = h.id order by h.nth, h.at, h.id;
end $$;

-- Where a job is, for the person who asks: its attempts and its place.
create function queue.show(p_id bigint) returns table (
    id bigint, queue text, kind text, place text, attempt smallint, at timestamptz, error jsonb
)
    language plpgsql stable as $$
#variable_conflict use_column
declare
    v_queue smallint := (select j.queue_id from queue.job j where j.id = p_id);
begin
    if v_queue is null then
        return;
    end if;
    perform queue.require_owner(v_queue);
    return query
        select j.id, q.name, j.kind, p.place, p.attempt, p.at, p.error
        from queue.job j
        join queue.queue q on q.id = j.queue_id
        cross join lateral (
            select case state when 2 then 'completed' when 3 then 'failed' when 4 then 'dead' when 5 then 'cancelled'
                else 'lost' end, attempt, at, error from queue.outcome where id = j.id
            union all select 'arrived', attempt, null, null from queue.arrival where queue_id = j.queue_id and id = j.id
            union all select 'blocked', attempt, null, null from queue.blocked
                where queue_id = j.queue_id and key = j.key and id = j.id
            union all select 'ready', attempt, null, null from queue.ready where queue_id = j.queue_id and id = j.id
            union all select 'deferred', attempt, run_at, null from queue.deferred where id = j.id
            union all select 'running', attempt, deadline, null from queue.lease where id = j.id
            union all select 'halted', (select max(o.attempt) from queue.outcome o where o.id = h.id), h.at, null
                from queue.halted h where h.id = j.id
        ) p(place, attempt, at, error)
        where j.id = p_id
        order by p.attempt nulls last, p.at nulls last;
end $$;
