-- Sleeping, ringing, and fetching answers. The protocol and its proof are in Doorbell.swift and SleepProtocol.swift.

-- The worker has nothing to do. Committed before it looks once more: from here on either its look finds a job, or
-- the job's sender finds the sleeper.
create function queue.sleep(p_worker int) returns void
    language plpgsql as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    insert into queue.sleeper (worker_id, service) values (p_worker, queue.require_worker(p_worker))
    on conflict (worker_id) do nothing;
end $$;

-- Rings for queues that got jobs and for processes that got answers. Called after the sender's commit, in a transaction
-- of its own that writes no WAL record that has to reach the disk: the commit lock that NOTIFY takes is held for
-- microseconds. Only services with a sleeper are notified, and each sleeper once: under load there are no bells.
-- A sleeper that another bell has locked is being woken by it, after our job was committed.
create function queue.bell(p_queues smallint[], p_instances int[]) returns void
    language plpgsql as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    if cardinality(p_queues) > 0 then
        perform pg_notify('queue_' || w.service, 'work ' || w.sleepers) from queue.wake(p_queues) w;
    end if;
    if cardinality(p_instances) > 0 then
        perform pg_notify('queue_' || w.service, 'answer ' || w.id) from queue.worker w where w.id = any (p_instances);
    end if;
end $$;

create function queue.wake(p_queues smallint[]) returns table (service text, sleepers int)
    language plpgsql as $$
#variable_conflict use_column
begin
    return query
        with woken as (
            delete from queue.sleeper
            where ctid = any (array(
                select s.ctid from queue.sleeper s
                where s.service in (select q.owner_service from queue.queue q where q.id = any (p_queues))
                for update skip locked))
            returning service
        )
        select service, count(*)::int from woken group by service;
end $$;

-- Answers that nobody has fetched for an hour: their callers are gone.
create function queue.drop_stale_replies() returns void
    language plpgsql as $$
begin
    delete from queue.volatile_reply where at < clock_timestamp() - interval '1 hour';
    delete from queue.reply where at < clock_timestamp() - interval '1 hour';
end $$;

-- The answers that wait for this process.
create function queue.collect(p_worker int) returns table (id bigint, status smallint, body jsonb)
    language plpgsql as $$
begin
    perform queue.require_worker(p_worker);
    perform set_config('synchronous_commit', 'off', true);
    return query delete from queue.volatile_reply r where r.instance = p_worker returning r.id, r.status, r.body;
    return query delete from queue.reply r where r.instance = p_worker returning r.id, r.status, r.body;
end $$;
