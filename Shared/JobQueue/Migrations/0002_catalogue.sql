-- 0002: who may do what, which queues there are, and who hears which event.
--
-- A service connects as the role club_<service>. It has no right on any table of this schema; it calls functions
-- that run with the owner's rights and first ask who is calling. session_user cannot be changed by `set role`.

-- Everything a service needs of the queue. Granted by each service's first migration to its own role.
do $$
begin
    create role club_bus nologin;
exception when duplicate_object or unique_violation then
    null;  -- roles belong to the cluster; another database of it has made this one
end $$;

grant usage on schema queue to club_bus;

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
create function queue.resolve(p_names text[]) returns table (name text, id smallint)
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
    return query select q.name, q.id from queue.queue q where q.name = any(p_names);
end $$;

-- A service states its queues and their policies at every start. Rows change only where the text changed, and only
-- rows of this service: deploying one service never touches another's.
create function queue.declare(p_service text, p_queues jsonb) returns table (name text, id smallint)
    language plpgsql as $$
#variable_conflict use_column
declare
    v_foreign text;
begin
    perform queue.require_service(p_service);
    select d->>'name' into v_foreign from jsonb_array_elements(p_queues) d
    where split_part(d->>'name', '.', 1) <> p_service limit 1;
    if found then
        raise exception 'service % may not declare queue %', p_service, v_foreign
            using errcode = 'insufficient_privilege';
    end if;
    perform queue.resolve(array(select d->>'name' from jsonb_array_elements(p_queues) d));
    update queue.queue q
    set (attempts_max, losses_max, backoff_base_ms, backoff_factor, backoff_cap_ms, backoff_jitter, lease_ms, on_dead,
         retention_days, producers, declared_at)
        = row (d.attempts_max, d.losses_max, d.backoff_base_ms, d.backoff_factor, d.backoff_cap_ms, d.backoff_jitter,
               d.lease_ms, d.on_dead, d.retention_days, d.producers, coalesce(q.declared_at, clock_timestamp()))
    from jsonb_populate_recordset(null::queue.queue, p_queues) d
    where q.name = d.name
        and (q.declared_at is null
            or (q.attempts_max, q.losses_max, q.backoff_base_ms, q.backoff_factor, q.backoff_cap_ms, q.backoff_jitter,
                q.lease_ms, q.on_dead, q.retention_days, q.producers)
            is distinct from
                (d.attempts_max, d.losses_max, d.backoff_base_ms, d.backoff_factor, d.backoff_cap_ms, d.backoff_jitter,
                 d.lease_ms, d.on_dead, d.retention_days, d.producers));
    return query
        select q.name, q.id from queue.queue q
        where q.name in (select d->>'name' from jsonb_array_elements(p_queues) d);
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
