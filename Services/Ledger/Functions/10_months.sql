-- Ids and moments of transactions, and the months that they are kept in.

-- The smallest UUIDv7 of a moment: where a month begins among the ids. No month begins before 1970.
create function ledger.id_floor(p_at timestamptz) returns uuid
language sql stable parallel safe
as $$
    select (lpad(to_hex(floor(extract(epoch from p_at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- A UUIDv7 (RFC 9562 §5.7; the counter of §6.2 method 1 keeps a batch's ids in its order).
create function ledger.new_id(p_at timestamptz, p_counter bigint default 0) returns uuid
language sql volatile parallel safe
as $$
    select (lpad(to_hex(floor(extract(epoch from p_at) * 1000)::bigint), 12, '0')
        || '7' || lpad(to_hex(p_counter & 4095), 3, '0') || substr(gen_random_uuid()::text, 20))::uuid
$$;

-- When a member's next transaction is recorded: now, but after the last one even when another process's clock was
-- ahead.
create function ledger.next_moment(p_at timestamptz, p_last timestamptz) returns timestamptz
language sql stable parallel safe
as $$
    select greatest(p_at, p_last + interval '1 millisecond')
$$;

-- Makes the months' partitions from p_from on; returns how many were missing. There is no default partition: a
-- transaction of a month without one is refused and its job retried, instead of landing where nobody looks.
create function ledger.make_partitions(p_from timestamptz, p_months integer) returns integer
language plpgsql security definer set search_path = ledger, pg_temp
as $$
declare
    parent text;
    part   text;
    first  timestamp;
    made   integer := 0;
begin
    if p_months not between 1 and 240 then
        raise exception 'months out of range' using errcode = 'invalid_parameter_value';
    end if;
    perform pg_advisory_xact_lock(hashtext('ledger.make_partitions'));
    foreach parent in array array['transaction', 'posting'] loop
        for first in
            select date_trunc('month', p_from at time zone 'UTC') + make_interval(months => n)
            from generate_series(0, p_months - 1) as n
        loop
            part := format('%s_%s', parent, to_char(first, 'YYYY_MM'));
            continue when to_regclass('ledger.' || quote_ident(part)) is not null;
            -- Made apart and attached: that does not lock out those who write to the other months.
            execute format(
                'create table ledger.%I (like ledger.%I including defaults including constraints)', part, parent);
            execute format(
                'alter table ledger.%I attach partition ledger.%I for values from (%L) to (%L)', parent, part,
                id_floor(first at time zone 'UTC'), id_floor((first + interval '1 month') at time zone 'UTC'));
            execute format(
                'create trigger refuse_truncate before truncate on ledger.%I '
                'for each statement execute function ledger.refuse_change()', part);
            made := made + 1;
        end loop;
    end loop;
    return made;
end
$$;
