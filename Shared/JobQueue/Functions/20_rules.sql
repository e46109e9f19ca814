-- What the functions of the way of a job share: ids, ranks, counters.

create function queue.new_id() returns bigint
    language plpgsql as $$
begin
    return ((extract(epoch from clock_timestamp()) * 1000)::bigint << 20) | (nextval('queue.job_number') & 524287);
end $$;

create function queue.id_time(p_id bigint) returns timestamptz
    language sql immutable
    return to_timestamp((p_id >> 20) / 1000.0);

create function queue.current_slot() returns smallint
    language plpgsql stable as $$
begin
    return (select slot from queue.ring order by generation desc limit 1);
end $$;

-- Claims run in the order of (priority, rank). As a rule the rank is the id. Where priorities age, all jobs have
-- priority 0 and a rank of the moment at which they count as most urgent: an old job of low priority comes before a
-- young one of high priority, and nothing is ever rewritten while it waits.
create function queue.rank_priority(p_priority smallint, p_ageing_ms bigint) returns smallint
    language plpgsql immutable as $$
begin
    return case when p_ageing_ms is null then p_priority else 0 end;
end $$;

create function queue.rank(p_id bigint, p_priority smallint, p_ageing_ms bigint) returns bigint
    language plpgsql immutable as $$
begin
    return case when p_ageing_ms is null then p_id else p_id + ((p_priority * p_ageing_ms) << 20) end;
end $$;

-- The counters. Levels (deferred, blocked) go up and down; the others only grow.
create function queue.counter_name(p_counter smallint) returns text
    language sql immutable
    return (array['sent', 'completed', 'failed', 'dead', 'cancelled', 'lost', 'deferred', 'blocked', 'redriven',
        'forgotten'])[p_counter];

create function queue.note(p_queue smallint, p_counter int, p_n int) returns void
    language plpgsql as $$
begin
    if p_n <> 0 then
        insert into queue.delta (slot, queue_id, counter, n)
        values (queue.current_slot(), p_queue, p_counter::smallint, p_n);
    end if;
end $$;
