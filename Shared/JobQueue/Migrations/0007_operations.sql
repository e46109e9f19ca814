-- 0007: days, and what an operator does. Operators are those who may act as the owner of this schema; a service may
-- pause and redrive its own queues.

create function queue.day_first_id(p_day date) returns bigint
    language sql immutable
    return (extract(epoch from p_day::timestamp)::bigint * 1000) << 20;

-- Makes the partitions of `job` and `outcome` from today on. Attaching a ready-made table takes no lock that stops
-- readers or writers of the parent; if the default partition is busy, the next call tries again.
create function queue.prepare_days(p_ahead int) returns int
    language plpgsql as $$
declare
    v_parent text;
    v_day date;
    v_name text;
    v_made int := 0;
begin
    if not pg_try_advisory_xact_lock(queue.chore_class(), hashtext('prepare_days')) then
        return 0;
    end if;
    perform set_config('lock_timeout', '250ms', true);
    foreach v_parent in array array['job', 'outcome'] loop
        for v_offset in 0..p_ahead loop
            v_day := (clock_timestamp() at time zone 'UTC')::date + v_offset;
            v_name := v_parent || to_char(v_day, '_YYYYMMDD');
            continue when to_regclass('queue.' || v_name) is not null;
            execute format('create table queue.%I (like queue.%I including all)', v_name, v_parent);
            execute format(
                'alter table queue.%I set (autovacuum_vacuum_insert_scale_factor = 0.2,
                    autovacuum_analyze_scale_factor = 0.2)', v_name);
            execute format(
                'alter table queue.%I attach partition queue.%I for values from (%s) to (%s)', v_parent, v_name,
                queue.day_first_id(v_day), queue.day_first_id(v_day + 1));
            v_made := v_made + 1;
        end loop;
    end loop;
    return v_made;
end $$;

select queue.prepare_days(7);

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
            and not exists (
                select from queue.audit a
                where a.action = 'redrive' and a.job_id = o.id and a.attempt >= o.attempt)
        order by o.id desc limit p_limit;
end $$;

-- Dead jobs run again with all their attempts before them. The audit row is what makes the death void: a second
-- redrive of the same death finds nothing to do.
create function queue.redrive(p_queue smallint, p_ids bigint[], p_reason text) returns int
    language plpgsql as $$
declare
    v_count int;
begin
    perform queue.require_owner(p_queue);
    lock table queue.audit in share row exclusive mode;
    with dead as (
        select o.id, o.attempt, j.priority, j.key
        from queue.outcome o join queue.job j on j.id = o.id
        where o.id = any (p_ids) and o.queue_id = p_queue and o.state = 4
            and not exists (
                select from queue.audit a
                where a.action = 'redrive' and a.job_id = o.id and a.attempt >= o.attempt)
    ), noted as (
        insert into queue.audit (action, queue_id, job_id, attempt, reason)
        select 'redrive', p_queue, id, attempt, p_reason from dead
    ), ready as (
        insert into queue.ready (slot, queue_id, priority, id, attempt, key)
        select queue.current_slot(), p_queue, priority, id, attempt, key from dead
        returning 1
    )
    select count(*) into v_count from ready;
    return v_count;
end $$;

-- How the queues stand. A service sees its own, an operator all.
create function queue.stats() returns table (
    id smallint, name text, owner_service text, paused_at timestamptz, ready bigint, deferred bigint, running bigint,
    dead bigint, oldest_ready_ms bigint, workers bigint
)
    language plpgsql stable as $$
#variable_conflict use_column
begin
    return query
        select q.id, q.name, q.owner_service, q.paused_at, r.count, d.count, l.count, x.count,
            (extract(epoch from clock_timestamp() - queue.id_time(r.oldest)) * 1000)::bigint, w.count
        from queue.queue q
        cross join lateral (select count(*), min(id) as oldest from queue.ready where queue_id = q.id) r
        cross join lateral (select count(*) from queue.deferred where queue_id = q.id) d
        cross join lateral (select count(*) from queue.lease where queue_id = q.id) l
        cross join lateral (
            select count(*) from queue.outcome o
            where o.queue_id = q.id and o.state = 4 and not exists (
                select from queue.audit a
                where a.action = 'redrive' and a.job_id = o.id and a.attempt >= o.attempt)) x
        cross join lateral (select count(*) from queue.worker where service = q.owner_service) w
        where queue.caller() = q.owner_service or queue.is_operator()
        order by q.name;
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
            select case state when 2 then 'completed' when 3 then 'failed' when 4 then 'dead' else 'lost' end, attempt,
                at, error from queue.outcome where id = j.id
            union all select 'ready', attempt, null, null from queue.ready where id = j.id
                and queue_id = j.queue_id and priority = j.priority
            union all select 'deferred', attempt, run_at, null from queue.deferred where id = j.id
            union all select 'running', attempt, deadline, null from queue.lease where id = j.id
        ) p(place, attempt, at, error)
        where j.id = p_id
        order by p.attempt, p.at nulls last;
end $$;
