-- Running. Two ways to take jobs:
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
-- address, which cannot change while they are locked.
--
-- The ids say on which days the jobs were sent: a statement that names the first and the last of them opens the
-- partitions of those days, and not all that there are.
--
-- p_floor is where the search may begin: what a worker has taken away stays in the index as dead entries until vacuum
-- or truncation, and under an old snapshot it would walk over all of them each time.
do $outer$
begin
    for slot in 0..7 loop
        execute format($text$
create function queue.claim_%1$s(
    p_worker int, p_queue smallint, p_limit int, p_lease interval, p_attempt_min smallint, p_is_counted boolean,
    p_is_keyed boolean, p_floor_priority smallint, p_floor bigint
) returns table (
    id bigint, attempt smallint, queue_id smallint, kind text, version smallint, args jsonb, headers jsonb,
    cause_id bigint, reply_to int, reply_class smallint, deadline timestamptz, priority smallint, rank bigint
)
    language plpgsql as $$
#variable_conflict use_column
declare
    v_rows tid[];
    v_low bigint;
    v_high bigint;
    v_strayed int := 0;
    v_count int;
begin
    select array_agg(f.place), min(f.id), max(f.id) into v_rows, v_low, v_high
    from (
        select r.ctid as place, r.id from queue.ready_%1$s r
        where r.queue_id = p_queue and (r.priority, r.rank) > (p_floor_priority, p_floor)
            and r.attempt >= p_attempt_min
        order by r.priority, r.rank
        limit p_limit
        for update skip locked
    ) f;
    if v_rows is null then
        return;  -- what follows costs several times as much, also where there is nothing
    end if;
    -- To set up a statement costs more than it does for a few rows, by the tables in it: so what is rarely needed stands
    -- beside the claim and not in it.
    if p_is_keyed then
        with gone as (
            delete from queue.ready_%1$s where ctid = any (v_rows) and key is not null and aseq is null
            returning id, attempt, key
        )
        insert into queue.arrival (seq, id, queue_id, priority, attempt, key)
        select queue.stray_seq(g.id), g.id, p_queue, j.priority, g.attempt, g.key
        from gone g join queue.job j on j.id = g.id;
        get diagnostics v_strayed = row_count;
    end if;
    return query
        with gone as (
            delete from queue.ready_%1$s where ctid = any (v_rows)
            returning id, attempt, priority, rank, key, aseq
        ), alive as (
            select g.id, (g.attempt + 1)::smallint as attempt, g.priority, g.rank, g.key, g.aseq, j.kind, j.version,
                j.args, j.headers, j.cause_id, j.reply_to, j.reply_class, j.deadline
            from gone g join queue.job j on j.id = g.id
            where j.id between v_low and v_high
                and (j.reply_class is distinct from 2 or j.deadline > clock_timestamp() or g.aseq is not null)
        ), leased as (
            insert into queue.lease (id, attempt, worker_id, queue_id, priority, key, aseq, deadline, is_counted)
            select id, attempt, p_worker, p_queue, priority, key, aseq, clock_timestamp() + p_lease, p_is_counted
            from alive
        )
        select id, attempt, p_queue, kind, version, args, headers, cause_id, reply_to, reply_class, deadline, priority,
            rank
        from alive order by priority, rank;
    get diagnostics v_count = row_count;
    if v_count + v_strayed < cardinality(v_rows) then  -- questions that nobody waits for any more
        insert into queue.delta (slot, queue_id, counter, n)
        values (%1$s, p_queue, 5, cardinality(v_rows) - v_count - v_strayed);
    end if;
end $$;

create function queue.take_%1$s(
    p_queue smallint, p_limit int, p_is_keyed boolean, p_floor_priority smallint, p_floor bigint
) returns table (
    id bigint, kind text, version smallint, args jsonb, headers jsonb, cause_id bigint, deadline timestamptz,
    priority smallint, rank bigint, aseq bigint
)
    language plpgsql as $$
#variable_conflict use_column
declare
    v_rows tid[];
    v_low bigint;
    v_high bigint;
begin
    select array_agg(f.place), min(f.id), max(f.id) into v_rows, v_low, v_high
    from (
        select r.ctid as place, r.id from queue.ready_%1$s r
        where r.queue_id = p_queue and (r.priority, r.rank) > (p_floor_priority, p_floor) and r.attempt = 0
        order by r.priority, r.rank
        limit p_limit
        for update skip locked
    ) f;
    if v_rows is null then
        return;
    end if;
    if p_is_keyed then
        with gone as (
            delete from queue.ready_%1$s where ctid = any (v_rows) and key is not null and aseq is null
            returning id, key
        )
        insert into queue.arrival (seq, id, queue_id, priority, key)
        select queue.stray_seq(g.id), g.id, p_queue, j.priority, g.key
        from gone g join queue.job j on j.id = g.id;
    end if;
    return query
        with gone as (
            delete from queue.ready_%1$s where ctid = any (v_rows)
            returning id, priority, rank, aseq
        )
        select g.id, j.kind, j.version, j.args, j.headers, j.cause_id, j.deadline, g.priority, g.rank, g.aseq
        from gone g join queue.job j on j.id = g.id
        where j.id between v_low and v_high
        order by g.priority, g.rank;
end $$;
$text$, slot);
    end loop;
