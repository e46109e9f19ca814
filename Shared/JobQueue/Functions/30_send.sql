-- Sending. All of it runs in the sender's transaction: a job exists if and only if that transaction committed.
-- Nothing here notifies: NOTIFY would take the database-wide commit lock. The sender rings (60_bells.sql) after its commit.

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

-- Whether arguments have the form of ciphertext (SealedText.swift).
create function queue.is_sealed(p_args jsonb) returns boolean
    language plpgsql immutable as $$
begin
    return jsonb_typeof(p_args) = 'object' and p_args ?& array['k', 'n', 'c']
        and p_args - array['k', 'n', 'c'] = '{}'::jsonb;
end $$;

-- Refuses arguments in clear for a queue that is encrypted: a sender that does not know it yet, a program of the release
-- before, and anybody who sends by hand.
create function queue.require_sealed(p_queue smallint, p_args jsonb[]) returns void
    language plpgsql stable as $$
begin
    if (select is_encrypted from queue.queue where id = p_queue)
        and exists (select from unnest(p_args) a where not queue.is_sealed(a))
    then
        raise exception 'the queue is encrypted and takes no arguments in clear' using errcode = 'QL009';
    end if;
end $$;

-- One job. Lower priorities run first. A time to run that has passed means at once. After its deadline a job is not
-- begun any more.
create function queue.send(
    p_queue smallint, p_kind text, p_version smallint, p_args jsonb, p_key text default null,
    p_priority smallint default 2, p_run_at timestamptz default null, p_headers jsonb default null,
    p_cause bigint default null, p_id bigint default null, p_deadline timestamptz default null
) returns bigint
    language plpgsql as $$
declare
    v_owner text;
    v_producers text[];
    v_is_admitted boolean;
    v_is_encrypted boolean;
    v_ageing bigint;
    v_slot smallint;
begin
    -- A queue that nobody has declared yet may turn out to be keyed: what has a key waits in the order of sending.
    select owner_service, producers, key_limit is not null or is_fair or declared_at is null, is_encrypted, ageing_ms,
        (select slot from queue.ring order by generation desc limit 1)
    into v_owner, v_producers, v_is_admitted, v_is_encrypted, v_ageing, v_slot
    from queue.queue where id = p_queue;
    if v_owner is null or v_producers is not null then
        perform queue.require_producer(v_owner, v_producers);
    end if;
    if v_is_encrypted then
        perform queue.require_sealed(p_queue, array[p_args]);
    end if;
    return queue.put(
        p_queue, p_kind, p_version, p_args, p_key, p_priority, p_run_at, p_headers, p_cause, p_id, p_deadline,
        v_is_admitted, v_ageing, v_slot);
end $$;

-- One job, without a question about rights and with what its caller knows of the queue and the ring. Not granted to
-- anybody. This is the hottest function of all: it calls no other one.
create function queue.put(
    p_queue smallint, p_kind text, p_version smallint, p_args jsonb, p_key text, p_priority smallint,
    p_run_at timestamptz, p_headers jsonb, p_cause bigint, p_id bigint, p_deadline timestamptz, p_is_admitted boolean,
    p_ageing bigint, p_slot smallint
) returns bigint
    language plpgsql as $$
declare
    v_ms bigint := (extract(epoch from clock_timestamp()) * 1000)::bigint;
    v_id bigint := p_id;
