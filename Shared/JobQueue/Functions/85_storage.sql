-- Flat storage: what has been worked off is thrown away by the table, not by the row.
--
-- ready and delta are rings of eight leaves. Writers use the slot that queue.ring opened last; a sealed slot that has run
-- empty is truncated, which works under the oldest snapshot, where vacuum cannot take anything away. The small hot tables
-- are compacted the same way: the living rows are put aside, the table is emptied, and they are put back.
-- Each step asks for its lock and gives up at once if it is not to be had; the next round tries again.

-- Seals the current slot when it is old or large, and opens the next one. Not too often: each truncation leaves dead rows
-- in the catalogue, which an old snapshot keeps alive. Answers the slot that was opened, or null: also when somebody else
-- opened it a moment ago, for whom this one waits.
create function queue.rotate(p_age interval default '60 seconds', p_bytes bigint default 8388608) returns smallint
    language plpgsql as $$
declare
    v_current smallint;
    v_opened timestamptz;
    v_next smallint;
    v_bytes bigint;
begin
    select slot, opened_at into v_current, v_opened from queue.ring order by generation desc limit 1;
    v_bytes := pg_relation_size(queue.leaf('ready', v_current)) + pg_relation_size(queue.leaf('delta', v_current));
    if v_bytes < p_bytes and (v_bytes = 0 or v_opened > clock_timestamp() - p_age) then
        return null;
    end if;
    select s.slot into v_next
    from generate_series(1, 7) n cross join lateral (select ((v_current + n) % 8)::smallint as slot) s
    where not exists (select from queue.ring r where r.slot = s.slot)
        and pg_relation_size(queue.leaf('ready', s.slot)) = 0
    order by n limit 1;
    if v_next is null then
        return null;  -- all slots are in use: vacuum has to do, until one has run empty
    end if;
    insert into queue.ring (slot) values (v_next) on conflict (slot) do nothing returning slot into v_next;
    return v_next;
end $$;

create function queue.leaf(p_parent text, p_slot smallint) returns regclass
    language plpgsql stable as $$
begin
    return format('queue.%I', p_parent || '_' || p_slot)::regclass;
end $$;

-- Empties a sealed slot that has run empty, and folds its counters. Writers that have not committed yet hold a lock that
-- keeps us out; one that read the ring long ago and inserts only now is found by queue.find_strays.
-- Answers 'current', 'busy', 'not empty' or 'truncated'.
create function queue.sweep_slot(p_slot smallint) returns text
    language plpgsql as $$
declare
    v_is_busy boolean;
