-- Who is calling, which queues there are, and who hears which event.
--
-- A service connects as the role club_<service>. It has no right on any table of this schema; it calls functions
-- that run with the owner's rights and first ask who is calling. session_user cannot be changed by `set role`.

-- The service that is calling, or null for anybody else.
create function queue.caller() returns text
    language sql stable
    return case when session_user like 'club\_%' then substr(session_user, 6) end;

-- An operator is whoever may act as the owner of this schema.
create function queue.is_operator() returns boolean
    language sql stable
    return pg_has_role(
        session_user, (select nspowner from pg_namespace where nspname = 'queue'), 'member');

-- Refuses everybody but the service itself and operators.
create function queue.require_service(p_service text) returns void
    language plpgsql stable as $$
begin
    if session_user <> 'club_' || p_service and not queue.is_operator() then
        raise exception 'role % may not act for service %', session_user, p_service
            using errcode = 'insufficient_privilege';
    end if;
end $$;

-- The service of a living worker that the caller may speak for.
create function queue.require_worker(p_worker int) returns text
    language plpgsql stable as $$
declare
    v_service text;
begin
    select service into v_service from queue.worker where id = p_worker;
    if not found then
        raise exception 'worker % is not registered', p_worker using errcode = 'QL004';
    end if;
    if session_user <> 'club_' || v_service then
        perform queue.require_service(v_service);
    end if;
    return v_service;
end $$;

-- The queue's owner, or operators.
create function queue.require_owner(p_queue smallint) returns text
    language plpgsql stable as $$
declare
    v_service text;
begin
    select owner_service into v_service from queue.queue where id = p_queue;
    if not found then
        raise exception 'queue % does not exist', p_queue using errcode = 'QL003';
    end if;
    perform queue.require_service(v_service);
    return v_service;
end $$;

-- Ids of queues by name. A queue that was never declared is made on the spot, so that a message can be sent to a
-- service that has not started yet: it waits there. Called outside of business transactions.
create function queue.resolve(p_names text[]) returns table (name text, id smallint, is_encrypted boolean)
    language plpgsql as $$
#variable_conflict use_column
begin
    if exists (select from unnest(p_names) n(name) where not exists (
        select from queue.queue q where q.name = n.name))
    then
        insert into queue.queue (name, owner_service)
        select distinct n.name, split_part(n.name, '.', 1) from unnest(p_names) n(name) order by 1
        on conflict (name) do nothing;
    end if;
    return query select q.name, q.id, q.is_encrypted from queue.queue q where q.name = any(p_names);
end $$;

-- A service states its queues and their policies at every start. Rows change only where the text changed, and only
-- rows of this service: deploying one service never touches another's.
create function queue.declare(p_service text, p_queues jsonb)
returns table (name text, id smallint, is_encrypted boolean)
    language plpgsql as $$
#variable_conflict use_column
declare
    v_foreign text;
    v_new queue.queue;
begin
    perform queue.require_service(p_service);
    select d->>'name' into v_foreign from jsonb_array_elements(p_queues) d
    where split_part(d->>'name', '.', 1) <> p_service limit 1;
    if found then
        raise exception 'service % may not declare queue %', p_service, v_foreign
            using errcode = 'insufficient_privilege';
    end if;
    perform queue.resolve(array(select d->>'name' from jsonb_array_elements(p_queues) d));
    -- What a text does not speak of stays: a program of the release before does not know the policies of this one.
    for v_new in
        select r.*
        from jsonb_array_elements(p_queues) d join queue.queue q on q.name = d->>'name'
        cross join lateral jsonb_populate_record(q, d) r
        order by q.id
    loop
        perform queue.apply_policy(v_new);
    end loop;
    return query
        select q.name, q.id, q.is_encrypted from queue.queue q
        where q.name in (select d->>'name' from jsonb_array_elements(p_queues) d);
end $$;

-- Changes the row of a queue where its text says something else.
create function queue.apply_policy(p_new queue.queue) returns void
    language plpgsql as $$
declare
    v_id smallint;
