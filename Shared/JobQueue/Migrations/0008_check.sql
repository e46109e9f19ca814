-- 0008: the invariants. Tests call it after every scenario; an operator may call it at any time. It reads one
-- snapshot, so it is right while jobs run. Every row it returns is a defect.

create function queue.check() returns table (violation text, job_id bigint)
    language plpgsql stable as $$
#variable_conflict use_column
begin
    if not queue.is_operator() then
        raise exception 'only an operator may check the queue' using errcode = 'insufficient_privilege';
    end if;
    return query
        with place as (
            select id, queue_id from queue.ready
            union all select id, queue_id from queue.deferred
            union all select id, queue_id from queue.lease
        ), places as (
            select id, count(*) as n from place group by id
        ), ended as (
            select o.id, count(*) as n from queue.outcome o
            where o.state in (2, 4) and not exists (
                select from queue.audit a
                where a.action = 'redrive' and a.job_id = o.id and a.attempt >= o.attempt)
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
            where l.attempt - queue.epoch(l.id) > q.attempts_max;
end $$;
