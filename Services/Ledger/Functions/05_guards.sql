-- What keeps the rows of the books as they are, whoever writes. Triggers hold on to these functions, so they are
-- replaced and not dropped (00_reset.sql leaves them).

create or replace function ledger.refuse_change() returns trigger
language plpgsql set search_path = ledger, pg_temp
as $$
begin
    raise exception 'ledger.% refuses %', tg_table_name, tg_op using errcode = 'object_not_in_prerequisite_state';
end
$$;

-- A lot may lose and regain points, a hold may be settled once; nothing else about them changes.
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

create or replace function ledger.guard_hold() returns trigger
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    settled ledger.hold := new;
begin
    settled.state := old.state;
    settled.captured := old.captured;
    settled.settled_by := old.settled_by;
    settled.settled_at := old.settled_at;
    if old.state is distinct from 'open' or new.state is not distinct from 'open' or settled is distinct from old then
        raise exception 'ledger.hold: an open hold is settled once' using errcode = 'object_not_in_prerequisite_state';
    end if;
    return new;
end
$$;
