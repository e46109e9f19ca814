-- How an attempt ends. Everything that ends a job does three things in one transaction: it takes the job's claim away
-- (the fence), writes an outcome, and hands the place of its key on.

-- The last statement of a batch's transaction. p_aseqs: the places that its jobs held of their keys, as queue.take gave
-- them; null when none did.
create function queue.finish(p_worker int, p_queue smallint, p_ids bigint[], p_aseqs bigint[] default null) returns void
    language plpgsql as $$
begin
    perform queue.require_worker(p_worker);
    if cardinality(p_ids) = 0 then
        return;
    end if;
    insert into queue.outcome (id, worker_id, attempt, queue_id, state)
    select id, p_worker, 1, p_queue, 2 from unnest(p_ids) id;
    perform queue.note(p_queue, 2, cardinality(p_ids));
    perform queue.release_taken(p_queue, p_ids, p_aseqs);
end $$;

create function queue.release_taken(p_queue smallint, p_ids bigint[], p_aseqs bigint[]) returns void
    language plpgsql as $$
declare
    v_keys text[];
    v_aseqs bigint[];
begin
    if p_aseqs is null then
        return;
    end if;
    select array_agg(j.key order by j.key), array_agg(t.aseq order by j.key) into v_keys, v_aseqs
    from unnest(p_ids, p_aseqs) t(id, aseq) join queue.job j on j.id = t.id
    where t.aseq is not null;
    if v_keys is not null then
        perform queue.release(p_queue, v_keys, v_aseqs);
    end if;
end $$;

-- Jobs of a taken batch that this process does not know how to run: they wait, they do not fail.
create function queue.set_aside(
    p_worker int, p_queue smallint, p_ids bigint[], p_delay_ms bigint, p_aseqs bigint[] default null
) returns void
    language plpgsql as $$
begin
    perform queue.require_worker(p_worker);
    insert into queue.deferred (run_at, id, queue_id, priority, attempt, key, aseq)
    select clock_timestamp() + p_delay_ms * interval '1 millisecond', j.id, p_queue, j.priority, 0, j.key, t.aseq
    from unnest(p_ids, p_aseqs) t(id, aseq) join queue.job j on j.id = t.id
    where j.queue_id = p_queue;
    perform queue.note(p_queue, 7, cardinality(p_ids));
end $$;

-- Jobs of a taken batch whose deadline has passed.
create function queue.expire_taken(
    p_worker int, p_queue smallint, p_ids bigint[], p_aseqs bigint[] default null
) returns void
    language plpgsql as $$
begin
    perform queue.require_worker(p_worker);
    insert into queue.outcome (id, worker_id, attempt, queue_id, state, error)
    select id, p_worker, 1, p_queue, 5, '{"code": "deadline-exceeded"}' from unnest(p_ids) id;
    perform queue.note(p_queue, 5, cardinality(p_ids));
    perform queue.release_taken(p_queue, p_ids, p_aseqs);
end $$;

-- After a batch rolled back: leases its jobs one by one, except those that somebody else took meanwhile.
create function queue.isolate(
    p_worker int, p_queue smallint, p_ids bigint[], p_ranks bigint[] default null
) returns bigint[]
    language plpgsql as $$
declare
    v_service text := queue.require_worker(p_worker);
    v_lease interval;
    v_ids bigint[];
begin
    perform set_config('synchronous_commit', 'off', true);
    select lease_ms * interval '1 millisecond' into v_lease
    from queue.queue where id = p_queue and owner_service = v_service and paused_at is null;
    if not found then
        return '{}';
    end if;
    with gone as (
        select * from queue.pull_ready(p_queue, p_ids, coalesce(p_ranks, p_ids)) where attempt = 0
    ), leased as (
        insert into queue.lease (id, attempt, worker_id, queue_id, priority, key, aseq, deadline)
        select id, attempt + 1, p_worker, queue_id, priority, key, aseq, clock_timestamp() + v_lease from gone
        returning id
    )
    select coalesce(array_agg(id order by id), '{}') into v_ids from leased;
    return v_ids;
