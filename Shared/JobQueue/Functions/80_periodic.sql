-- Periodic jobs: when they are due, how they are fired, who declares them, and what an operator does with them.
--
-- When is a job due? There are two clocks. `every` counts seconds and knows nothing of zones. A calendar rule looks at
-- the clock on the wall of its zone, which is put forward and back:
--
--     spring   01:58  01:59 | 03:00  03:01        02:30 is never shown
--     autumn   02:58  02:59 | 02:00  02:01        02:30 is shown twice
--
-- A rule with hours of its own (at 02:30) is due when the clock shows that time or a later one for the first time of
-- the day: at the end of the gap in spring (03:00), in the first of the two passes in autumn. Several times that fall
-- into one gap are due once. A rule for every hour (each 15 minutes) follows real time: it is due whenever the clock
-- shows the minute, in both passes, and has nothing to make up for in spring.

create function queue.utc_offset(p_zone text, p_at timestamptz) returns interval
    language plpgsql stable as $$
begin
    return (p_at at time zone p_zone) - (p_at at time zone 'UTC');
end $$;

-- The second at which the zone's offset became what it is at p_to; it was another one at p_from.
create function queue.zone_turn(p_zone text, p_from timestamptz, p_to timestamptz) returns timestamptz
    language plpgsql stable as $$
declare
    v_after interval := queue.utc_offset(p_zone, p_to);
    v_low bigint := floor(extract(epoch from p_from));
    v_high bigint := floor(extract(epoch from p_to));
    v_middle bigint;
begin
    while v_high - v_low > 1 loop
        v_middle := (v_low + v_high) / 2;
        if queue.utc_offset(p_zone, to_timestamp(v_middle)) = v_after then
            v_high := v_middle;
        else
            v_low := v_middle;
        end if;
    end loop;
    return to_timestamp(v_high);
end $$;

-- The latest minute that the clock on the wall has shown up to p_at. After it was put back this is more than it shows.
create function queue.wall_reached(p_zone text, p_at timestamptz) returns timestamp
    language plpgsql stable as $$
declare
    v_wall timestamp := date_trunc('minute', p_at at time zone p_zone);
    v_before interval := queue.utc_offset(p_zone, p_at - interval '1 day');
begin
    if v_before > queue.utc_offset(p_zone, p_at) then
        return greatest(
            v_wall,
            (queue.zone_turn(p_zone, p_at - interval '1 day', p_at) at time zone 'UTC') + v_before
                - interval '1 minute');
    end if;
    return v_wall;
end $$;

-- The first moment at which the clock on the wall shows p_wall or a later time.
create function queue.wall_instant(p_zone text, p_wall timestamp) returns timestamptz
    language plpgsql stable as $$
declare
    v_at timestamptz := p_wall at time zone p_zone;
    -- As if the clock had not been changed in the day before: the first pass of a time that is shown twice.
    v_first timestamptz := (p_wall - queue.utc_offset(p_zone, v_at - interval '1 day')) at time zone 'UTC';
begin
    if v_first at time zone p_zone = p_wall then
        return v_first;
    elsif v_at at time zone p_zone = p_wall then
        return v_at;
    end if;
    return queue.zone_turn(p_zone, v_at - interval '1 day', v_at);
end $$;

-- Day of the month and day of the week: when a rule names both, one of them is enough (crontab(5)).
create function queue.is_due_day(p_schedule jsonb, p_day date) returns boolean
    language plpgsql immutable as $$
declare
    v_day boolean := p_schedule -> 'days' @> to_jsonb(extract(day from p_day)::int);
    v_weekday boolean := p_schedule -> 'weekdays' @> to_jsonb(extract(dow from p_day)::int);
begin
    return coalesce(p_schedule -> 'months' @> to_jsonb(extract(month from p_day)::int), true)
        and coalesce(v_day or v_weekday, v_day, v_weekday, true);
end $$;

-- The first due day from this one on. The 29th of February can be eight years away; null: there is none.
create function queue.next_due_day(p_schedule jsonb, p_from date) returns date
    language plpgsql immutable as $$
declare
    v_day date := p_from;
begin
    for v_step in 1..1000 loop
        if not coalesce(p_schedule -> 'months' @> to_jsonb(extract(month from v_day)::int), true) then
            v_day := date_trunc('month', v_day::timestamp) + interval '1 month';
        elsif queue.is_due_day(p_schedule, v_day) then
            return v_day;
        else
            v_day := v_day + 1;
        end if;
    end loop;
    return null;
end $$;

-- The first due time on the wall after p_wall, for rules with hours of their own.
create function queue.next_wall(p_schedule jsonb, p_wall timestamp) returns timestamp
    language plpgsql immutable as $$
declare
    v_day date := p_wall::date;
    v_next timestamp;
