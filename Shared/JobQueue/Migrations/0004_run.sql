-- 0004: running. Two ways to take jobs:
--
--   claim  moves jobs from ready to lease in a short transaction of its own, without waiting for the disk: a claim
--          lost in a crash only makes the job visible again. For handlers that run one job at a time.
--   take   deletes jobs from ready inside the handler's own transaction: a crash gives them back at once, and no
--          lease is written. For batches; only first attempts, so that a job that failed its batch, or killed its
--          worker, runs alone from then on and cannot drag others along.
--
-- Completion belongs to the handler's transaction. It deletes the lease by (id, attempt, worker): when the row is
-- not there any more the job was given to somebody else, and QL001 rolls the whole transaction back. This is the fence.

-- One pair of functions for each leaf of the ring, because a statement that names its leaf locks and plans one table:
-- claiming through the partitioned parent measured half the throughput. Rows are locked, then deleted by their
-- address, which cannot change while they are locked. The planner cannot flatten the array into the delete,
-- so the limit holds under concurrency.
do $outer$
begin
    for slot in 0..7 loop
        execute format($text$
create function queue.claim_%1$s(
    p_worker int, p_queue smallint, p_limit int, p_lease interval, p_attempt_min smallint
) returns table (
    id bigint, attempt smallint, queue_id smallint, kind text, version smallint, args jsonb, headers jsonb,
    cause_id bigint, reply_to int, reply_class smallint, deadline timestamptz
)
    language plpgsql as $$
#variable_conflict use_column
begin
    return query
        with gone as (
            delete from queue.ready_%1$s
            where ctid = any (array(
                select r.ctid from queue.ready_%1$s r
                where r.queue_id = p_queue and r.attempt >= p_attempt_min
                order by r.priority, r.id
                limit p_limit
                for update skip locked))
            returning id, attempt, priority, key, aseq
        ), alive as (
            select g.id, g.attempt, g.priority, g.key, g.aseq, j.kind, j.version, j.args, j.headers, j.cause_id,
                j.reply_to, j.reply_class, j.deadline
            from gone g join queue.job j on j.id = g.id
            where j.reply_class is distinct from 2 or j.deadline > clock_timestamp()
        ), leased as (
            insert into queue.lease (id, attempt, worker_id, queue_id, priority, key, aseq, deadline)
            select id, (attempt + 1)::smallint, p_worker, p_queue, priority, key, aseq, clock_timestamp() + p_lease
            from alive
        )
        select id, (attempt + 1)::smallint, p_queue, kind, version, args, headers, cause_id, reply_to, reply_class,
            deadline
        from alive order by priority, id;
end $$;

create function queue.take_%1$s(p_queue smallint, p_limit int) returns table (
    id bigint, kind text, version smallint, args jsonb, headers jsonb, cause_id bigint
)
    language plpgsql as $$
#variable_conflict use_column
begin
    return query
        with gone as (
            delete from queue.ready_%1$s
            where ctid = any (array(
                select r.ctid from queue.ready_%1$s r
                where r.queue_id = p_queue and r.attempt = 0
                order by r.priority, r.id
                limit p_limit
                for update skip locked))
            returning id, priority
        )
        select g.id, j.kind, j.version, j.args, j.headers, j.cause_id
        from gone g join queue.job j on j.id = g.id
        order by g.priority, g.id;
end $$;
$text$, slot);
    end loop;
end $outer$;

-- Claims for all queues of a worker in one statement, each up to its limit, oldest slot of the ring first.
-- Of a batched queue only repeated attempts are claimed; a row without an id says that there is something to take.
create function queue.claim(p_worker int, p_queues smallint[], p_limits int[], p_batched boolean[]) returns table (
    id bigint, attempt smallint, queue_id smallint, kind text, version smallint, args jsonb, headers jsonb,
    cause_id bigint, reply_to int, reply_class smallint, deadline timestamptz
)
    language plpgsql as $$
#variable_conflict use_column
declare
    v_service text := queue.require_worker(p_worker);
    v record;
    v_slot smallint;
    v_left int;
    v_count int;
    v_min smallint;