begin
    if v_id is null then
        v_id := (v_ms << 20) | (nextval('queue.job_number') & 524287);
    elsif abs((v_id >> 20) - v_ms) > 3600000 then
        raise exception 'the id of a job is not of this hour' using errcode = 'QL005';
    end if;
    insert into queue.job (id, queue_id, kind, version, priority, key, args, headers, cause_id, deadline)
    values (v_id, p_queue, p_kind, p_version, p_priority, p_key, p_args, p_headers, p_cause, p_deadline);
    if p_run_at > clock_timestamp() then
        insert into queue.deferred (run_at, id, queue_id, priority, attempt, key)
        values (p_run_at, v_id, p_queue, p_priority, 0, p_key);
        insert into queue.delta (slot, queue_id, counter, n) values (p_slot, p_queue, 7, 1);
    elsif p_is_admitted and p_key is not null then
        insert into queue.arrival (seq, id, queue_id, priority, key)
        values (nextval('queue.arrival_number'), v_id, p_queue, p_priority, p_key);
    elsif p_ageing is null then
        insert into queue.ready (slot, queue_id, priority, rank, id, key)
        values (p_slot, p_queue, p_priority, v_id, v_id, p_key);
    else
        insert into queue.ready (slot, queue_id, priority, rank, id, key)
        values (p_slot, p_queue, 0, v_id + ((p_priority * p_ageing) << 20), v_id, p_key);
    end if;
    insert into queue.delta (slot, queue_id, counter, n) values (p_slot, p_queue, 1, 1);
    return v_id;
end $$;

-- One job whose sender does not know whether it has sent it before. When a job of this id is there, nothing happens, and
-- the answer is false. One that is just being sent by another transaction is waited for.
create function queue.resend(
    p_queue smallint, p_kind text, p_version smallint, p_args jsonb, p_key text, p_priority smallint,
    p_run_at timestamptz, p_headers jsonb, p_cause bigint, p_id bigint, p_deadline timestamptz
) returns boolean
    language plpgsql as $$
declare
    v_known record;
begin
    perform queue.require_producer(
        (select owner_service from queue.queue where id = p_queue),
        (select producers from queue.queue where id = p_queue));
    select queue_id, kind into v_known from queue.job where id = p_id;
    if not found then
        begin
            perform queue.send(
                p_queue, p_kind, p_version, p_args, p_key, p_priority, p_run_at, p_headers, p_cause, p_id, p_deadline);
            return true;
        exception when unique_violation then
            select queue_id, kind into v_known from queue.job where id = p_id;
        end;
    end if;
    if (v_known.queue_id, v_known.kind) is distinct from (p_queue, p_kind) then
        raise exception 'the id belongs to a job of another kind or queue' using errcode = 'QL007';
    end if;
    return false;
end $$;

-- 256 numbers for ids that the sender makes: the first one, and the server's clock to make them by.
create function queue.lease_numbers() returns table (first_number int, now_ms bigint)
    language plpgsql as $$
begin
    first_number := 524288 + (nextval('queue.number_block') & 2047) * 256;
    now_ms := (extract(epoch from clock_timestamp()) * 1000)::bigint;
    return next;
end $$;

-- Puts jobs where they belong: in a queue that admits its jobs, those that have a key and no place of it (aseq) arrive,
-- whether they come for the first time or come back; all others are ready. Internal.
create function queue.place(
    p_queue smallint, p_ids bigint[], p_priorities smallint[], p_attempts smallint[], p_keys text[], p_aseqs bigint[]
) returns void
    language plpgsql as $$
declare
    v_slot smallint := queue.current_slot();
    v_is_admitted boolean;
    v_ageing bigint;
begin
    select key_limit is not null or is_fair or declared_at is null, ageing_ms into v_is_admitted, v_ageing
    from queue.queue where id = p_queue;
    if v_is_admitted then
        insert into queue.arrival (seq, id, queue_id, priority, attempt, key)
        select nextval('queue.arrival_number'), m.id, p_queue, m.priority, m.attempt, m.key
        from (
            select u.id, u.priority, u.attempt, u.key
            from unnest(p_ids, p_priorities, p_attempts, p_keys, p_aseqs) with ordinality
                u(id, priority, attempt, key, aseq, nth)
            where u.key is not null and u.aseq is null
            order by u.nth) m;
    end if;
    insert into queue.ready (slot, queue_id, priority, rank, id, attempt, key, aseq)
    select v_slot, p_queue, case when v_ageing is null then m.priority else 0 end,
        case when v_ageing is null then m.id else m.id + ((m.priority * v_ageing) << 20) end,
        m.id, m.attempt, m.key, m.aseq
    from unnest(p_ids, p_priorities, p_attempts, p_keys, p_aseqs) m(id, priority, attempt, key, aseq)
    where not v_is_admitted or m.key is null or m.aseq is not null;