begin
    loop
        v_day := queue.next_due_day(p_schedule, v_day);
        if v_day is null then
            return null;
        end if;
        select min(v_day + make_time(h.hour::int, m.minute, 0)) into v_next
        from jsonb_array_elements_text(p_schedule -> 'hours') h(hour)
        cross join generate_series(0, 59) m(minute)
        where coalesce(p_schedule -> 'minutes' @> to_jsonb(m.minute), true)
            and v_day + make_time(h.hour::int, m.minute, 0) > p_wall;
        if v_next is not null then
            return v_next;
        end if;
        v_day := v_day + 1;
    end loop;
end $$;

-- The first due minute after p_after, for rules of every hour. An hour of real time is looked at minute by minute:
-- that finds what the clock shows once more when it was put back over midnight. Then days that are not due are passed
-- over.
create function queue.next_minute(p_schedule jsonb, p_zone text, p_after timestamptz) returns timestamptz
    language plpgsql stable as $$
declare
    v_from timestamptz := date_trunc('minute', p_after) + interval '1 minute';
    v_next timestamptz;
    v_day date;
begin
    for v_step in 1..1000 loop
        select min(m) into v_next
        from generate_series(v_from, v_from + interval '59 minutes', interval '1 minute') m
        where coalesce(p_schedule -> 'minutes' @> to_jsonb(extract(minute from m at time zone p_zone)::int), true)
            and queue.is_due_day(p_schedule, (m at time zone p_zone)::date);
        if v_next is not null then
            return v_next;
        end if;
        v_from := v_from + interval '1 hour';
        v_day := (v_from at time zone p_zone)::date;
        if not queue.is_due_day(p_schedule, v_day) then
            v_day := queue.next_due_day(p_schedule, v_day);
            if v_day is null then
                return null;
            end if;
            v_from := greatest(v_from, queue.wall_instant(p_zone, v_day));
        end if;
    end loop;
    return null;
end $$;

-- The first due moment after p_after; null when there is none. The only place that computes it.
create function queue.next_run(p_schedule jsonb, p_zone text, p_after timestamptz) returns timestamptz
    language plpgsql stable as $$
declare
    v_every bigint := (p_schedule ->> 'every')::bigint;
    v_after bigint := floor(extract(epoch from p_after));
    v_passed bigint;
begin
    if v_every is not null then
        -- Due moments are whole seconds, counted from the anchor and not from the last one: nothing drifts.
        v_passed := (v_after - (p_schedule ->> 'anchor')::bigint) % v_every;
        return to_timestamp(v_after - v_passed + case when v_passed < 0 then 0 else v_every end);
    elsif p_schedule ? 'hours' then
        return queue.wall_instant(p_zone, queue.next_wall(p_schedule, queue.wall_reached(p_zone, p_after)));
    end if;
    return queue.next_minute(p_schedule, p_zone, p_after);
end $$;

-- The moments for which a job has to be sent now, the earliest first. After an outage the last ones count, at most as
-- many as the policy allows; the search goes back from now, so that a long outage costs no more than a short one.
-- With 'skip' a moment that is more than a minute ago is given up.
create function queue.due_moments(p_job queue.periodic, p_now timestamptz) returns timestamptz[]
    language plpgsql stable as $$
declare
    v_wanted int := case p_job.catch_up when 'all' then p_job.catch_up_max else 1 end;
    v_window interval := interval '1 minute';
    v_from timestamptz;
    v_at timestamptz;
    v_moments timestamptz[];
begin
    loop
        v_from := greatest(p_job.next_at - interval '1 microsecond', p_now - v_window);
        v_moments := '{}';
        v_at := queue.next_run(p_job.schedule, p_job.time_zone, v_from);
        while v_at <= p_now loop
            v_moments := v_moments || v_at;
            v_at := queue.next_run(p_job.schedule, p_job.time_zone, v_at);
        end loop;
        exit when cardinality(v_moments) >= v_wanted or v_from < p_job.next_at
            or (p_job.catch_up = 'skip' and v_window >= interval '1 minute');
        v_window := v_window * 4;
    end loop;
    return v_moments[greatest(1, cardinality(v_moments) - v_wanted + 1):];
end $$;

-- One job for one moment. The moment goes with it as a header: arguments are what the owner declared.
create function queue.put_periodic(p_job queue.periodic, p_moment timestamptz) returns bigint
    language plpgsql as $$
declare
    v_ids bigint[];