end $outer$;

-- A keyed job that was sent before its queue was declared as keyed is ready without a place. It does not run: it arrives,
-- before all that was sent after the declaration, in the order of sending.
create function queue.stray_seq(p_id bigint) returns bigint
    language plpgsql immutable as $$
begin
    return p_id - (1::bigint << 62);
end $$;

-- How many jobs a worker may get of a queue now, at most p_want: less where the queue has a limit of its own. The locks
-- it takes are held to the end of the claim, which is short: so the limits are exact over all processes.
create function queue.allowance(p_queue queue.queue, p_want int) returns int
    language plpgsql as $$
declare
    v_allowed int := p_want;
    v_tokens double precision;
begin
    if p_queue.running_max is not null then
        perform pg_advisory_xact_lock(queue.limit_class(), p_queue.id);
        v_allowed := least(v_allowed, p_queue.running_max - (
            select count(*)::int from queue.lease l where l.queue_id = p_queue.id and l.is_counted));
    end if;
    if p_queue.rate_per_second is not null and v_allowed > 0 then
        insert into queue.rate (queue_id, tokens, at) values (p_queue.id, p_queue.rate_burst, clock_timestamp())
        on conflict (queue_id) do update set
            tokens = least(
                p_queue.rate_burst,
                rate.tokens + greatest(0, extract(epoch from excluded.at - rate.at)) * p_queue.rate_per_second),
            -- A little later than now: somebody else came first. Much later: the clock was set back.
            at = case when rate.at > excluded.at + interval '1 second' then excluded.at
                else greatest(excluded.at, rate.at) end
        returning tokens into v_tokens;
        v_allowed := least(v_allowed, floor(v_tokens)::int);
    end if;
    return greatest(v_allowed, 0);
end $$;

-- First key of the transaction locks under which a queue's running jobs are counted (second key: the queue).
create function queue.limit_class() returns int language sql immutable return 1668048229;

create function queue.spend(p_queue queue.queue, p_count int) returns void
    language plpgsql as $$
begin
    if p_queue.rate_per_second is not null and p_count > 0 then
        update queue.rate set tokens = tokens - p_count where queue_id = p_queue.id;
    end if;
end $$;