begin
    perform set_config('synchronous_commit', 'off', true);
    for v in
        select q.id, l.free, l.batched, q.lease_ms * interval '1 millisecond' as lease
        from unnest(p_queues, p_limits, p_batched) l(id, free, batched) join queue.queue q on q.id = l.id
        where q.paused_at is null and q.owner_service = v_service
    loop
        v_left := v.free;
        v_min := case when v.batched then 1 else 0 end;
        for v_slot in select slot from queue.ring order by generation loop
            exit when v_left <= 0;
            case v_slot
            when 0 then return query select * from queue.claim_0(p_worker, v.id, v_left, v.lease, v_min);
            when 1 then return query select * from queue.claim_1(p_worker, v.id, v_left, v.lease, v_min);
            when 2 then return query select * from queue.claim_2(p_worker, v.id, v_left, v.lease, v_min);
            when 3 then return query select * from queue.claim_3(p_worker, v.id, v_left, v.lease, v_min);
            when 4 then return query select * from queue.claim_4(p_worker, v.id, v_left, v.lease, v_min);
            when 5 then return query select * from queue.claim_5(p_worker, v.id, v_left, v.lease, v_min);
            when 6 then return query select * from queue.claim_6(p_worker, v.id, v_left, v.lease, v_min);
            when 7 then return query select * from queue.claim_7(p_worker, v.id, v_left, v.lease, v_min);
            end case;
            get diagnostics v_count = row_count;
            v_left := v_left - v_count;
        end loop;
        if v.batched and exists (select from queue.ready r where r.queue_id = v.id and r.attempt = 0) then
            queue_id := v.id;
            return next;
            queue_id := null;
        end if;
    end loop;
end $$;

-- A batch for the transaction that is open. The rows come back by themselves if it does not commit.
create function queue.take(p_worker int, p_queue smallint, p_limit int) returns table (
    id bigint, kind text, version smallint, args jsonb, headers jsonb, cause_id bigint
)
    language plpgsql as $$
#variable_conflict use_column
declare
    v_service text := queue.require_worker(p_worker);
    v_slot smallint;
    v_left int := p_limit;
    v_count int;
begin
    perform from queue.queue q where q.id = p_queue and q.paused_at is null and q.owner_service = v_service;
    if not found then
        return;
    end if;
    for v_slot in select slot from queue.ring order by generation loop
        exit when v_left <= 0;
        case v_slot
        when 0 then return query select * from queue.take_0(p_queue, v_left);
        when 1 then return query select * from queue.take_1(p_queue, v_left);
        when 2 then return query select * from queue.take_2(p_queue, v_left);
        when 3 then return query select * from queue.take_3(p_queue, v_left);
        when 4 then return query select * from queue.take_4(p_queue, v_left);
        when 5 then return query select * from queue.take_5(p_queue, v_left);
        when 6 then return query select * from queue.take_6(p_queue, v_left);
        when 7 then return query select * from queue.take_7(p_queue, v_left);
        end case;
        get diagnostics v_count = row_count;
        v_left := v_left - v_count;
    end loop;
end $$;

-- Says outside of the batch's transaction what it holds, so that a worker's death can be counted against its jobs.
create function queue.announce(p_worker int, p_runner smallint, p_queue smallint, p_ids bigint[]) returns void
    language plpgsql as $$
begin
    perform queue.require_worker(p_worker);
    perform set_config('synchronous_commit', 'off', true);
    insert into queue.hold (worker_id, runner, queue_id, ids) values (p_worker, p_runner, p_queue, p_ids)
    on conflict (worker_id, runner) do update set queue_id = excluded.queue_id, ids = excluded.ids;
end $$;

-- The last statement of a batch's transaction.
create function queue.finish(p_worker int, p_queue smallint, p_ids bigint[]) returns void
    language plpgsql as $$
begin
    perform queue.require_worker(p_worker);
    insert into queue.outcome (id, worker_id, attempt, queue_id, state)
    select id, p_worker, 1, p_queue, 2 from unnest(p_ids) id;
end $$;

-- Jobs of a taken batch that this process does not know how to run: they wait, they do not fail.
create function queue.set_aside(p_worker int, p_queue smallint, p_ids bigint[], p_delay_ms bigint) returns void
    language plpgsql as $$
begin
    perform queue.require_worker(p_worker);
    insert into queue.deferred (run_at, id, queue_id, priority, attempt, key)
    select clock_timestamp() + p_delay_ms * interval '1 millisecond', j.id, p_queue, j.priority, 0, j.key
    from queue.job j where j.id = any (p_ids) and j.queue_id = p_queue;
end $$;

-- After a batch rolled back: leases its jobs one by one, except those that somebody else took meanwhile.
create function queue.isolate(p_worker int, p_queue smallint, p_ids bigint[]) returns bigint[]
    language plpgsql as $$
declare
    v_service text := queue.require_worker(p_worker);
    v_ids bigint[];