end $$;

-- Many jobs of one kind, without a question about rights: for the functions below, not granted to anybody.
-- Ids come back in the order of the arguments and ascend.
create function queue.put_many(
    p_queue smallint, p_kind text, p_version smallint, p_args jsonb[], p_keys text[], p_priority smallint,
    p_run_at timestamptz, p_headers jsonb, p_cause bigint, p_deadline timestamptz default null
) returns bigint[]
    language plpgsql
    set plan_cache_mode = force_generic_plan  -- the number of jobs would have each statement planned anew each time
    as $$
declare
    v_ms bigint := (extract(epoch from clock_timestamp()) * 1000)::bigint;
    v_first bigint := nextval('queue.job_number');
    v_count int := cardinality(p_args);
    v_ids bigint[];
begin
    -- When the 19 bits wrap in the middle of the call, the rest belongs to the next millisecond.
    select array_agg(((v_ms + (n >> 19) - (v_first >> 19)) << 20) | (n & 524287) order by n)
    into v_ids
    from (select v_first union all select nextval('queue.job_number') from generate_series(2, v_count)) s(n);
    insert into queue.job (id, queue_id, kind, version, priority, key, args, headers, cause_id, deadline)
    select m.id, p_queue, p_kind, p_version, p_priority, m.key, m.args, p_headers, p_cause, p_deadline
    from unnest(v_ids, p_args, p_keys) m(id, args, key)
    where m.id is not null;
    if p_run_at > clock_timestamp() then
        insert into queue.deferred (run_at, id, queue_id, priority, attempt, key)
        select p_run_at, m.id, p_queue, p_priority, 0, m.key
        from unnest(v_ids, p_keys) m(id, key) where m.id is not null;
        perform queue.note(p_queue, 7, v_count);
    else
        perform queue.place(
            p_queue, v_ids, array_fill(p_priority, array[v_count]), array_fill(0::smallint, array[v_count]),
            p_keys, null);
    end if;
    perform queue.note(p_queue, 1, v_count);
    return v_ids;
end $$;

-- Many jobs of one kind in one statement and one round trip. One alone goes by the function for one, in a third of the time.
create function queue.send_many(
    p_queue smallint, p_kind text, p_version smallint, p_args jsonb[], p_keys text[] default null,
    p_priority smallint default 2, p_run_at timestamptz default null, p_headers jsonb default null,
    p_cause bigint default null, p_deadline timestamptz default null
) returns bigint[]
    language plpgsql as $$
begin
    if cardinality(p_args) = 1 then
        return array[queue.send(
            p_queue, p_kind, p_version, p_args[1], p_keys[1], p_priority, p_run_at, p_headers, p_cause,
            p_deadline => p_deadline)];
    end if;
    perform queue.require_producer(
        (select owner_service from queue.queue where id = p_queue),
        (select producers from queue.queue where id = p_queue));
    if cardinality(p_args) = 0 then
        return '{}';
    end if;
    perform queue.require_sealed(p_queue, p_args);
    return queue.put_many(
        p_queue, p_kind, p_version, p_args, p_keys, p_priority, p_run_at, p_headers, p_cause, p_deadline);
end $$;

-- Events: one job for every event and every queue that subscribed to it. Answers the queues to ring after the commit.
-- Encrypted queues want other arguments than plain ones, so a sender that can seal speaks twice: first in clear, leaving
-- out the encrypted queues (p_leaves_out), which are answered as such; then sealed, to the queues that were left out
-- (p_queues). It names them, because which queues are encrypted may change between the two.
create function queue.publish(
    p_event text, p_version smallint, p_args jsonb[], p_keys text[] default null, p_headers jsonb default null,
    p_cause bigint default null, p_leaves_out boolean default false, p_queues smallint[] default null
) returns table (queue_id smallint, owner_service text, name text, is_left_out boolean)
    language plpgsql as $$
#variable_conflict use_column
declare
    v_is_encrypted boolean;
    v_is_admitted boolean;
    v_ageing bigint;
    v_slot smallint;
