-- The invariants. Tests call it after every scenario; an operator may call it at any time. It reads one
-- snapshot, so it is right while jobs run. Every row it returns is a defect.

create function queue.check() returns table (violation text, job_id bigint)
    language plpgsql stable as $$
#variable_conflict use_column
begin
    if not queue.is_operator() then
        raise exception 'only an operator may check the queue' using errcode = 'insufficient_privilege';
    end if;
    return query select * from queue.check_places();
    return query select * from queue.check_keys();
    return query select * from queue.check_counters();
end $$;

create function queue.check_places() returns table (violation text, job_id bigint)
    language plpgsql stable as $$
#variable_conflict use_column
begin
    return query
        with place as (
            select id, queue_id from queue.ready
            union all select id, queue_id from queue.deferred
            union all select id, queue_id from queue.lease
            union all select id, queue_id from queue.arrival
            union all select id, queue_id from queue.blocked
        ), places as (
            select id, count(*) as n from place group by id
        ), ended as (
            select o.id, count(*) as n from queue.outcome o
            where o.state in (2, 4, 5) and not (o.state = 4 and queue.is_redriven(o.id, o.attempt))
            group by o.id
        ), job as (
            select j.id, j.reply_class, coalesce(p.n, 0) as places, coalesce(e.n, 0) as ends
            from queue.job j left join places p using (id) left join ended e using (id)
        )
        select 'a job is in more than one place', id from job where places > 1
        union all select 'a job is nowhere', id from job
            where places = 0 and ends = 0 and reply_class is distinct from 2
        union all select 'a job that has ended can still run', id from job where places > 0 and ends > 0
        union all select 'a job has ended twice', id from job where ends > 1
        union all select 'a place without a job', p.id from place p
            where not exists (select from queue.job j where j.id = p.id and j.queue_id = p.queue_id)
        union all select 'a job completed more than once', id from queue.outcome
            where state = 2 group by id having count(*) > 1
        union all select 'an outcome without a job', o.id from queue.outcome o
            where not exists (select from queue.job j where j.id = o.id)
        union all select 'a lease beyond the attempts of its queue', l.id
            from queue.lease l join queue.queue q on q.id = l.queue_id
            where l.attempt - queue.epoch(l.id) > q.attempts_max
        union all select 'ready in a slot outside of the ring', r.id from queue.ready r
            where not exists (select from queue.ring g where g.slot = r.slot);
end $$;

create function queue.check_keys() returns table (violation text, job_id bigint)
    language plpgsql stable as $$
#variable_conflict use_column
begin
    return query
        with placed as (
            select queue_id, key, id, aseq from queue.ready where aseq is not null
            union all select queue_id, key, id, aseq from queue.deferred where aseq is not null
            union all select queue_id, key, id, aseq from queue.lease where aseq is not null
            union all select queue_id, key, id, aseq from queue.halted
        ), counted as (
            select queue_id, key, count(*) as n, max(aseq) as last, min(id) as id from placed group by queue_id, key
        )
        select 'a gate counts wrongly', coalesce(c.id, 0)
            from counted c full join queue.gate g using (queue_id, key)
            where coalesce(c.n, 0) <> coalesce(g.running, 0)
        union all select 'more jobs of a key than its queue allows', c.id
            from counted c join queue.queue q on q.id = c.queue_id where c.n > q.key_limit
        union all select 'a key has room and blocked jobs', b.id
            from queue.blocked b join queue.queue q on q.id = b.queue_id
            left join queue.gate g on g.queue_id = b.queue_id and g.key = b.key
            where coalesce(g.running, 0) < q.key_limit
        union all select 'a job overtook another of its key', c.id
            from counted c join queue.blocked b on b.queue_id = c.queue_id and b.key = c.key and b.aseq < c.last
        union all select 'a halted job is not dead', h.id from queue.halted h
            where not exists (
                select from queue.outcome o
                where o.id = h.id and o.state = 4 and not queue.is_redriven(o.id, o.attempt));
end $$;

-- What the counters say is what is there.
create function queue.check_counters() returns table (violation text, job_id bigint)
    language plpgsql stable as $$
#variable_conflict use_column
begin
    return query
        with really as (
            select queue_id, 7::smallint as counter, count(*) as n from queue.deferred group by queue_id
            union all select queue_id, 8::smallint, count(*) from queue.blocked group by queue_id
            union all select queue_id, state, count(*) from queue.outcome where state in (4, 6) group by queue_id, state
        ), counted as (
            select queue_id, counter, n from queue.counts() where counter in (7, 8)
            union all select queue_id, counter, n from queue.counts() c where counter in (4, 6)
                and not exists (select from queue.counter f where f.queue_id = c.queue_id and f.counter = 10)
        )
        select 'counter ' || queue.counter_name(counter) || ' says ' || coalesce(c.n, 0) || ', there are '
            || coalesce(r.n, 0), null::bigint
        from counted c full join really r using (queue_id, counter)
        where coalesce(c.n, 0) <> coalesce(r.n, 0)
            and (counter in (7, 8) or c.n is not null);
    return query
        select 'the counters of ' || s.name || ' say ' || s.ready || ' are ready, there are ' || r.n, null::bigint
        from queue.stats() s cross join lateral (
            select (select count(*) from queue.ready where queue_id = s.id)
                + (select count(*) from queue.arrival where queue_id = s.id) as n) r
        where s.ready <> r.n;
end $$;