begin
    update queue.queue q
    set (attempts_max, losses_max, backoff_base_ms, backoff_factor, backoff_cap_ms, backoff_jitter, lease_ms, on_dead,
         retention_days, producers, key_limit, is_fair, running_max, rate_per_second, rate_burst, ageing_ms,
         is_encrypted, declared_at)
        = row (p_new.attempts_max, p_new.losses_max, p_new.backoff_base_ms, p_new.backoff_factor,
            p_new.backoff_cap_ms, p_new.backoff_jitter, p_new.lease_ms, p_new.on_dead, p_new.retention_days,
            p_new.producers, p_new.key_limit, p_new.is_fair, p_new.running_max, p_new.rate_per_second,
            p_new.rate_burst, p_new.ageing_ms, p_new.is_encrypted, coalesce(q.declared_at, clock_timestamp()))
    where q.name = p_new.name
        and (q.declared_at is null
            or (q.attempts_max, q.losses_max, q.backoff_base_ms, q.backoff_factor, q.backoff_cap_ms, q.backoff_jitter,
                q.lease_ms, q.on_dead, q.retention_days, q.producers, q.key_limit, q.is_fair, q.running_max,
                q.rate_per_second, q.rate_burst, q.ageing_ms, q.is_encrypted)
            is distinct from
                (p_new.attempts_max, p_new.losses_max, p_new.backoff_base_ms, p_new.backoff_factor,
                p_new.backoff_cap_ms, p_new.backoff_jitter, p_new.lease_ms, p_new.on_dead, p_new.retention_days,
                p_new.producers, p_new.key_limit, p_new.is_fair, p_new.running_max, p_new.rate_per_second,
                p_new.rate_burst, p_new.ageing_ms, p_new.is_encrypted))
    returning q.id into v_id;
    if v_id is not null then
        perform queue.open_gates(v_id);  -- a higher limit lets blocked jobs go on at once
    end if;
    if v_id is not null and p_new.key_limit is not null then
        perform queue.call_strays(v_id);
    elsif v_id is not null and not p_new.is_fair then
        perform queue.let_through(v_id);
    end if;
end $$;

-- What arrived in a queue that turned out to have no order is ready. Answers how many jobs.
create function queue.let_through(p_queue smallint) returns int
    language plpgsql as $$
declare
    v record;
begin
    with gone as (
        delete from queue.arrival a where a.queue_id = p_queue returning *
    )
    select count(*)::int as n, array_agg(id order by seq) as ids, array_agg(priority order by seq) as priorities,
        array_agg(attempt order by seq) as attempts, array_agg(key order by seq) as keys,
        array_agg(null::bigint) as aseqs
    into v from gone;
    if v.n > 0 then
        perform queue.place(p_queue, v.ids, v.priorities, v.attempts, v.keys, v.aseqs);
    end if;
    return v.n;
end $$;

-- What was sent before the queue was keyed has to arrive before anything is admitted. (What is committed later than this
-- is found by the claims.)
create function queue.call_strays(p_queue smallint) returns void
    language plpgsql as $$
begin
    with gone as (
        delete from queue.ready r where r.queue_id = p_queue and r.key is not null and r.aseq is null returning *
    )
    insert into queue.arrival (seq, id, queue_id, priority, attempt, key)
    select queue.stray_seq(g.id), g.id, p_queue, j.priority, g.attempt, g.key
    from gone g join queue.job j on j.id = g.id;
end $$;

-- From now on the queue hears these events. A subscription lasts until queue.unsubscribe.
create function queue.subscribe(p_queue smallint, p_events text[]) returns void
    language plpgsql as $$
begin
    perform queue.require_owner(p_queue);
    insert into queue.subscription (event, queue_id)
    select distinct e, p_queue from unnest(p_events) e order by 1
    on conflict do nothing;
end $$;

create function queue.unsubscribe(p_queue smallint, p_event text) returns void
    language plpgsql as $$
begin
    perform queue.require_owner(p_queue);
    delete from queue.subscription where queue_id = p_queue and event = p_event;
end $$;