-- A batch for the transaction that is open. The rows come back by themselves if it does not commit.
-- A program of the release before says no floor. It gets nothing of a queue whose jobs hold places of their keys or stand
-- elsewhere than at their ids: it would not hand the places on, and could not isolate a batch that failed.
create function queue.take(
    p_worker int, p_queue smallint, p_limit int, p_floor_priority smallint default null, p_floor bigint default null
) returns table (
    id bigint, kind text, version smallint, args jsonb, headers jsonb, cause_id bigint, deadline timestamptz,
    priority smallint, rank bigint, aseq bigint
)
    language plpgsql as $$
#variable_conflict use_column
declare
    v_service text := queue.require_worker(p_worker);
    v_queue queue.queue;
    v_slot smallint;
    v_left int := p_limit;
    v_count int;
begin
    select * into v_queue from queue.queue q
    where q.id = p_queue and q.paused_at is null and q.owner_service = v_service;
    if not found or not queue.may_batch(v_queue) then
        return;
    end if;
    if p_floor_priority is null then
        if v_queue.key_limit is not null or v_queue.is_fair or v_queue.ageing_ms is not null then
            return;
        end if;
        p_floor_priority := -1;
        p_floor := 0;
    end if;
    for v_slot in select slot from queue.ring order by generation loop
        exit when v_left <= 0;
        case v_slot
        when 0 then return query select * from queue.take_0(
            p_queue, v_left, v_queue.key_limit is not null, p_floor_priority, p_floor);
        when 1 then return query select * from queue.take_1(
            p_queue, v_left, v_queue.key_limit is not null, p_floor_priority, p_floor);
        when 2 then return query select * from queue.take_2(
            p_queue, v_left, v_queue.key_limit is not null, p_floor_priority, p_floor);
        when 3 then return query select * from queue.take_3(
            p_queue, v_left, v_queue.key_limit is not null, p_floor_priority, p_floor);
        when 4 then return query select * from queue.take_4(
            p_queue, v_left, v_queue.key_limit is not null, p_floor_priority, p_floor);
        when 5 then return query select * from queue.take_5(
            p_queue, v_left, v_queue.key_limit is not null, p_floor_priority, p_floor);
        when 6 then return query select * from queue.take_6(
            p_queue, v_left, v_queue.key_limit is not null, p_floor_priority, p_floor);
        when 7 then return query select * from queue.take_7(
            p_queue, v_left, v_queue.key_limit is not null, p_floor_priority, p_floor);
        end case;
        get diagnostics v_count = row_count;
        v_left := v_left - v_count;
    end loop;
end $$;

-- Whether one more batch of the queue may run. Each batch holds one of running_max locks as long as it runs.
create function queue.may_batch(p_queue queue.queue) returns boolean
    language plpgsql as $$
begin
    if p_queue.running_max is null then
        return true;
    end if;
    for n in 1..p_queue.running_max loop
        if pg_try_advisory_xact_lock(queue.limit_class(), p_queue.id + 65536 * n) then
            return true;
        end if;
    end loop;
    return false;
end $$;

-- What has arrived in a queue whose batches are taken one after another, without a look in between.
create function queue.let_in(p_worker int, p_queue smallint, p_limit int) returns int
    language plpgsql as $$
begin
    perform queue.require_worker(p_worker);
    perform queue.require_owner(p_queue);
    perform set_config('synchronous_commit', 'off', true);
    return queue.admit(p_queue, p_limit);
end $$;

-- Says outside of the batch's transaction what it holds, so that a worker's death can be counted against its jobs.
create function queue.announce(
    p_worker int, p_runner smallint, p_queue smallint, p_ids bigint[], p_ranks bigint[] default null
) returns void
    language plpgsql as $$
begin
    perform queue.require_worker(p_worker);
    perform set_config('synchronous_commit', 'off', true);
    insert into queue.hold (worker_id, runner, queue_id, ids, ranks)
    values (p_worker, p_runner, p_queue, p_ids, p_ranks)
    on conflict (worker_id, runner) do update set
        queue_id = excluded.queue_id, ids = excluded.ids, ranks = excluded.ranks;
end $$;
