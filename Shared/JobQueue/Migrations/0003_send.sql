-- 0003: sending. All of it runs in the sender's transaction: a job exists if and only if that transaction committed.
-- Nothing here notifies: NOTIFY would take the database-wide commit lock. The sender rings (0005) after its commit.

create function queue.new_id() returns bigint
    language plpgsql as $$
begin
    return ((extract(epoch from clock_timestamp()) * 1000)::bigint << 20) | (nextval('queue.job_number') & 524287);
end $$;

create function queue.id_time(p_id bigint) returns timestamptz
    language sql immutable
    return to_timestamp((p_id >> 20) / 1000.0);

create function queue.current_slot() returns smallint
    language plpgsql stable as $$
begin
    return (select slot from queue.ring order by generation desc limit 1);
end $$;

-- Refuses a caller whom the queue's list of producers does not name.
create function queue.require_producer(p_owner text, p_producers text[]) returns void
    language plpgsql stable as $$
begin
    if p_owner is null then
        raise exception 'the queue does not exist' using errcode = 'QL003';
    end if;
    if p_producers is not null and queue.caller() is distinct from p_owner
        and not coalesce(queue.caller() = any (p_producers), false) and not queue.is_operator()
    then
        raise exception 'role % may not send to a queue of %', session_user, p_owner
            using errcode = 'insufficient_privilege';
    end if;
end $$;

-- One job. Lower priorities run first. A time to run that has passed means at once.
-- This is the hottest function of all: it calls no other one on its way.
create function queue.send(
    p_queue smallint, p_kind text, p_version smallint, p_args jsonb, p_key text default null,
    p_priority smallint default 2, p_run_at timestamptz default null, p_headers jsonb default null,
    p_cause bigint default null, p_id bigint default null
) returns bigint
    language plpgsql as $$
declare
    v_ms bigint := (extract(epoch from clock_timestamp()) * 1000)::bigint;
    v_id bigint := p_id;
    v_owner text;
    v_producers text[];
    v_slot smallint;
begin
    if v_id is null then
        v_id := (v_ms << 20) | (nextval('queue.job_number') & 524287);
    elsif abs((v_id >> 20) - v_ms) > 3600000 then
        raise exception 'the id of a job is not of this hour' using errcode = 'QL005';
    end if;
    select owner_service, producers, (select slot from queue.ring order by generation desc limit 1)
    into v_owner, v_producers, v_slot
    from queue.queue where id = p_queue;
    if v_owner is null or v_producers is not null then
        perform queue.require_producer(v_owner, v_producers);
    end if;
    insert into queue.job (id, queue_id, kind, version, priority, key, args, headers, cause_id)
    values (v_id, p_queue, p_kind, p_version, p_priority, p_key, p_args, p_headers, p_cause);
    if p_run_at > clock_timestamp() then
        insert into queue.deferred (run_at, id, queue_id, priority, attempt, key)
        values (p_run_at, v_id, p_queue, p_priority, 0, p_key);
    else
        insert into queue.ready (slot, queue_id, priority, id, key) values (v_slot, p_queue, p_priority, v_id, p_key);
    end if;
    return v_id;
end $$;

-- 256 numbers for ids that the sender makes: the first one, and the server's clock to make them by.
create function queue.lease_numbers() returns table (first_number int, now_ms bigint)
    language plpgsql as $$
begin
    first_number := 524288 + (nextval('queue.number_block') & 2047) * 256;
    now_ms := (extract(epoch from clock_timestamp()) * 1000)::bigint;
    return next;
end $$;

-- Many jobs of one kind, without a question about rights: for the functions below, not granted to anybody.
-- Ids come back in the order of the arguments and ascend.
create function queue.put_many(
    p_queue smallint, p_kind text, p_version smallint, p_args jsonb[], p_keys text[], p_priority smallint,
    p_run_at timestamptz, p_headers jsonb, p_cause bigint
) returns bigint[]
    language plpgsql as $$
declare
    v_ms bigint := (extract(epoch from clock_timestamp()) * 1000)::bigint;
    v_first bigint := nextval('queue.job_number');
    v_ids bigint[];
