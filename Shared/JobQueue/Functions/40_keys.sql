-- Order per key, and turns between keys.
--
-- A keyed job comes to `arrival`. The admitter, one at a time for each queue, looks at the arrivals in the order of
-- sending. While fewer than key_limit jobs of its key are under way (queue.gate counts them), a job goes to `ready` with
-- a number of admission (aseq) as the sign that it holds a place of its key; otherwise it goes to `blocked`. Whoever ends
-- a job with a place hands the place to the next blocked job of the key, in the transaction of the end.
--
-- Locks are taken in one order: gates by key, and behind them nothing that another transaction could hold while it
-- waits for a gate. Senders take none.

-- Admits what has arrived. Answers how many jobs were admitted to `ready`. Short, in a transaction of its own.
create function queue.admit(p_queue smallint, p_limit int) returns int
    language plpgsql as $$
declare
    v_queue queue.queue;
    v_seqs bigint[];
    v_keys text[];
    v_found int;
begin
    if not exists (select from queue.arrival where queue_id = p_queue)
        or not pg_try_advisory_xact_lock(queue.admit_class(), p_queue)
    then
        return 0;
    end if;
    select * into v_queue from queue.queue where id = p_queue;
    select array_agg(a.seq), array_agg(distinct a.key order by a.key) into v_seqs, v_keys
    from (select seq, key from queue.arrival where queue_id = p_queue order by seq limit p_limit) a;
    if v_seqs is null then
        return 0;
    end if;
    if v_queue.is_fair then
        return queue.give_turns(p_queue, v_seqs);
    end if;
    -- Makes the gates that are missing and locks all of them. One may vanish between the two statements.
    loop
        insert into queue.gate (queue_id, running, key)
        select p_queue, 0, k from unnest(v_keys) k order by k
        on conflict (queue_id, key) do nothing;
        perform from queue.gate where queue_id = p_queue and key = any (v_keys) order by key for update;
        get diagnostics v_found = row_count;
        exit when v_found = cardinality(v_keys);
    end loop;
    -- The gates are locked: nobody else counts there now.
    return queue.pass_gates(p_queue, v_seqs, coalesce(v_queue.key_limit, 32767), v_queue.ageing_ms);
end $$;

-- First key of the transaction locks of admitters (second key: the queue).
create function queue.admit_class() returns int language sql immutable return 1668048228;

-- The second half of queue.admit: a statement of its own, whose snapshot is younger than the locks.
create function queue.pass_gates(p_queue smallint, p_seqs bigint[], p_key_limit int, p_ageing_ms bigint) returns int
    language plpgsql as $$
declare
    v_slot smallint := queue.current_slot();
    v_ready int;
    v_blocked int;
begin
    with arrived as (
        delete from queue.arrival where queue_id = p_queue and seq = any (p_seqs) returning *
    ), placed as (
        select a.*, nextval('queue.admission_number') as aseq,
            g.running + a.nth > p_key_limit as must_wait  -- a key with room has nobody waiting: see release, open_gates
        from (select *, row_number() over (partition by key order by seq) as nth from arrived order by seq) a
        join queue.gate g on g.queue_id = p_queue and g.key = a.key
    ), runs as (
        insert into queue.ready (slot, queue_id, priority, rank, id, attempt, key, aseq)
        select v_slot, p_queue, queue.rank_priority(priority, p_ageing_ms), queue.rank(id, priority, p_ageing_ms), id,
            attempt, key, aseq
        from placed where not must_wait
        returning key
    ), waits as (
        insert into queue.blocked (aseq, id, queue_id, priority, attempt, key)
        select aseq, id, p_queue, priority, attempt, key from placed where must_wait
        returning 1
    ), counted as (
        update queue.gate g set running = g.running + r.n
        from (select key, count(*)::smallint as n from runs group by key) r
        where g.queue_id = p_queue and g.key = r.key
    )
    select (select count(*) from runs), (select count(*) from waits) into v_ready, v_blocked;
    perform queue.note(p_queue, 8, v_blocked);
    return v_ready;
end $$;

-- Fair turns: the n-th waiting job of a key stands n turns behind the job that is next to run, whatever the others have
-- sent. So keys take turns, and a key that comes new begins at once (start-time fair queuing; Goyal, Vin and Cheng, 1996).
create function queue.give_turns(p_queue smallint, p_seqs bigint[]) returns int
    language plpgsql as $$
declare
    v_slot smallint := queue.current_slot();
    v_now bigint;
    v_count int;