end $$;

-- The ready rows of these jobs, taken out; jobs that somebody works on are passed over. Only rows of first attempts are
-- looked for: whatever was repeated is not the attempt that a batch held. And only in the slots of the ring, of which there
-- are few: only from there it can have been taken, and no slot leaves the ring with a row in it. Each is looked up by
-- itself; joined without the limit, all that is ready in the queue would be read.
create function queue.pull_ready(p_queue smallint, p_ids bigint[], p_ranks bigint[]) returns setof queue.ready
    language plpgsql as $$
declare
    v_slot smallint;
begin
    for v_slot in select slot from queue.ring order by generation loop
        return query
            with picked as materialized (
                select r.*
                from unnest(p_ids, p_ranks) t(id, rank)
                cross join unnest('{0, 1, 2, 3, 4}'::smallint[]) u(priority)
                cross join lateral (
                    select f.slot, f.queue_id, f.priority, f.rank, f.id from queue.ready f
                    where f.slot = v_slot and f.queue_id = p_queue and f.priority = u.priority and f.rank = t.rank
                        and f.id = t.id and f.attempt = 0
                    limit 1
                    for update skip locked) r
            )
            delete from queue.ready r using picked p
            where r.slot = p.slot and r.queue_id = p.queue_id and r.priority = p.priority and r.rank = p.rank
                and r.id = p.id
            returning r.*;
    end loop;
end $$;

-- The fence. Internal: takes the lease away or raises, so that the transaction around it is rolled back.
create function queue.take_lease(p_worker int, p_id bigint, p_attempt smallint) returns queue.lease
    language plpgsql as $$
declare
    v_lease queue.lease;
begin
    perform queue.require_worker(p_worker);
    delete from queue.lease where id = p_id and attempt = p_attempt and worker_id = p_worker returning * into v_lease;
    if not found then
        raise exception 'attempt % of job % does not belong to worker % any more', p_attempt, p_id, p_worker
            using errcode = 'QL001';
    end if;
    return v_lease;
end $$;

-- The last statement of a handler's transaction. The fence and the question of rights are one statement where they
-- pass, which is nearly always; otherwise take_lease says what is wrong, or lets an operator through.
create function queue.complete(p_worker int, p_id bigint, p_attempt smallint, p_result jsonb default null) returns void
    language plpgsql as $$
declare
    v_lease queue.lease;
    v_slot smallint;
begin
    delete from queue.lease l using queue.worker w
    where l.id = p_id and l.attempt = p_attempt and l.worker_id = p_worker
        and w.id = p_worker and session_user = 'club_' || w.service
    returning l.* into v_lease;
    if not found then
        v_lease := queue.take_lease(p_worker, p_id, p_attempt);
    end if;
    insert into queue.outcome (id, worker_id, attempt, queue_id, state, result)
    values (p_id, p_worker, p_attempt, v_lease.queue_id, 2, p_result);
    select slot into v_slot from queue.ring order by generation desc limit 1;
    insert into queue.delta (slot, queue_id, counter, n) values (v_slot, v_lease.queue_id, 2, 1);
    if v_lease.aseq is not null then
        perform queue.release(v_lease.queue_id, array[v_lease.key], array[v_lease.aseq]);
    end if;
end $$;

-- Completion of many jobs in one statement, for handlers whose deeds are done elsewhere and may be done twice. Answers
-- the jobs that were still ours; the others were given to somebody else.
create function queue.complete_many(p_worker int, p_ids bigint[], p_attempts smallint[]) returns bigint[]
    language plpgsql as $$
declare
    v record;
    v_ids bigint[] := '{}';