begin
    -- When the 19 bits wrap in the middle of the call, the rest belongs to the next millisecond.
    select array_agg(((v_ms + (n >> 19) - (v_first >> 19)) << 20) | (n & 524287) order by n)
    into v_ids
    from (select v_first union all select nextval('queue.job_number') from generate_series(2, cardinality(p_args))) s(n);
    insert into queue.job (id, queue_id, kind, version, priority, key, args, headers, cause_id)
    select m.id, p_queue, p_kind, p_version, p_priority, m.key, m.args, p_headers, p_cause
    from unnest(v_ids, p_args, p_keys) m(id, args, key)
    where m.id is not null;
    if p_run_at > clock_timestamp() then
        insert into queue.deferred (run_at, id, queue_id, priority, attempt, key)
        select p_run_at, m.id, p_queue, p_priority, 0, m.key from unnest(v_ids, p_keys) m(id, key);
    else
        insert into queue.ready (slot, queue_id, priority, id, key)
        select v_slot, p_queue, p_priority, m.id, m.key
        from (select queue.current_slot() as v_slot) c cross join unnest(v_ids, p_keys) m(id, key);
    end if;
    return v_ids;
end $$;

-- Many jobs of one kind in one statement and one round trip.
create function queue.send_many(
    p_queue smallint, p_kind text, p_version smallint, p_args jsonb[], p_keys text[] default null,
    p_priority smallint default 2, p_run_at timestamptz default null, p_headers jsonb default null,
    p_cause bigint default null
) returns bigint[]
    language plpgsql as $$
begin
    perform queue.require_producer(
        (select owner_service from queue.queue where id = p_queue),
        (select producers from queue.queue where id = p_queue));
    if cardinality(p_args) = 0 then
        return '{}';
    end if;
    return queue.put_many(p_queue, p_kind, p_version, p_args, p_keys, p_priority, p_run_at, p_headers, p_cause);
end $$;

-- Events: one job for every event and every queue that subscribed to it. Answers the queues to ring after the commit.
create function queue.publish(
    p_event text, p_version smallint, p_args jsonb[], p_keys text[] default null, p_headers jsonb default null,
    p_cause bigint default null
) returns table (queue_id smallint, owner_service text)
    language plpgsql as $$
#variable_conflict use_column
begin
    if cardinality(p_args) = 0 then
        return;
    end if;
    for queue_id, owner_service in
        select q.id, q.owner_service from queue.subscription s join queue.queue q on q.id = s.queue_id
        where s.event = p_event order by q.id
    loop
        perform queue.put_many(
            publish.queue_id, p_event, p_version, p_args, p_keys, 2::smallint, null, p_headers, p_cause);
        return next;
    end loop;
end $$;

-- A question to another service: one statement, a transaction of its own. The answer comes to the process
-- `p_reply_to`. A volatile question is not flushed, leaves no history, and is dropped when its deadline has passed.
create function queue.call(
    p_queue smallint, p_kind text, p_version smallint, p_args jsonb, p_key text, p_reply_to int,
    p_reply_class smallint, p_patience_ms int, p_headers jsonb default null, p_cause bigint default null
) returns bigint
    language plpgsql as $$
declare
    v_id bigint := queue.new_id();
begin
    perform queue.require_producer(
        (select owner_service from queue.queue where id = p_queue),
        (select producers from queue.queue where id = p_queue));
    perform queue.require_worker(p_reply_to);
    if p_reply_class = 2 then
        perform set_config('synchronous_commit', 'off', true);
    end if;
    insert into queue.job (
        id, queue_id, kind, version, priority, key, args, headers, cause_id, reply_to, reply_class, deadline)
    values (
        v_id, p_queue, p_kind, p_version, 1, p_key, p_args, p_headers, p_cause, p_reply_to, p_reply_class,
        clock_timestamp() + p_patience_ms * interval '1 millisecond');
    insert into queue.ready (slot, queue_id, priority, id, key) values (queue.current_slot(), p_queue, 1, v_id, p_key);
    return v_id;
end $$;