begin
    -- The queue may have been encrypted since the job was declared.
    perform queue.require_sealed(p_job.queue_id, array[p_job.args]);
    v_ids := queue.put_many(
        p_job.queue_id, p_job.kind, p_job.version, array[p_job.args], array[p_job.key], 2::smallint, null,
        jsonb_build_object('scheduled-for', (to_jsonb(p_moment at time zone 'UTC') #>> '{}') || 'Z'), null);
    return v_ids[1];
end $$;

-- Sends what is due of the periodic jobs p_names, once a second by each process of the service for those that its own
-- code declares. Whoever gets the lock on a row sends its jobs and moves it on, in one transaction; the others pass it
-- over. A zone that the server has lost pauses the job instead of stopping the others, and so does a queue that is
-- encrypted now.
-- Answers the queues that got something to run and whose they are, and when the next of these jobs is due.
create function queue.fire_periodic(
    p_service text, p_names text[], p_limit int, p_now timestamptz default clock_timestamp()
) returns table (queues smallint[], owners text[], next_due_ms bigint)
    language plpgsql as $$
declare
    v_job queue.periodic;
    v_moment timestamptz;
    v_next timestamptz;
begin
    perform queue.require_service(p_service);
    perform set_config('synchronous_commit', 'off', true);
    queues := '{}';
    for v_job in
        select p.* from queue.periodic p join queue.queue q on q.id = p.queue_id
        where p.owner_service = p_service and p.name = any (p_names) and p.paused_at is null and p.next_at <= p_now
            and (q.producers is null or q.owner_service = p_service or p_service = any (q.producers))
        order by p.next_at limit p_limit
        for update of p skip locked
    loop
        begin
            v_next := queue.next_run(v_job.schedule, v_job.time_zone, p_now);
            foreach v_moment in array queue.due_moments(v_job, p_now) loop
                v_job.last_job := queue.put_periodic(v_job, v_moment);
                v_job.last_at := v_moment;
                queues := queues || v_job.queue_id;
            end loop;
            update queue.periodic
            set next_at = v_next, last_at = v_job.last_at, last_job = v_job.last_job
            where name = v_job.name;
        exception when invalid_parameter_value or sqlstate 'QL009' then
            update queue.periodic set paused_at = p_now where name = v_job.name;
            insert into queue.audit (action, queue_id, periodic, reason)
            values ('pause', v_job.queue_id, v_job.name, case when sqlstate = 'QL009' then sqlerrm
                else 'the server does not know ' || v_job.time_zone end);
        end;
    end loop;
    select coalesce(array_agg(q.id), '{}'), coalesce(array_agg(q.owner_service), '{}') into queues, owners
    from queue.queue q where q.id = any (queues);
    select ceil(extract(epoch from min(p.next_at) - p_now) * 1000)::bigint into next_due_ms
    from queue.periodic p
    where p.owner_service = p_service and p.name = any (p_names) and p.paused_at is null;
    return next;
end $$;

-- A process states its periodic jobs when it starts and once an hour. Only rows of its service change, and only where
-- the text does; a row whose schedule is the same keeps its next moment. During a deploy two versions state different
-- things: the process that started last has its way, so that they do not take turns. p_started is null the first
-- time, and then what this function answered. A job that nobody states any more stays, and nobody fires it.
create function queue.declare_periodic(
    p_service text, p_jobs jsonb, p_started timestamptz default null, p_now timestamptz default clock_timestamp()
) returns timestamptz
    language plpgsql as $$
declare
    v_started timestamptz := coalesce(p_started, p_now);
    v_job record;
begin
    perform queue.require_service(p_service);
    perform queue.resolve(array(select d ->> 'queue' from jsonb_array_elements(p_jobs) d));
    for v_job in
        select d.*, q.id as queue_id, q.owner_service, q.producers
        from jsonb_to_recordset(p_jobs) d(
            name text, queue text, kind text, version smallint, key text, args jsonb, schedule jsonb,
            schedule_text text, time_zone text, catch_up text, catch_up_max int)
        join queue.queue q on q.name = d.queue
        order by d.name
    loop
        if split_part(v_job.name, '.', 1) <> p_service then
            raise exception 'service % may not declare the periodic job %', p_service, v_job.name
                using errcode = 'insufficient_privilege';
        end if;
        perform queue.require_producer(v_job.owner_service, v_job.producers);
        perform queue.require_sealed(v_job.queue_id, array[v_job.args]);
        if not exists (select from queue.periodic where name = v_job.name and time_zone = v_job.time_zone)
            and not exists (select from pg_timezone_names where name = v_job.time_zone)
        then
            raise exception 'the server does not know the time zone %', v_job.time_zone
                using errcode = 'invalid_parameter_value';
        end if;
        insert into queue.periodic as p (
            name, owner_service, queue_id, kind, version, key, args, schedule, schedule_text, time_zone, catch_up,
            catch_up_max, next_at, defined_at, declared_at)
        values (
            v_job.name, p_service, v_job.queue_id, v_job.kind, v_job.version, v_job.key, v_job.args, v_job.schedule,
            v_job.schedule_text, v_job.time_zone, v_job.catch_up, v_job.catch_up_max,
            queue.next_run(v_job.schedule, v_job.time_zone, p_now), v_started, p_now)
        on conflict (name) do update
        set next_at = case
                when (p.schedule, p.time_zone) = (excluded.schedule, excluded.time_zone) then p.next_at
                else excluded.next_at
            end,
            queue_id = excluded.queue_id, kind = excluded.kind, version = excluded.version, key = excluded.key,
            args = excluded.args, schedule = excluded.schedule, schedule_text = excluded.schedule_text,
            time_zone = excluded.time_zone, catch_up = excluded.catch_up, catch_up_max = excluded.catch_up_max,
            defined_at = excluded.defined_at
        where p.defined_at <= excluded.defined_at;
        update queue.periodic set declared_at = p_now where name = v_job.name;
    end loop;
    return v_started;
end $$;

-- The periodic job of this name, for whoever may act for its owner.
create function queue.require_periodic(p_name text) returns queue.periodic
    language plpgsql stable as $$
declare
    v_job queue.periodic;
begin
    select * into v_job from queue.periodic where name = p_name;
    if not found then
        raise exception 'periodic job % does not exist', p_name using errcode = 'QL008';
    end if;
    perform queue.require_service(v_job.owner_service);
    return v_job;
end $$;

create function queue.pause_periodic(p_name text, p_reason text) returns void
    language plpgsql as $$
declare
    v_job queue.periodic := queue.require_periodic(p_name);
begin
    update queue.periodic set paused_at = clock_timestamp() where name = p_name and paused_at is null;
    if found then
        insert into queue.audit (action, queue_id, periodic, reason)
        values ('pause', v_job.queue_id, p_name, p_reason);
    end if;
end $$;

-- What came due during the pause is not made up for: somebody wanted it not to run.
create function queue.resume_periodic(p_name text, p_reason text) returns void
    language plpgsql as $$
declare
    v_job queue.periodic := queue.require_periodic(p_name);
begin
    update queue.periodic
    set paused_at = null, next_at = queue.next_run(schedule, time_zone, clock_timestamp())
    where name = p_name and paused_at is not null;
    if found then
        insert into queue.audit (action, queue_id, periodic, reason)
        values ('resume', v_job.queue_id, p_name, p_reason);
    end if;
end $$;

-- One job now, beside the schedule, which does not move; of a paused one too. Answers the job and the queue to ring.
create function queue.run_periodic(p_name text, p_reason text) returns table (job_id bigint, queue_id smallint)
    language plpgsql as $$
declare
    v_job queue.periodic := queue.require_periodic(p_name);
    v_now timestamptz := date_trunc('milliseconds', clock_timestamp());
begin
    queue_id := v_job.queue_id;
    job_id := queue.put_periodic(v_job, v_now);
    update queue.periodic p set last_at = v_now, last_job = run_periodic.job_id where p.name = p_name;
    insert into queue.audit (action, queue_id, job_id, periodic, reason)
    values ('run-now', v_job.queue_id, run_periodic.job_id, p_name, p_reason);
    return next;
end $$;

-- The periodic jobs: a service sees its own, an operator all. A job that no process has stated for a day is no longer
-- declared.
create function queue.list_periodic() returns table (
    name text, owner_service text, queue text, kind text, schedule_text text, time_zone text, catch_up text,
    catch_up_max int, next_at timestamptz, last_at timestamptz, last_job bigint, last_outcome text,
    paused_at timestamptz, declared_at timestamptz, is_declared boolean
)
    language plpgsql stable as $$
#variable_conflict use_column
begin
    return query
        select p.name, p.owner_service, q.name, p.kind, p.schedule_text, p.time_zone, p.catch_up, p.catch_up_max,
            p.next_at, p.last_at, p.last_job, o.outcome, p.paused_at, p.declared_at,
            p.declared_at > clock_timestamp() - interval '1 day'
        from queue.periodic p
        join queue.queue q on q.id = p.queue_id
        left join lateral (
            select case state when 2 then 'completed' when 3 then 'failed' when 4 then 'dead' when 5 then 'cancelled'
                else 'lost' end as outcome
            from queue.outcome where id = p.last_job order by attempt desc, at desc limit 1) o on true
        where queue.caller() = p.owner_service or queue.is_operator()
        order by p.name;
end $$;

-- The next moments of a periodic job, so that a person can see what a schedule means.
create function queue.preview_periodic(p_name text, p_count int, p_after timestamptz default clock_timestamp())
returns setof timestamptz
    language plpgsql stable as $$
declare
    v_job queue.periodic := queue.require_periodic(p_name);
    v_at timestamptz := p_after;
begin
    for v_step in 1..p_count loop
        v_at := queue.next_run(v_job.schedule, v_job.time_zone, v_at);
        exit when v_at is null;
        return next v_at;
    end loop;
end $$;