begin
    perform set_config('synchronous_commit', 'off', true);
    with picked as materialized (
        select r.slot, r.queue_id, r.priority, r.id, q.lease_ms * interval '1 millisecond' as lease
        from queue.queue q
        join queue.job j on j.queue_id = q.id and j.id = any (p_ids)
        join queue.ready r on r.queue_id = q.id and r.priority = j.priority and r.id = j.id
        where q.id = p_queue and q.owner_service = v_service and q.paused_at is null and r.attempt = 0
        for update of r skip locked
    ), gone as (
        delete from queue.ready r using picked p
        where r.slot = p.slot and r.queue_id = p.queue_id and r.priority = p.priority and r.id = p.id
        returning r.id, r.queue_id, r.priority, r.attempt, r.key, r.aseq, p.lease
    ), leased as (
        insert into queue.lease (id, attempt, worker_id, queue_id, priority, key, aseq, deadline)
        select id, attempt + 1, p_worker, queue_id, priority, key, aseq, clock_timestamp() + lease from gone
        returning id
    )
    select coalesce(array_agg(id order by id), '{}') into v_ids from leased;
    return v_ids;
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
create function queue.complete(p_worker int, p_id bigint, p_attempt smallint) returns void
    language plpgsql as $$
declare
    v_queue smallint;
begin
    delete from queue.lease l using queue.worker w
    where l.id = p_id and l.attempt = p_attempt and l.worker_id = p_worker
        and w.id = p_worker and session_user = 'club_' || w.service
    returning l.queue_id into v_queue;
    if not found then
        v_queue := (queue.take_lease(p_worker, p_id, p_attempt)).queue_id;
    end if;
    insert into queue.outcome (id, worker_id, attempt, queue_id, state) values (p_id, p_worker, p_attempt, v_queue, 2);
end $$;

-- Completion with an answer for the caller, in the same transaction.
create function queue.answer(p_worker int, p_id bigint, p_attempt smallint, p_body jsonb) returns void
    language plpgsql as $$
declare
    v_lease queue.lease := queue.take_lease(p_worker, p_id, p_attempt);
    v_reply_to int;
    v_class smallint;
begin
    select reply_to, reply_class into v_reply_to, v_class from queue.job where id = p_id;
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

-- The end of a job without success: an outcome, and the word to the caller who waits for an answer.
create function queue.bury(p_worker int, p_lease queue.lease, p_error jsonb) returns void
    language plpgsql as $$
declare
    v_reply_to int;
    v_class smallint;
begin
    select reply_to, reply_class into v_reply_to, v_class from queue.job where id = p_lease.id;
    if v_class = 2 then
        insert into queue.volatile_reply (id, instance, status, body) values (p_lease.id, v_reply_to, 2, p_error)
        on conflict do nothing;
        return;
    end if;
    insert into queue.outcome (id, worker_id, attempt, queue_id, state, error)
    values (p_lease.id, p_worker, p_lease.attempt, p_lease.queue_id, 4, p_error);
    if v_reply_to is not null then
        insert into queue.reply (id, instance, status, body) values (p_lease.id, v_reply_to, 2, p_error)
        on conflict do nothing;
    end if;
end $$;

-- An attempt failed. Answers the state that follows (3: runs again after a delay, 4: dead) and the delay.
-- A volatile question is not asked twice: who asked hears of the failure at once.
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
    values (clock_timestamp() + delay_ms * interval '1 millisecond', p_id, v_lease.queue_id, v_lease.priority,
        p_attempt, v_lease.key, v_lease.aseq);
    state := 3;
    return next;
end $$;

-- Later, without counting the attempt: this process does not know the kind yet.
create function queue.postpone(p_worker int, p_id bigint, p_attempt smallint, p_delay_ms bigint) returns void
    language plpgsql as $$
declare
    v_lease queue.lease := queue.take_lease(p_worker, p_id, p_attempt);
begin
    insert into queue.deferred (run_at, id, queue_id, priority, attempt, key, aseq)
    values (clock_timestamp() + p_delay_ms * interval '1 millisecond', p_id, v_lease.queue_id, v_lease.priority,
        p_attempt - 1, v_lease.key, v_lease.aseq);
end $$;

-- Claimed, but not run: back in its place for anybody, without counting the attempt.
-- Leases that are gone already are passed over. Answers the queues that got something back.
create function queue.give_back(p_worker int, p_ids bigint[], p_attempts smallint[]) returns smallint[]
    language plpgsql as $$
declare
    v_queues smallint[];
begin
    perform queue.require_worker(p_worker);
    with gone as (
        delete from queue.lease l using unnest(p_ids, p_attempts) g(id, attempt)
        where l.id = g.id and l.attempt = g.attempt and l.worker_id = p_worker
        returning l.*
    ), back as (
        insert into queue.ready (slot, queue_id, priority, id, attempt, key, aseq)
        select queue.current_slot(), queue_id, priority, id, attempt - 1, key, aseq from gone
    )
    select array_agg(distinct queue_id) into v_queues from gone;
    return coalesce(v_queues, '{}');
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