begin
    -- The turn that the queue has come to: of the first waiting job, else after the last turn that was given.
    select coalesce(
        (select min(rank) from queue.ready where queue_id = p_queue and priority = 2),
        (select max(rank) + 1 from queue.turn where queue_id = p_queue), 0) into v_now;
    with arrived as (
        delete from queue.arrival where queue_id = p_queue and seq = any (p_seqs) returning *
    ), placed as (
        select a.*, greatest(coalesce(t.rank + 1, v_now), v_now)
            + row_number() over (partition by a.key order by a.priority, a.seq) - 1 as rank
        from arrived a left join queue.turn t on t.queue_id = p_queue and t.key = a.key
    ), runs as (
        insert into queue.ready (slot, queue_id, priority, rank, id, attempt, key)
        select v_slot, p_queue, 2, rank, id, attempt, key from placed order by rank, seq
        returning key, rank
    ), noted as (
        insert into queue.turn (rank, queue_id, key)
        select max(rank), p_queue, key from runs group by key order by key
        on conflict (queue_id, key) do update set rank = excluded.rank
        returning 1
    )
    select count(*) from runs into v_count;
    delete from queue.turn where queue_id = p_queue and rank < v_now - 1;  -- keys that would begin anew anyhow
    return v_count;
end $$;

-- Places of keys become free: each goes to the next blocked job of its key, or the gate counts one less. p_aseqs are the
-- places that their jobs had: every blocked job of a key was admitted after every job that has a place, so the search may
-- begin there and passes over no dead entry.
--
-- Called last in the transaction that ends the jobs. It has to see what was blocked a moment ago, so a snapshot that is
-- older than the lock on the gate will not do.
create function queue.release(p_queue smallint, p_keys text[], p_aseqs bigint[]) returns void
    language plpgsql as $$
declare
    v_count int;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'a job with a key must end in a READ COMMITTED transaction' using errcode = 'QL002';
    end if;
    perform from queue.gate where queue_id = p_queue and key = any (p_keys) order by key for update;
    get diagnostics v_count = row_count;
    if v_count < (select count(distinct k) from unnest(p_keys) k) then
        raise exception 'a key of queue % has no gate', p_queue using errcode = 'QL006';
    end if;
    perform queue.hand_over(p_queue, p_keys, p_aseqs);
end $$;

create function queue.hand_over(p_queue smallint, p_keys text[], p_aseqs bigint[]) returns void
    language plpgsql as $$
declare
    v_limit int;
    v_ageing bigint;
    v_slot smallint := queue.current_slot();
    v_count int;
begin
    select coalesce(key_limit, 32767), ageing_ms into v_limit, v_ageing from queue.queue where id = p_queue;
    with freed as (
        select f.key, f.n, f.aseq, g.running - f.n as others
        from (
            select key, count(aseq) as n, coalesce(max(aseq), 0) as aseq
            from unnest(p_keys, p_aseqs) u(key, aseq) group by key) f
        join queue.gate g on g.queue_id = p_queue and g.key = f.key
    ), next as (
        delete from queue.blocked b
        using (
            select f.key, c.aseq
            from freed f cross join lateral (
                select aseq from queue.blocked
                where queue_id = p_queue and key = f.key and aseq > f.aseq
                order by aseq limit greatest(0, v_limit - f.others)) c) n
        where b.queue_id = p_queue and b.key = n.key and b.aseq = n.aseq
        returning b.*
    ), runs as (
        insert into queue.ready (slot, queue_id, priority, rank, id, attempt, key, aseq)
        select v_slot, p_queue, queue.rank_priority(priority, v_ageing), queue.rank(id, priority, v_ageing), id, attempt,
            key, aseq
        from next
    ), left_over as (
        select f.key, f.others + (select count(*) from next n where n.key = f.key) as running, f.n from freed f
    ), closed as (
        delete from queue.gate g using left_over l where g.queue_id = p_queue and g.key = l.key and l.running = 0
    ), counted as (
        update queue.gate g set running = l.running
        from left_over l where g.queue_id = p_queue and g.key = l.key and l.running > 0 and g.running <> l.running
    )
    select count(*) from next into v_count;
    perform queue.note(p_queue, 8, -v_count);
end $$;

-- After a change of key_limit, and once in a while in case a hand-over went wrong: keys that have room and blocked jobs
-- all the same. Answers how many keys were helped; in between changes it must be none.
create function queue.open_gates(p_queue smallint) returns int
    language plpgsql as $$
declare
    v_keys text[];
begin
    insert into queue.gate (queue_id, running, key)
    select distinct p_queue, 0, b.key from queue.blocked b
    where b.queue_id = p_queue and not exists (select from queue.gate g where g.queue_id = p_queue and g.key = b.key)
    on conflict (queue_id, key) do nothing;
    select array_agg(g.key order by g.key) into v_keys
    from queue.gate g join queue.queue q on q.id = g.queue_id
    where g.queue_id = p_queue and g.running < coalesce(q.key_limit, 32767)
        and exists (select from queue.blocked b where b.queue_id = p_queue and b.key = g.key);
    if v_keys is null then
        return 0;
    end if;
    perform from queue.gate where queue_id = p_queue and key = any (v_keys) order by key for update;
    perform queue.hand_over(p_queue, v_keys, array_fill(null::bigint, array[cardinality(v_keys)]));
    return cardinality(v_keys);
end $$;
