-- Who lives, and what happens to the jobs of the dead. The protocol is described in Membership.swift.

-- First key of the advisory locks that a worker's control session holds (second key: worker id).
create function queue.liveness_class() returns int language sql immutable return 1668048226;
-- First key of the transaction locks that let one process at a time do a chore of a service.
create function queue.chore_class() returns int language sql immutable return 1668048227;

-- A process joins, on the connection that stays open as long as it lives; or, sessionless, on whichever one it is given.
create function queue.register(
    p_service text, p_host text, p_pid int, p_is_sessionless boolean default false
) returns int
    language plpgsql as $$
declare
    v_worker int;
begin
    perform queue.require_service(p_service);
    insert into queue.worker (service, host, pid, is_sessionless)
    values (p_service, p_host, p_pid, p_is_sessionless) returning id into v_worker;
    if not p_is_sessionless then
        perform pg_advisory_lock(queue.liveness_class(), v_worker);
    end if;
    return v_worker;
end $$;

-- The process has lost its connection and comes back on a new one. False: it was declared dead meanwhile, its jobs
-- are with others, and it has to register anew. The lock may still be held by the old connection, if the server has
-- not noticed its end yet: then the heartbeat keeps the worker alive until queue.beat gets the lock.
create function queue.rejoin(p_worker int) returns boolean
    language plpgsql as $$
declare
    v_is_sessionless boolean;
begin
    update queue.worker set seen_at = clock_timestamp(), session_at = clock_timestamp()
    where id = p_worker returning is_sessionless into v_is_sessionless;
    if not found then
        return false;
    end if;
    perform queue.require_worker(p_worker);
    if not v_is_sessionless then
        perform pg_try_advisory_lock(queue.liveness_class(), p_worker);
    end if;
    return true;
end $$;

-- Once a second, one update for the whole process. False: declared dead.
create function queue.beat(p_worker int) returns boolean
    language plpgsql as $$
declare
    v_service text;
    v_is_sessionless boolean;
begin
    perform set_config('synchronous_commit', 'off', true);
    update queue.worker set seen_at = clock_timestamp()
    where id = p_worker returning service, is_sessionless into v_service, v_is_sessionless;
    if not found then
        return false;
    end if;
    perform queue.require_service(v_service);
    if not v_is_sessionless then
        perform queue.hold_liveness(p_worker);
    end if;
    return true;
end $$;

-- Takes the liveness lock if this session does not have it: another try would only count it up.
create function queue.hold_liveness(p_worker int) returns void
    language plpgsql as $$
begin
    perform from pg_locks
    where locktype = 'advisory' and classid = queue.liveness_class() and objid = p_worker and objsubid = 2
        and pid = pg_backend_pid() and granted;
    if not found then
        perform pg_try_advisory_lock(queue.liveness_class(), p_worker);
    end if;
end $$;

-- A process leaves in good order: what it had claimed and not finished goes back without counting the attempt.
create function queue.leave(p_worker int) returns smallint[]
    language plpgsql as $$
declare
    v_queues smallint[];
    v_is_sessionless boolean := (select is_sessionless from queue.worker where id = p_worker);
begin
    perform queue.require_worker(p_worker);
    v_queues := queue.give_back(
        p_worker,
        array(select id from queue.lease where worker_id = p_worker order by id),
        array(select attempt from queue.lease where worker_id = p_worker order by id));
    perform queue.forget(p_worker);
    if not v_is_sessionless then
        perform pg_advisory_unlock(queue.liveness_class(), p_worker);
    end if;
    return v_queues;
end $$;

-- Removes every trace of a process except its history.
create function queue.forget(p_worker int) returns void
    language plpgsql as $$
begin
    delete from queue.sleeper where worker_id = p_worker;
    delete from queue.hold where worker_id = p_worker;
    delete from queue.reply where instance = p_worker;
    delete from queue.volatile_reply where instance = p_worker;
    delete from queue.worker where id = p_worker;
end $$;

-- Workers of the service that are dead: not seen for 3 s, and their lock is free. The lock alone would kill on a lost
-- connection, the heartbeat alone on a stalled machine. A sessionless one has only the heartbeat, and so 15 s. Who was seen
-- at a moment that is still to come was seen before the server's clock was set back: then the lock tells, where there is one.
-- Each found one stays locked until the end of the transaction.
create function queue.dead_workers(p_service text) returns int[]
    language plpgsql as $$