begin
    perform queue.require_worker(p_worker);
    for v in
        with gone as (
            delete from queue.lease l using unnest(p_ids, p_attempts) g(id, attempt)
            where l.id = g.id and l.attempt = g.attempt and l.worker_id = p_worker
            returning l.*
        ), ended as (
            insert into queue.outcome (id, worker_id, attempt, queue_id, state)
            select id, p_worker, attempt, queue_id, 2 from gone
        )
        select queue_id, array_agg(id) as ids, count(*)::int as n,
            array_agg(key order by key) filter (where aseq is not null) as keys,
            array_agg(aseq order by key) filter (where aseq is not null) as aseqs
        from gone group by queue_id order by queue_id
    loop
        v_ids := v_ids || v.ids;
        perform queue.note(v.queue_id, 2, v.n);
        if v.keys is not null then
            perform queue.release(v.queue_id, v.keys, v.aseqs);
        end if;
    end loop;
    return v_ids;
end $$;

-- Completion with an answer for the caller, in the same transaction.
create function queue.answer(p_worker int, p_id bigint, p_attempt smallint, p_body jsonb) returns void
    language plpgsql as $$
declare
    v_lease queue.lease;
    v_reply_to int;
    v_class smallint;
    v_slot smallint;
begin
    delete from queue.lease l using queue.worker w
    where l.id = p_id and l.attempt = p_attempt and l.worker_id = p_worker
        and w.id = p_worker and session_user = 'club_' || w.service
    returning l.* into v_lease;
    if not found then
        v_lease := queue.take_lease(p_worker, p_id, p_attempt);
    end if;
    select reply_to, reply_class, (select slot from queue.ring order by generation desc limit 1)
    into v_reply_to, v_class, v_slot
    from queue.job where id = p_id;
    if v_class = 2 then
        perform set_config('synchronous_commit', 'off', true);
        insert into queue.volatile_reply (id, instance, status, body) values (p_id, v_reply_to, 1, p_body);
    else
        insert into queue.outcome (id, worker_id, attempt, queue_id, state)
        values (p_id, p_worker, p_attempt, v_lease.queue_id, 2);
        if v_reply_to is not null then
            insert into queue.reply (id, instance, status, body) values (p_id, v_reply_to, 1, p_body);
        end if;
    end if;
    insert into queue.delta (slot, queue_id, counter, n) values (v_slot, v_lease.queue_id, 2, 1);
    if v_lease.aseq is not null then
        perform queue.release(v_lease.queue_id, array[v_lease.key], array[v_lease.aseq]);
    end if;
end $$;

-- The attempt after which the present epoch of a job began: the last redrive, or the beginning.
create function queue.epoch(p_id bigint) returns smallint
    language plpgsql stable as $$
begin
    return coalesce((select max(attempt) from queue.audit where job_id = p_id and action = 'redrive'), 0);
end $$;

-- base · factor^(attempt - 1), capped, spread by ± jitter; p_random is in 0 ..< 1.
create function queue.backoff_ms(p_queue smallint, p_attempt int, p_random double precision) returns bigint
    language plpgsql stable as $$
begin
    return (
        select least(
                backoff_cap_ms, backoff_base_ms * power(backoff_factor::double precision, least(p_attempt - 1, 60)))
            * (1 + (p_random * 2 - 1) * backoff_jitter)
        from queue.queue where id = p_queue);
end $$;

-- The end of a job without success (4 dead, 5 cancelled): an outcome, the word to the caller who waits for an answer, and
-- the place of the key: handed on, or kept for a person where the queue wants its keys to stop at a dead job.
create function queue.bury(p_worker int, p_lease queue.lease, p_error jsonb, p_state int default 4) returns void
    language plpgsql as $$
declare
    v_reply_to int;
    v_class smallint;
