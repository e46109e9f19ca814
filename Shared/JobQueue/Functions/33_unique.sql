-- Jobs that are sent once however often they are asked for.

-- A job that must not be there twice: p_unique names it within its queue for so long after it was sent (p_window_ms), or
-- as long as it is unfinished (null). When it is there already, p_policy says what happens:
--   ignore    nothing; the job that is there stands for this one
--   replace   that job gets these arguments, if it has not begun; else this one is sent
--   debounce  as replace, and it waits anew, until the window has passed without another one
-- Answers the id of the job that stands for this one, and whether it is this one.
create function queue.send_unique(
    p_queue smallint, p_kind text, p_version smallint, p_args jsonb, p_key text, p_priority smallint,
    p_run_at timestamptz, p_headers jsonb, p_cause bigint, p_deadline timestamptz,
    p_unique text, p_window_ms bigint, p_policy text
) returns table (id bigint, is_new boolean)
    language plpgsql as $$
#variable_conflict use_column
declare
    v_until timestamptz := clock_timestamp() + p_window_ms * interval '1 millisecond';
    v_run_at timestamptz := case when p_policy = 'debounce' then v_until else p_run_at end;
    v_id bigint := queue.new_id();
    v_known queue.dedup;
begin
    if p_policy not in ('ignore', 'replace', 'debounce') or (p_policy = 'debounce' and p_window_ms is null) then
        raise exception 'there is no policy % with this window', p_policy using errcode = 'invalid_parameter_value';
    end if;
    -- Here already, because the job that is there can be looked at and changed before anything is sent.
    perform queue.require_producer(
        (select owner_service from queue.queue q where q.id = p_queue),
        (select producers from queue.queue q where q.id = p_queue));
    perform queue.require_sealed(p_queue, array[p_args]);
    -- The second of two senders waits here for the first one's end.
    insert into queue.dedup (queue_id, id, until, key) values (p_queue, v_id, v_until, p_unique)
    on conflict (queue_id, key) do nothing;
    if not found then
        select * into v_known from queue.dedup d where d.queue_id = p_queue and d.key = p_unique for update;
        if v_known.until > clock_timestamp() or (v_known.until is null and not queue.has_ended(v_known.id)) then
            if p_policy = 'ignore' or queue.replace(v_known.id, p_args, p_headers, v_run_at) then
                update queue.dedup d set until = v_until
                where p_policy = 'debounce' and d.queue_id = p_queue and d.key = p_unique;
                return query select v_known.id, false;
                return;
            end if;
        end if;
        insert into queue.dedup (queue_id, id, until, key) values (p_queue, v_id, v_until, p_unique)
        on conflict (queue_id, key) do update set id = excluded.id, until = excluded.until;
    end if;
    return query select queue.send(
        p_queue, p_kind, p_version, p_args, p_key, p_priority, v_run_at, p_headers, p_cause, v_id, p_deadline), true;
end $$;

-- Gives a job that has not begun other arguments. The lock on its place keeps it from beginning meanwhile.
create function queue.replace(p_id bigint, p_args jsonb, p_headers jsonb, p_run_at timestamptz) returns boolean
    language plpgsql as $$
declare
    v_job queue.job;
begin
    select * into v_job from queue.job j where j.id = p_id;
    perform from queue.deferred d where d.id = p_id and d.attempt = 0 for update skip locked;
    if found then
        if p_run_at is not null then
            update queue.deferred d set run_at = p_run_at where d.id = p_id;
        end if;
    else
        perform from queue.ready r
        where r.queue_id = v_job.queue_id and r.priority = v_job.priority and r.rank = p_id and r.id = p_id
            and r.attempt = 0
        for update skip locked;
        if not found then
            return false;
        end if;
    end if;
    update queue.job j set args = p_args, headers = p_headers where j.id = p_id;
    return true;
end $$;

create function queue.has_ended(p_id bigint) returns boolean
    language plpgsql stable as $$
begin
    return exists (
            select from queue.outcome o
            where o.id = p_id and o.state in (2, 4, 5) and not exists (
                select from queue.audit a
                where a.action = 'redrive' and a.job_id = o.id and a.attempt >= o.attempt))
        or not exists (select from queue.job j where j.id = p_id);
end $$;
