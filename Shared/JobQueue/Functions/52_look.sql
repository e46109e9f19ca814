-- Looking: the one statement by which a worker asks for all of its queues at once.

-- In which of these queues one slot of the ring has something. repeated: batched queues with repeated attempts.
-- waiting: batched queues with first attempts, of those that are asked (p_asks), and other queues with anything behind
-- their floor. The answer to "is there one" is a row, not EXISTS, which the planner may turn into a table of all there are.
do $outer$
declare
    v_branches text;
begin
    select string_agg(format($text$
    when %1$s then
        select array_agg(f.number) filter (where f.is_repeated), array_agg(f.number) filter (where f.is_waiting)
        into repeated, waiting
        from (
            select l.number,
                case when l.batched then (
                    select true from queue.ready_%1$s r where r.queue_id = l.number and r.attempt > 0 limit 1)
                end as is_repeated,
                case when not l.batched then (
                    select true from queue.ready_%1$s r
                    where r.queue_id = l.number
                        and (r.priority, r.rank) > (coalesce(l.floor_priority, -1)::smallint, coalesce(l.floor, 0))
                    limit 1)
                when l.asks is not false then (
                    select true from queue.ready_%1$s r where r.queue_id = l.number and r.attempt = 0 limit 1)
                end as is_waiting
            from unnest(p_queues, p_batched, p_floor_priorities, p_floors, p_asks)
                l(number, batched, floor_priority, floor, asks)
        ) f;$text$, slot), '')
    into v_branches
    from generate_series(0, 7) slot;
    execute format($text$
create function queue.occupied(
    p_slot smallint, p_queues smallint[], p_batched boolean[], p_floor_priorities smallint[], p_floors bigint[],
    p_asks boolean[], out repeated smallint[], out waiting smallint[]
)
    language plpgsql as $$
begin
    case p_slot%s
    end case;
end $$;
$text$, v_branches);
end $outer$;

-- Claims for all queues of a worker in one statement, each up to its limit, oldest slot of the ring first.
-- Of a batched queue only repeated attempts are claimed. A row without an id is a word about its queue:
--   there is something to take in batches (wait_ms is null), or look again in so many milliseconds.
-- Whether there is something to take is not asked of queues (p_asks) whose batches are being taken already: it would walk
-- over all that was taken since the slot was opened.
create function queue.look(
    p_worker int, p_queues smallint[], p_limits int[], p_batched boolean[], p_floor_priorities smallint[] default null,
    p_floors bigint[] default null, p_asks boolean[] default null
) returns table (
    id bigint, attempt smallint, queue_id smallint, kind text, version smallint, args jsonb, headers jsonb,
    cause_id bigint, reply_to int, reply_class smallint, deadline timestamptz, priority smallint, rank bigint,
    wait_ms bigint
)
    language plpgsql as $$
#variable_conflict use_column
declare
    v_service text := queue.require_worker(p_worker);
    v record;
    v_queue queue.queue;
    v_slot smallint;
    v_left int;
    v_got int;
    v_count int;
    v_min smallint;
    v_lease interval;
    v_counted boolean;
    v_is_cut boolean;
    v_number smallint;
    v_found record;
    v_repeated smallint[] := '{}';
    v_waiting smallint[] := '{}';
begin
    perform set_config('synchronous_commit', 'off', true);
    for v_number in
        select q.id from queue.queue q
        where q.id = any (p_queues) and (q.key_limit is not null or q.is_fair) and q.paused_at is null
            and q.owner_service = v_service
        order by q.id
    loop
        perform queue.admit(v_number, 1000);
    end loop;
    -- Most looks find nothing, and most queues have nothing: one question for all of them, instead of several for each.
    for v_slot in select slot from queue.ring order by generation loop
        v_found := queue.occupied(v_slot, p_queues, p_batched, p_floor_priorities, p_floors, p_asks);
        v_repeated := v_repeated || v_found.repeated;
        v_waiting := v_waiting || v_found.waiting;
    end loop;
    for v in
        select l.number, l.free, l.batched, coalesce(l.floor_priority, -1)::smallint as floor_priority,
            coalesce(l.floor, 0) as floor
        from unnest(p_queues, p_limits, p_batched, p_floor_priorities, p_floors)
            l(number, free, batched, floor_priority, floor)
        where l.number = any (v_repeated) or l.number = any (v_waiting)
    loop
        select * into v_queue from queue.queue q
        where q.id = v.number and q.paused_at is null and q.owner_service = v_service;
        continue when not found;
        v_left := v.free;
        if v_queue.running_max is not null or v_queue.rate_per_second is not null then
            v_left := queue.allowance(v_queue, v.free);
        end if;
        v_is_cut := v_left < v.free;
        v_min := case when v.batched then 1 else 0 end;
        v_lease := v_queue.lease_ms * interval '1 millisecond';
        v_counted := v_queue.running_max is not null;
        v_got := 0;
        for v_slot in select slot from queue.ring order by generation loop
            exit when v_left <= 0 or v.batched and not v.number = any (v_repeated);
            case v_slot
            when 0 then
                return query select *, null::bigint from queue.claim_0(
                    p_worker, v.number, v_left, v_lease, v_min, v_counted, v_queue.key_limit is not null,
                    v.floor_priority, v.floor);
            when 1 then
                return query select *, null::bigint from queue.claim_1(
                    p_worker, v.number, v_left, v_lease, v_min, v_counted, v_queue.key_limit is not null,
                    v.floor_priority, v.floor);
            when 2 then
                return query select *, null::bigint from queue.claim_2(
                    p_worker, v.number, v_left, v_lease, v_min, v_counted, v_queue.key_limit is not null,
                    v.floor_priority, v.floor);
            when 3 then
                return query select *, null::bigint from queue.claim_3(
                    p_worker, v.number, v_left, v_lease, v_min, v_counted, v_queue.key_limit is not null,
                    v.floor_priority, v.floor);
            when 4 then
                return query select *, null::bigint from queue.claim_4(
                    p_worker, v.number, v_left, v_lease, v_min, v_counted, v_queue.key_limit is not null,
                    v.floor_priority, v.floor);
            when 5 then
                return query select *, null::bigint from queue.claim_5(
                    p_worker, v.number, v_left, v_lease, v_min, v_counted, v_queue.key_limit is not null,
                    v.floor_priority, v.floor);
            when 6 then
                return query select *, null::bigint from queue.claim_6(
                    p_worker, v.number, v_left, v_lease, v_min, v_counted, v_queue.key_limit is not null,
                    v.floor_priority, v.floor);
            when 7 then
                return query select *, null::bigint from queue.claim_7(
                    p_worker, v.number, v_left, v_lease, v_min, v_counted, v_queue.key_limit is not null,
                    v.floor_priority, v.floor);
            end case;
            get diagnostics v_count = row_count;
            v_left := v_left - v_count;
            v_got := v_got + v_count;
        end loop;
        perform queue.spend(v_queue, v_got);
        if v_is_cut and v_left <= 0 and v_queue.rate_per_second is not null then
            queue_id := v.number;
            wait_ms := ceil(greatest(1000 / v_queue.rate_per_second, 50));
            return next;
            wait_ms := null;
        end if;
        if v.batched and v.number = any (v_waiting) then
            queue_id := v.number;
            return next;
        end if;
        queue_id := null;
    end loop;
end $$;
