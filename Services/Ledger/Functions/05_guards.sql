-- What keeps the rows of the books as they are, whoever writes. Triggers hold on to these functions, so they are
-- replaced and not dropped (00_reset.sql leaves them).

create or replace function ledger.refuse_change() returns trigger
language plpgsql set search_path = ledger, pg_temp
as $$
begin
    raise exception 'ledger.% refuses %', tg_table_name, tg_op using errcode = 'object_not_in_prerequisite_state';
end
$$;

-- Lets change only the columns that the trigger names. `is distinct from` sees nulls.
create or replace function ledger.guard_columns() returns trigger
language plpgsql set search_path = ledger, pg_temp
as $$
begin
    if (to_jsonb(new) - tg_argv) is distinct from (to_jsonb(old) - tg_argv) then
        raise exception 'ledger.%: only % may change', tg_table_name, array_to_string(tg_argv, ', ')
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    return new;
end
$$;

-- A lot may lose and regain points; nothing else about it changes.
-- `is distinct from` on whole rows: a null on either side is a difference, not an unknown.
create or replace function ledger.guard_lot() returns trigger
language plpgsql set search_path = ledger, pg_temp
as $$
begin
    old.remaining := new.remaining;
    if old is distinct from new then
        raise exception 'ledger.lot: only remaining may change' using errcode = 'object_not_in_prerequisite_state';
    end if;
    return new;
end
$$;

-- Of an open hold more and more can be captured, until it is settled, once. After that captured points may come back.
create or replace function ledger.guard_hold() returns trigger
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    was ledger.hold := old;
begin
    if old.state = 'open' and new.captured >= old.captured then
        was.state := new.state;
        was.captured := new.captured;
        was.settled_by := new.settled_by;
        was.settled_at := new.settled_at;
    end if;
    if new.returned > old.returned then
        was.returned := new.returned;
    end if;
    if was is distinct from new or new is not distinct from old then
        raise exception 'ledger.hold: an open hold is settled once' using errcode = 'object_not_in_prerequisite_state';
    end if;
    return new;
end
$$;