begin
    if p_slot = queue.current_slot() then
        return 'current';
    end if;
    execute format('select exists (select from %s)', queue.leaf('ready', p_slot)) into v_is_busy;
    if v_is_busy then
        return 'not empty';
    end if;
    begin
        execute format('lock table %s, %s in access exclusive mode nowait', queue.leaf('ready', p_slot),
            queue.leaf('delta', p_slot));
    exception when lock_not_available then
        return 'busy';
    end;
    -- Under the lock once more: it may have been emptied, taken out of the ring and opened again while we came here.
    if p_slot = queue.current_slot() then
        return 'current';
    end if;
    execute format('select exists (select from %s)', queue.leaf('ready', p_slot)) into v_is_busy;
    if v_is_busy then
        return 'not empty';
    end if;
    execute format(
        'insert into queue.counter (queue_id, counter, n)
         select queue_id, counter, sum(n) from %s group by queue_id, counter order by 1, 2
         on conflict (queue_id, counter) do update set n = counter.n + excluded.n', queue.leaf('delta', p_slot));
    execute format('truncate %s, %s', queue.leaf('ready', p_slot), queue.leaf('delta', p_slot));
    delete from queue.ring where slot = p_slot;
    return 'truncated';
end $$;

-- All slots of the ring, the oldest first. Answers what became of each.
create function queue.sweep() returns text
    language plpgsql as $$
declare
    v_slot smallint;
    v_words text := '';
begin
    for v_slot in select slot from queue.ring order by generation loop
        v_words := concat_ws(', ', nullif(v_words, ''), queue.sweep_slot(v_slot));
    end loop;
    return v_words;
end $$;

-- Slots outside of the ring in which somebody has put a row all the same come back into it, as the oldest.
create function queue.find_strays() returns int
    language plpgsql as $$
declare
    v_slot smallint;
    v_is_used boolean;
    v_count int := 0;
begin
    for v_slot in
        select s::smallint from generate_series(0, 7) s
        where not exists (select from queue.ring r where r.slot = s)
            and pg_relation_size(queue.leaf('ready', s::smallint)) > 0
    loop
        execute format('select exists (select from %s)', queue.leaf('ready', v_slot)) into v_is_used;
        if v_is_used then
            insert into queue.ring (generation, slot) overriding system value
            select min(generation) - 1, v_slot from queue.ring
            on conflict do nothing;
            v_count := v_count + found::int;
        end if;
    end loop;
    return v_count;
end $$;

-- Puts the living rows of a small table aside, empties it, and puts them back.
-- Answers 'busy', 'too many rows', or 'kept n'.
create function queue.compact(p_table text, p_most int default 20000) returns text
    language plpgsql as $$
declare
    v_count int;
begin
    if to_regclass('queue.spare_' || p_table) is null then
        raise exception '% is no table that is compacted', p_table using errcode = 'invalid_parameter_value';
    end if;
    perform set_config('lock_timeout', '20ms', true);
    begin
        execute format('lock table queue.%I in access exclusive mode', p_table);
    exception when lock_not_available then
        return 'busy';
    end;
    execute format('truncate queue.%I', 'spare_' || p_table);
    execute format('insert into queue.%I select * from queue.%I limit %s', 'spare_' || p_table, p_table, p_most + 1);
    get diagnostics v_count = row_count;
    if v_count > p_most then
        execute format('truncate queue.%I', 'spare_' || p_table);
        return 'too many rows';
    end if;
    execute format('truncate queue.%I', p_table);
    execute format(
        'insert into queue.%I overriding system value select * from queue.%I', p_table, 'spare_' || p_table);
    execute format('truncate queue.%I', 'spare_' || p_table);
    return 'kept ' || v_count;
end $$;

-- Compacts the tables that hold much more than their living rows need. A live row of these takes less than 200 bytes.
create function queue.compact_bloated(p_bytes bigint default 4194304) returns text[]
    language plpgsql as $$
declare
    v_table text;
    v_count bigint;
    v_done text[] := '{}';
begin
    for v_table in
        select substr(c.relname, 7) from pg_class c
        where c.relnamespace = 'queue'::regnamespace and c.relname like 'spare\_%' and c.relkind = 'r'
            and pg_relation_size('queue.' || substr(c.relname, 7)) > p_bytes
        order by 1
    loop
        execute format('select count(*) from (select from queue.%I limit 20001) r', v_table) into v_count;
        if v_count <= 20000 and v_count * 400 < pg_relation_size('queue.' || v_table) then
            v_done := v_done || (v_table || ': ' || queue.compact(v_table));
        end if;
    end loop;
    return v_done;
end $$;

-- What keeps the storage flat, every few seconds, by whichever process comes first. Each step is a statement of its own
-- for the caller, in a transaction of its own: so no lock is held longer than its step.
create function queue.keep_flat(p_worker int, p_step text) returns text
    language plpgsql as $$
begin
    perform queue.require_worker(p_worker);
    perform set_config('synchronous_commit', 'off', true);
    if not pg_try_advisory_xact_lock(queue.chore_class(), hashtext('flat ' || p_step)) then
        return 'somebody else is at it';
    end if;
    case p_step
    when 'turn' then
        perform queue.find_strays();
        return coalesce('opened ' || queue.rotate(), 'nothing opened') || ', ' || queue.sweep();
    when 'sweep' then
        return queue.sweep();
    when 'compact' then
        return array_to_string(queue.compact_bloated(), ', ');
    when 'tidy' then
        return queue.tidy();
    when 'retain' then
        return queue.prepare_days(7) || ' made, ' || queue.drop_days() || ' dropped';
    else
        raise exception 'there is no step %', p_step using errcode = 'invalid_parameter_value';
    end case;
end $$;

-- Small things that are over: windows of dedup, progress and cancellations of jobs that do not run, answers that nobody
-- fetched for an hour; and keys whose hand-over went wrong, of which there should be none.
create function queue.tidy() returns text
    language plpgsql as $$
declare
    v_queue smallint;
    v_helped int := 0;
    v_now timestamptz := clock_timestamp();  -- by itself it would end no search of an index
begin
    delete from queue.dedup d where d.ctid = any (array(
        select ctid from queue.dedup where until < v_now order by until limit 10000));
    delete from queue.dedup d where d.until is null and queue.has_ended(d.id);
    delete from queue.progress p where not exists (select from queue.lease l where l.id = p.id);
    delete from queue.cancellation c where not exists (select from queue.lease l where l.id = c.id);
    perform queue.drop_stale_replies();
    for v_queue in select id from queue.queue where key_limit is not null order by id loop
        v_helped := v_helped + queue.open_gates(v_queue);
    end loop;
    -- A sender that was slower than the first declaration of its queue.
    for v_queue in
        select id from queue.queue q
        where key_limit is null and not is_fair and declared_at is not null
            and exists (select from queue.arrival a where a.queue_id = q.id)
    loop
        perform queue.let_through(v_queue);
    end loop;
    return v_helped || ' keys helped';
end $$;

create function queue.day_first_id(p_day date) returns bigint
    language sql immutable
    return (extract(epoch from p_day::timestamp)::bigint * 1000) << 20;

-- Makes the partitions of `job` and `outcome` from today on. Attaching a ready-made table takes no lock that stops
-- readers or writers of the parent; if the default partition is busy, the next call tries again.
create function queue.prepare_days(p_ahead int) returns int
    language plpgsql as $$
declare
    v_parent text;
    v_day date;
    v_name text;
    v_made int := 0;
begin
    if not pg_try_advisory_xact_lock(queue.chore_class(), hashtext('prepare_days')) then
        return 0;
    end if;
    perform set_config('lock_timeout', '250ms', true);
    foreach v_parent in array array['job', 'outcome'] loop
        for v_offset in 0..p_ahead loop
            v_day := (clock_timestamp() at time zone 'UTC')::date + v_offset;
            v_name := v_parent || to_char(v_day, '_YYYYMMDD');
            continue when to_regclass('queue.' || v_name) is not null;
            execute format('create table queue.%I (like queue.%I including all)', v_name, v_parent);
            execute format(
                'alter table queue.%I set (autovacuum_vacuum_insert_scale_factor = 0.2,
                    autovacuum_analyze_scale_factor = 0.2)', v_name);
            execute format(
                'alter table queue.%I attach partition queue.%I for values from (%s) to (%s)', v_parent, v_name,
                queue.day_first_id(v_day), queue.day_first_id(v_day + 1));
            v_made := v_made + 1;
        end loop;
    end loop;
    return v_made;
end $$;

-- Drops the days that no queue wants to remember any more. A job of such a day that has not ended (it was put off, or
-- its key waits for a person) moves to the default partition first, with its outcomes. Answers the tables dropped.
create function queue.drop_days(p_now timestamptz default clock_timestamp()) returns int
    language plpgsql as $$
declare
    v_keep int := (select coalesce(max(retention_days), 14) from queue.queue);
    v_last date := (p_now at time zone 'UTC')::date - v_keep - 1;
    v_name text;
    v_day date;
    v_dropped int := 0;
begin
    perform set_config('lock_timeout', '250ms', true);
    for v_name, v_day in
        select c.relname, to_date(right(c.relname, 8), 'YYYYMMDD') from pg_class c
        where c.relnamespace = 'queue'::regnamespace and c.relname ~ '^job_\d{8}$'
            and to_date(right(c.relname, 8), 'YYYYMMDD') <= v_last
        order by 1
    loop
        v_dropped := v_dropped + queue.drop_day(v_day);
    end loop;
    return v_dropped;
end $$;

create function queue.drop_day(p_day date) returns int
    language plpgsql as $$
declare
    v_parent text;
    v_name text;
    v_ids bigint[];
    v_first bigint := queue.day_first_id(p_day);
    v_last bigint := queue.day_first_id(p_day + 1) - 1;
begin
    begin
        lock table queue.job, queue.outcome in access exclusive mode;
    exception when lock_not_available then
        return 0;
    end;
    select array_agg(id) into v_ids from (
        select id from queue.ready where id between v_first and v_last
        union all select id from queue.deferred where id between v_first and v_last
        union all select id from queue.arrival where id between v_first and v_last
        union all select id from queue.blocked where id between v_first and v_last
        union all select id from queue.lease where id between v_first and v_last
        union all select id from queue.halted where id between v_first and v_last) living;
    insert into queue.counter (queue_id, counter, n)
    select queue_id, 10, count(*) from queue.job
    where id between v_first and v_last and id <> all (coalesce(v_ids, '{}')) group by queue_id
    on conflict (queue_id, counter) do update set n = counter.n + excluded.n;
    foreach v_parent in array array['job', 'outcome'] loop
        v_name := v_parent || to_char(p_day, '_YYYYMMDD');
        continue when to_regclass('queue.' || v_name) is null;
        execute format('alter table queue.%I detach partition queue.%I', v_parent, v_name);
        execute format('insert into queue.%I select * from queue.%I where id = any ($1)', v_parent, v_name) using v_ids;
        execute format('drop table queue.%I', v_name);
    end loop;
    return 1;
end $$;
