-- Why a job is not running: every reason that holds, the nearest first. No reason for one that runs or has ended.
--
--   paused          its queue is paused: until somebody resumes it
--   service-down    no process of the owner is alive
--   not-subscribed  processes of the owner are alive, but none has declared the queue
--   not-due         it was put off, until
--   retry           its last attempt failed, and the next one is due, until
--   arriving        it waits to be admitted
--   key-blocked     the job `by` of its key comes first, with so many in between
--   halted          it is dead at the head of its key, and waits for a person
--   limit-full      so many run as the queue allows; `by` is the oldest of them
--   rate            the queue has used up its tokens, until the next one
--   behind          so many come before it, until about then at the present pace

create function queue.why(p_id bigint) returns table (
    reason text, until timestamptz, by_job bigint, by_place text, n bigint
)
    language plpgsql stable as $$
#variable_conflict use_column
declare
    v_job queue.job;
    v_queue queue.queue;
    v_place text;
begin
    select * into v_job from queue.job j where j.id = p_id;
    if not found then
        return;
    end if;
    perform queue.require_owner(v_job.queue_id);
    select * into v_queue from queue.queue q where q.id = v_job.queue_id;
    v_place := queue.place_of(v_job);
    if v_place not in ('arrived', 'blocked', 'ready', 'deferred', 'halted') then
        return;
    end if;
    return query select 'paused', null::timestamptz, null::bigint, null::text, null::bigint
        where v_queue.paused_at is not null;
    return query select case when v_queue.declared_at is null and exists (
            select from queue.worker where service = v_queue.owner_service) then 'not-subscribed' else 'service-down' end,
        null::timestamptz, null::bigint, null::text, null::bigint
        where v_queue.declared_at is null
            or not exists (select from queue.worker where service = v_queue.owner_service);
    case v_place
    when 'deferred' then
        return query select case when d.attempt = 0 then 'not-due' else 'retry' end, d.run_at, null::bigint, null::text,
            d.attempt::bigint
            from queue.deferred d where d.id = p_id;
    when 'arrived' then
        return query select 'arriving', null::timestamptz, null::bigint, null::text, (
            select count(*) from queue.arrival a where a.queue_id = v_job.queue_id and a.seq < (
                select min(seq) from queue.arrival b where b.queue_id = v_job.queue_id and b.id = p_id));
    when 'blocked' then
        return query select * from queue.why_blocked(v_job);
    when 'halted' then
        return query select 'halted', null::timestamptz, p_id, 'dead', (
            select count(*) from queue.blocked b where b.queue_id = v_job.queue_id and b.key = v_job.key);
    else
        return query select * from queue.why_ready(v_job, v_queue);
    end case;
end $$;

create function queue.place_of(p_job queue.job) returns text
    language plpgsql stable as $$
begin
    return case
        when exists (select from queue.lease where id = p_job.id) then 'running'
        when exists (select from queue.deferred where id = p_job.id) then 'deferred'
        when exists (select from queue.halted where id = p_job.id) then 'halted'
        when exists (select from queue.arrival where queue_id = p_job.queue_id and id = p_job.id) then 'arrived'
        when exists (select from queue.blocked where queue_id = p_job.queue_id and key = p_job.key and id = p_job.id)
            then 'blocked'
        when exists (select from queue.ready where queue_id = p_job.queue_id and id = p_job.id) then 'ready'
        else 'ended' end;
end $$;

create function queue.why_blocked(p_job queue.job) returns table (
    reason text, until timestamptz, by_job bigint, by_place text, n bigint
)
    language plpgsql stable as $$
#variable_conflict use_column
begin
    return query
        with holder as (
            select id, 'running' as place, deadline as until, aseq from queue.lease
            where queue_id = p_job.queue_id and key = p_job.key and aseq is not null
            union all select id, 'dead', null, aseq from queue.halted
            where queue_id = p_job.queue_id and key = p_job.key
            union all select id, 'deferred', run_at, aseq from queue.deferred
            where queue_id = p_job.queue_id and key = p_job.key and aseq is not null
            union all select id, 'ready', null, aseq from queue.ready
            where queue_id = p_job.queue_id and key = p_job.key and aseq is not null
        )
        select 'key-blocked', h.until, h.id, h.place, (
            select count(*) from queue.blocked b
            where b.queue_id = p_job.queue_id and b.key = p_job.key and b.aseq < (
                select min(aseq) from queue.blocked c
                where c.queue_id = p_job.queue_id and c.key = p_job.key and c.id = p_job.id))
        from holder h order by h.aseq;
end $$;

create function queue.why_ready(p_job queue.job, p_queue queue.queue) returns table (
    reason text, until timestamptz, by_job bigint, by_place text, n bigint
)
    language plpgsql stable as $$
#variable_conflict use_column
declare
    v_ahead bigint;
    v_pace double precision;
begin
    return query
        select 'limit-full', min(l.deadline), (array_agg(l.id order by l.id))[1], 'running', count(*)
        from queue.lease l where l.queue_id = p_queue.id and l.is_counted
        having count(*) >= p_queue.running_max;
    return query
        select 'rate', r.at + (1 - r.tokens) / p_queue.rate_per_second * interval '1 second', null::bigint, null::text,
            null::bigint
        from queue.rate r where r.queue_id = p_queue.id and p_queue.rate_per_second is not null
            and r.tokens + extract(epoch from clock_timestamp() - r.at) * p_queue.rate_per_second < 1;
    select count(*) into v_ahead
    from queue.ready r join queue.ready mine on mine.queue_id = p_queue.id and mine.id = p_job.id
    where r.queue_id = p_queue.id and (r.priority, r.rank) < (mine.priority, mine.rank);
    -- Jobs that ended since the oldest slot of the ring was opened, a second.
    select sum(d.n) / greatest(1, extract(epoch from clock_timestamp() - min(g.opened_at))) into v_pace
    from queue.ring g left join queue.delta d on d.slot = g.slot and d.queue_id = p_queue.id and d.counter = 2;
    return query
        select 'behind', clock_timestamp() + (v_ahead + 1) / v_pace * interval '1 second', null::bigint, null::text,
            v_ahead
        where v_ahead > 0;
end $$;