begin
    select reply_to, reply_class into v_reply_to, v_class from queue.job where id = p_lease.id;
    if v_class = 2 then
        insert into queue.volatile_reply (id, instance, status, body) values (p_lease.id, v_reply_to, 2, p_error)
        on conflict do nothing;
    else
        insert into queue.outcome (id, worker_id, attempt, queue_id, state, error)
        values (p_lease.id, p_worker, p_lease.attempt, p_lease.queue_id, p_state, p_error);
        if v_reply_to is not null then
            insert into queue.reply (id, instance, status, body) values (p_lease.id, v_reply_to, 2, p_error)
            on conflict do nothing;
        end if;
    end if;
    delete from queue.cancellation where id = p_lease.id;
    -- A question is no dead letter: it is gone with its caller.
    perform queue.note(p_lease.queue_id, case when v_class = 2 then 5 else p_state end, 1);
    if p_lease.aseq is null then
        return;
    end if;
    if p_state = 4 and v_class is distinct from 2
        and (select on_dead from queue.queue where id = p_lease.queue_id) = 'block'
    then
        insert into queue.halted (aseq, id, queue_id, key)
        values (p_lease.aseq, p_lease.id, p_lease.queue_id, p_lease.key);
    else
        perform queue.release(p_lease.queue_id, array[p_lease.key], array[p_lease.aseq]);
    end if;
end $$;

-- An attempt failed. Answers the state that follows (3: runs again after a delay, 4: dead, 5: cancelled meanwhile) and
-- the delay. A volatile question is not asked twice: who asked hears of the failure at once.
create function queue.fail(
    p_worker int, p_id bigint, p_attempt smallint, p_error jsonb, p_permanent boolean default false,
    p_retry_after_ms bigint default null
) returns table (state smallint, delay_ms bigint)
    language plpgsql as $$
declare
    v_lease queue.lease := queue.take_lease(p_worker, p_id, p_attempt);
    v_attempt smallint := p_attempt - queue.epoch(p_id);
    v_volatile boolean := exists (select from queue.job j where j.id = p_id and j.reply_class = 2);
begin
    if exists (select from queue.cancellation c where c.id = p_id) then
        perform queue.bury(p_worker, v_lease, '{"code": "cancelled"}', 5);
        return query select 5::smallint, null::bigint;
        return;
    end if;
    if p_permanent or v_volatile
        or v_attempt >= (select attempts_max from queue.queue q where q.id = v_lease.queue_id)
    then
        perform queue.bury(p_worker, v_lease, p_error);
        return query select 4::smallint, null::bigint;
        return;
    end if;
    insert into queue.outcome (id, worker_id, attempt, queue_id, state, error)
    values (p_id, p_worker, p_attempt, v_lease.queue_id, 3, p_error);
    delay_ms := coalesce(p_retry_after_ms, queue.backoff_ms(v_lease.queue_id, v_attempt, random()));
    insert into queue.deferred (run_at, id, queue_id, priority, attempt, key, aseq)
    values (clock_timestamp() + delay_ms * interval '1 millisecond', p_id, v_lease.queue_id,
        (select priority from queue.job where id = p_id), p_attempt, v_lease.key, v_lease.aseq);
    perform queue.note(v_lease.queue_id, 3, 1);
    perform queue.note(v_lease.queue_id, 7, 1);
    state := 3;
    return next;
end $$;

-- The deadline of a claimed job has passed before it began.
create function queue.expire(p_worker int, p_id bigint, p_attempt smallint) returns void
    language plpgsql as $$
begin
    perform queue.bury(
        p_worker, queue.take_lease(p_worker, p_id, p_attempt), '{"code": "deadline-exceeded"}', 5);
end $$;

-- Later, without counting the attempt, and keeping the place of its key: the handler has put it off, or this process
-- does not know the kind yet.
create function queue.postpone(p_worker int, p_id bigint, p_attempt smallint, p_delay_ms bigint) returns void
    language plpgsql as $$
declare
    v_lease queue.lease := queue.take_lease(p_worker, p_id, p_attempt);