begin
    if cardinality(p_args) = 0 then
        return;
    end if;
    for queue_id, owner_service, name, v_is_encrypted, v_is_admitted, v_ageing, v_slot in
        select q.id, q.owner_service, q.name, q.is_encrypted,
            q.key_limit is not null or q.is_fair or q.declared_at is null, q.ageing_ms,
            (select r.slot from queue.ring r order by r.generation desc limit 1)
        from queue.subscription s join queue.queue q on q.id = s.queue_id
        where s.event = p_event and (p_queues is null or q.id = any (p_queues)) order by q.id
    loop
        is_left_out := v_is_encrypted and p_leaves_out;
        if not is_left_out then
            if v_is_encrypted then
                perform queue.require_sealed(publish.queue_id, p_args);
            end if;
            if cardinality(p_args) = 1 then
                perform queue.put(
                    publish.queue_id, p_event, p_version, p_args[1], p_keys[1], 2::smallint, null, p_headers, p_cause,
                    null, null, v_is_admitted, v_ageing, v_slot);
            else
                perform queue.put_many(
                    publish.queue_id, p_event, p_version, p_args, p_keys, 2::smallint, null, p_headers, p_cause);
            end if;
        end if;
        return next;
    end loop;
end $$;

-- A question to another service: one statement, a transaction of its own. The answer comes to the process
-- `p_reply_to`. A volatile question is not flushed, leaves no history, and is dropped when its deadline has passed.
-- It calls no other function on its way.
create function queue.call(
    p_queue smallint, p_kind text, p_version smallint, p_args jsonb, p_key text, p_reply_to int,
    p_reply_class smallint, p_patience_ms int, p_headers jsonb default null, p_cause bigint default null
) returns bigint
    language plpgsql as $$
declare
    v_id bigint :=
        ((extract(epoch from clock_timestamp()) * 1000)::bigint << 20) | (nextval('queue.job_number') & 524287);
    v_owner text;
    v_producers text[];
    v_is_admitted boolean;
    v_is_encrypted boolean;
    v_ageing bigint;
    v_slot smallint;
    v_is_ours boolean;
begin
    select owner_service, producers, key_limit is not null or is_fair or declared_at is null, is_encrypted, ageing_ms,
        (select slot from queue.ring order by generation desc limit 1),
        exists (select from queue.worker w where w.id = p_reply_to and session_user = 'club_' || w.service)
    into v_owner, v_producers, v_is_admitted, v_is_encrypted, v_ageing, v_slot, v_is_ours
    from queue.queue where id = p_queue;
    if v_owner is null or v_producers is not null then
        perform queue.require_producer(v_owner, v_producers);
    end if;
    if v_is_encrypted then
        perform queue.require_sealed(p_queue, array[p_args]);
    end if;
    if not v_is_ours then
        perform queue.require_worker(p_reply_to);
    end if;
    if p_reply_class = 2 then
        perform set_config('synchronous_commit', 'off', true);
    end if;
    insert into queue.job (
        id, queue_id, kind, version, priority, key, args, headers, cause_id, reply_to, reply_class, deadline)
    values (
        v_id, p_queue, p_kind, p_version, 1, p_key, p_args, p_headers, p_cause, p_reply_to, p_reply_class,
        clock_timestamp() + p_patience_ms * interval '1 millisecond');
    if v_is_admitted and p_key is not null then
        insert into queue.arrival (seq, id, queue_id, priority, key)
        values (nextval('queue.arrival_number'), v_id, p_queue, 1, p_key);
    elsif v_ageing is null then
        insert into queue.ready (slot, queue_id, priority, rank, id, key)
        values (v_slot, p_queue, 1, v_id, v_id, p_key);
    else
        insert into queue.ready (slot, queue_id, priority, rank, id, key)
        values (v_slot, p_queue, 0, v_id + (v_ageing << 20), v_id, p_key);
    end if;
    insert into queue.delta (slot, queue_id, counter, n) values (v_slot, p_queue, 1, 1);
    return v_id;
end $$;