declare
    v_worker int;
    v_dead int[] := '{}';
begin
    for v_worker in
        select id from queue.worker
        where service = p_service
            and (seen_at < clock_timestamp() - case when is_sessionless then interval '15 s' else interval '3 s' end
                or seen_at > clock_timestamp() + interval '3 s' and not is_sessionless)
        order by id
    loop
        if pg_try_advisory_xact_lock(queue.liveness_class(), v_worker) then
            v_dead := v_dead || v_worker;
        end if;
    end loop;
    return v_dead;
end $$;

-- One lost attempt: counted, and then ready again at once, unless the job has taken down too many workers, has no attempt
-- left, or was cancelled. A question without a caller is dropped.
create function queue.lose(p_lease queue.lease, p_killed boolean) returns void
    language plpgsql as $$
declare
    v_queue queue.queue;
    v_job queue.job;
    v_epoch smallint := queue.epoch(p_lease.id);
    v_losses int;
begin
    select * into v_job from queue.job where id = p_lease.id;
    if v_job.reply_class = 2 and v_job.deadline < clock_timestamp() then
        perform queue.bury(p_lease.worker_id, p_lease, '{"code": "deadline-exceeded"}', 5);
        return;
    end if;
    if exists (select from queue.cancellation where id = p_lease.id) then
        perform queue.bury(p_lease.worker_id, p_lease, '{"code": "cancelled"}', 5);
        return;
    end if;
    select * into v_queue from queue.queue where id = p_lease.queue_id;
    insert into queue.outcome (id, worker_id, attempt, queue_id, state, error)
    values (p_lease.id, p_lease.worker_id, p_lease.attempt, p_lease.queue_id, 6,
        jsonb_build_object('code', case when p_killed then 'worker-died' else 'lease-expired' end));
    perform queue.note(p_lease.queue_id, 6, 1);
    select count(*) into v_losses from queue.outcome
    where id = p_lease.id and state = 6 and attempt > v_epoch and error ->> 'code' = 'worker-died';
    if v_losses >= v_queue.losses_max then
        perform queue.bury(p_lease.worker_id, p_lease, '{"code": "killed_worker"}');
    elsif p_lease.attempt - v_epoch >= v_queue.attempts_max then
        perform queue.bury(p_lease.worker_id, p_lease, '{"code": "lease-expired"}');
    else
        perform queue.place(
            p_lease.queue_id, array[p_lease.id], array[v_job.priority], array[p_lease.attempt], array[p_lease.key],
            array[p_lease.aseq]);
    end if;
end $$;

-- Jobs of dead workers and of expired leases go elsewhere. One rescuer a service; a process that has just connected
-- waits, because after a restart of the server everybody's lock is free for a moment.
create function queue.rescue(p_worker int, p_limit int) returns smallint[]
    language plpgsql as $$
declare
    v_service text := queue.require_worker(p_worker);
    v_dead int[];
    v_id int;
    v_lease queue.lease;
    v_hold queue.hold;
    v_ready queue.ready;
    v_queues smallint[] := '{}';
    v_left int := p_limit;
begin
    if exists (
            select from queue.worker
            where id = p_worker
                and session_at between clock_timestamp() - interval '2 seconds' and clock_timestamp())
        or not pg_try_advisory_xact_lock(queue.chore_class(), hashtext('rescue ' || v_service))
    then
        return v_queues;
    end if;
    v_dead := queue.dead_workers(v_service);
    for v_lease in
        select l.* from queue.lease l join queue.queue q on q.id = l.queue_id
        where q.owner_service = v_service
            and (l.worker_id = any (v_dead) or l.deadline < clock_timestamp()
                or not exists (select from queue.worker w where w.id = l.worker_id)
                or exists (
                    select from queue.cancellation c
                    where c.id = l.id and c.at < clock_timestamp() - queue.cancel_patience()))
        order by l.queue_id, l.key, l.id limit p_limit  -- gates are locked in this order
        for update of l skip locked
    loop
        delete from queue.lease where id = v_lease.id;
        perform queue.lose(v_lease, v_lease.deadline >= clock_timestamp());
        v_queues := v_queues || v_lease.queue_id;
        v_left := v_left - 1;
    end loop;
    if v_left < p_limit then
        -- The next round goes on before the dead are forgotten: gates must be locked in one order in a transaction.
        return array(select distinct unnest(v_queues));
    end if;
    for v_hold in delete from queue.hold where worker_id = any (v_dead) returning * loop
        for v_ready in
            select * from queue.pull_ready(v_hold.queue_id, v_hold.ids, coalesce(v_hold.ranks, v_hold.ids)) order by key
        loop
            v_lease := row (v_ready.id, clock_timestamp(), v_ready.aseq, v_hold.worker_id, v_ready.queue_id,
                v_ready.priority, 1, v_ready.key, false);
            perform queue.lose(v_lease, true);
            v_queues := v_queues || v_ready.queue_id;
        end loop;
    end loop;
    foreach v_id in array v_dead loop
        perform queue.forget(v_id);
    end loop;
    return array(select distinct unnest(v_queues));