begin
    if exists (select from queue.cancellation c where c.id = p_id) then
        perform queue.bury(p_worker, v_lease, '{"code": "cancelled"}', 5);
        return;
    end if;
    insert into queue.deferred (run_at, id, queue_id, priority, attempt, key, aseq)
    values (clock_timestamp() + p_delay_ms * interval '1 millisecond', p_id, v_lease.queue_id,
        (select priority from queue.job where id = p_id), p_attempt - 1, v_lease.key, v_lease.aseq);
    perform queue.note(v_lease.queue_id, 7, 1);
end $$;

-- Claimed, but not run: back in its place for anybody, without counting the attempt.
-- Leases that are gone already are passed over. Answers the queues that got something back.
create function queue.give_back(p_worker int, p_ids bigint[], p_attempts smallint[]) returns smallint[]
    language plpgsql as $$
declare
    v_lease queue.lease;
    v_queues smallint[] := '{}';
    v record;
begin
    perform queue.require_worker(p_worker);
    -- What was cancelled while it ran ends here.
    for v_lease in
        delete from queue.lease l using unnest(p_ids, p_attempts) g(id, attempt)
        where l.id = g.id and l.attempt = g.attempt and l.worker_id = p_worker
            and exists (select from queue.cancellation c where c.id = l.id)
        returning l.*
    loop
        perform queue.bury(p_worker, v_lease, '{"code": "cancelled"}', 5);
    end loop;
    for v in
        with gone as (
            delete from queue.lease l using unnest(p_ids, p_attempts) g(id, attempt)
            where l.id = g.id and l.attempt = g.attempt and l.worker_id = p_worker
            returning l.*
        )
        select g.queue_id, array_agg(g.id order by g.id) as ids, array_agg(j.priority order by g.id) as priorities,
            array_agg((g.attempt - 1)::smallint order by g.id) as attempts, array_agg(g.key order by g.id) as keys,
            array_agg(g.aseq order by g.id) as aseqs
        from gone g join queue.job j on j.id = g.id group by g.queue_id
    loop
        perform queue.place(v.queue_id, v.ids, v.priorities, v.attempts, v.keys, v.aseqs);
        v_queues := v_queues || v.queue_id;
    end loop;
    return v_queues;
end $$;

-- After a claim whose answer was lost on the way: what this worker has leased without knowing goes back.
create function queue.disown(p_worker int, p_known bigint[]) returns smallint[]
    language plpgsql as $$
begin
    perform queue.require_worker(p_worker);
    return queue.give_back(
        p_worker,
        array(select id from queue.lease where worker_id = p_worker and id <> all (p_known) order by id),
        array(select attempt from queue.lease where worker_id = p_worker and id <> all (p_known) order by id));
end $$;

-- How far a long job is. Once a second is enough; the process sees to it.
create function queue.report(
    p_worker int, p_id bigint, p_attempt smallint, p_done bigint, p_total bigint, p_note text
) returns void
    language plpgsql as $$
begin
    perform queue.require_worker(p_worker);
    perform set_config('synchronous_commit', 'off', true);
    perform from queue.lease where id = p_id and attempt = p_attempt and worker_id = p_worker;
    if found then
        insert into queue.progress (id, done, total, note) values (p_id, p_done, p_total, p_note)
        on conflict (id) do update set
            at = clock_timestamp(), done = excluded.done, total = excluded.total, note = excluded.note;
    end if;
end $$;

-- More time for a leased job that is still at work. False: it belongs to somebody else by now.
create function queue.extend(p_worker int, p_id bigint, p_attempt smallint, p_by_ms bigint) returns boolean
    language plpgsql as $$
begin
    perform queue.require_worker(p_worker);
    update queue.lease set deadline = greatest(deadline, clock_timestamp() + p_by_ms * interval '1 millisecond')
    where id = p_id and attempt = p_attempt and worker_id = p_worker;
    return found;
end $$;