end $$;

-- How long a handler may go on after its job was cancelled, before the job is taken away from it.
create function queue.cancel_patience() returns interval language sql immutable return interval '5 seconds';

-- Jobs whose time has come, of the service's own queues. p_floor: where the search may begin, see queue.tend.
create function queue.promote(
    p_service text, p_limit int, p_floor timestamptz default null
) returns smallint[]
    language plpgsql as $$
declare
    v record;
    v_floor timestamptz := coalesce(p_floor, '-infinity');
    v_now timestamptz := clock_timestamp();  -- by itself it would end no search of an index
    v_queues smallint[] := '{}';
begin
    for v in
        with due as (
            delete from queue.deferred where id = any (array(
                select d.id
                from queue.queue q cross join lateral (
                    select f.id, f.run_at from queue.deferred f
                    where f.queue_id = q.id and f.run_at > v_floor and f.run_at <= v_now
                    order by f.run_at limit p_limit
                    for update skip locked) d
                where q.owner_service = p_service
                limit p_limit))
            returning *
        )
        select queue_id, count(*)::int as n, array_agg(id order by run_at, id) as ids,
            array_agg(priority order by run_at, id) as priorities, array_agg(attempt order by run_at, id) as attempts,
            array_agg(key order by run_at, id) as keys, array_agg(aseq order by run_at, id) as aseqs
        from due group by queue_id
    loop
        perform queue.place(v.queue_id, v.ids, v.priorities, v.attempts, v.keys, v.aseqs);
        perform queue.note(v.queue_id, 7, -v.n);
        v_queues := v_queues || v.queue_id;
    end loop;
    return v_queues;
end $$;

-- The chores of a service, once a second by each of its processes: promote what is due, rescue what is lost. Periodic
-- jobs have a statement of their own (queue.fire_periodic), so that nothing that is wrong with one stops a rescue.
-- Answers the queues that got something to run, and when the next delayed job is due. It is a sign of life as well.
--
-- What was promoted stays in the index as dead entries until vacuum or compaction, which an old snapshot or many waiting
-- jobs prevent. So it answers a floor, too: nothing that it has seen is due before that, and the next search may begin
-- there. A job that was committed more than five seconds after it was due may stand before the floor; it is found by a
-- search from the beginning (p_floor null), which somebody has to make now and then.
create function queue.tend(
    p_worker int, p_limit int, p_floor timestamptz default null
) returns table (queues smallint[], next_due_ms bigint, floor timestamptz)
    language plpgsql as $$
declare
    v_service text := queue.require_worker(p_worker);
    v_begun timestamptz := clock_timestamp();
    v_floor timestamptz := coalesce(p_floor, '-infinity');
    v_next timestamptz;
begin
    perform set_config('synchronous_commit', 'off', true);
    update queue.worker set seen_at = v_begun where id = p_worker;
    queues := queue.promote(v_service, p_limit, p_floor) || queue.rescue(p_worker, p_limit);
    select min(d.run_at) into v_next
    from queue.queue q cross join lateral (
        select f.run_at from queue.deferred f
        where f.queue_id = q.id and f.run_at > v_floor
        order by f.run_at limit 1) d
    where q.owner_service = v_service;
    next_due_ms := ceil(extract(epoch from v_next - clock_timestamp()) * 1000);
    floor := least(v_begun - interval '5 seconds', v_next - interval '1 microsecond');
    return next;
end $$;
