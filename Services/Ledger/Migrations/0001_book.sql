-- 0001: the book: chart of accounts, members' balances, transactions, postings, lots, holds, and what keeps them true.
-- New schema, so nothing is locked.
--
-- No foreign keys between the tables of the hot path: each one costs a look-up and a row lock (and its WAL) for every
-- posting. Only the functions of the next files write here, and `club ledger verify` looks for orphans.

create schema ledger;

-- Roles belong to the whole cluster: another database's migration may be making this one at the same moment.
do $$
begin
    create role club_ledger login;
exception
    when duplicate_object or unique_violation then null;
end
$$;

grant club_bus to club_ledger;

-- The chart of accounts. A posting names the member it is about, so "member: available" is one row for all members.
-- Balances are credits minus debits; issued accounts go negative: they say who printed the points.
create table ledger.account (
    id      smallint primary key,
    code    text     not null unique,
    asset   text     not null,
    holder  text     not null check (holder in ('member', 'house')),
    meaning text     not null
);

insert into ledger.account (id, code, asset, holder, meaning) values
    (1,  'member:available',      'PTS', 'member', 'spendable points, backed by lots'),
    (2,  'member:pending',        'PTS', 'member', 'points earned that have not matured'),
    (3,  'member:held',           'PTS', 'member', 'points reserved by open holds'),
    (4,  'member:debt',           'PTS', 'member', 'claw-back that the balance could not cover (negative here)'),
    (20, 'issued:purchase',       'PTS', 'house',  'printed for purchases'),
    (21, 'issued:promotion',      'PTS', 'house',  'printed for promotions'),
    (40, 'redeemed:till',         'PTS', 'house',  'burnt for goods at a till'),
    (60, 'breakage:regular',      'PTS', 'house',  'expired: regular points'),
    (61, 'breakage:promotional',  'PTS', 'house',  'expired: promotional points'),
    (62, 'breakage:grace',        'PTS', 'house',  'expired: points that came back from a hold after their expiry');

-- What a class of points lives for. Versioned: the row in force is the newest one not after the moment of crediting.
-- Lifetimes count in Moscow's calendar and last to the end of a month or of a day there.
create table ledger.lot_policy (
    lot_class     text        not null check (lot_class ~ '^[a-z][a-z0-9-]{0,31}$'),
    in_force_from timestamptz not null,
    months        smallint    not null default 0 check (months between 0 and 120),
    days          smallint    not null default 0 check (days between 0 and 3660),
    lasts_to_end_of text      not null check (lasts_to_end_of in ('month', 'day')),
    issued_by     smallint    references ledger.account,
    breakage      smallint    not null references ledger.account,
    primary key (lot_class, in_force_from)
);

-- `grace` has no issuer: nobody earns it, holds give it back.
insert into ledger.lot_policy (lot_class, in_force_from, months, days, lasts_to_end_of, issued_by, breakage) values
    ('regular',     '-infinity', 6, 0,  'month', 20,   60),
    ('promotional', '-infinity', 0, 30, 'day',   21,   61),
    ('grace',       '-infinity', 0, 14, 'day',   null, 62);

-- Where captured points go, by what the hold was for.
create table ledger.hold_purpose (
    purpose     text     primary key check (purpose ~ '^[a-z][a-z0-9-]{0,31}$'),
    destination smallint not null references ledger.account
);

insert into ledger.hold_purpose (purpose, destination) values ('till', 40);

-- One row per member: the only rows that every receipt updates, and the lock that serialises a member's operations.
create table ledger.member (
    member_id   uuid        primary key,
    available   bigint      not null default 0 check (available >= 0),
    pending     bigint      not null default 0 check (pending >= 0),
    held        bigint      not null default 0 check (held >= 0),
    debt        bigint      not null default 0 check (debt >= 0),
    -- transactions so far: the number of the newest one, without gaps
    version     bigint      not null default 0 check (version >= 0),
    -- lots so far: the number of the newest one
    lots        integer     not null default 0 check (lots >= 0),
    -- no lot with something left expires before this; may be too early, never too late
    next_expiry timestamptz not null default 'infinity',
    -- when the newest transaction was recorded: the next one is recorded later, whatever the clocks say
    recorded_at timestamptz not null default '-infinity'
) with (fillfactor = 60);

create type ledger.transaction_kind as enum ('earn', 'hold', 'capture', 'void', 'expire');

-- The id is a UUIDv7 made here from recorded_at, which rises with every transaction of a member. So the primary key
-- is the member's feed in its order, and a range of ids is a range of time: partitions are months.
create table ledger.transaction (
    member_id       uuid                    not null,
    id              uuid                    not null,
    version         bigint                  not null check (version > 0),
    recorded_at     timestamptz             not null,
    effective_at    timestamptz             not null,
    -- for sealing: everything below the oldest running transaction is final
    xid             xid8                    not null default pg_current_xact_id(),
    available_after bigint                  not null check (available_after >= 0),
    pending_after   bigint                  not null check (pending_after >= 0),
    held_after      bigint                  not null check (held_after >= 0),
    debt_after      bigint                  not null check (debt_after >= 0),
    -- the receipt or the hold; null for what only time has caused
    subject         uuid check (subject is not null or kind = 'expire'),
    kind            ledger.transaction_kind not null,
    primary key (member_id, id)
) partition by range (id);

-- One row is one debit and one credit, so the books balance by construction. A posting that touches
-- member:available names the lot it adds to (credit) or takes from (debit): postings are the lots' moves as well.
create table ledger.posting (
    transaction_id uuid     not null,
    member_id      uuid     not null,
    amount         bigint   not null check (amount > 0),
    lot            integer,
    line           smallint not null check (line > 0),
    debit          smallint not null,
    credit         smallint not null,
    -- the accrual rule that paid it
    rule           text,
    check (debit <> credit),
    check ((1 in (debit, credit)) = (lot is not null)),
    primary key (transaction_id, line, member_id)
) partition by range (transaction_id);

-- Points of one class that expire together. Spent first-expiring-first: expires_at, then number.
-- `remaining` is in no index, so spending from a lot is a HOT update.
create table ledger.lot (
    member_id  uuid        not null,
    expires_at timestamptz not null,
    number     integer     not null check (number > 0),
    lot_class  text        not null,
    earned_at  timestamptz not null,
    source     uuid        not null,
    amount     bigint      not null check (amount > 0),
    remaining  bigint      not null,
    check (remaining between 0 and amount),
    primary key (member_id, expires_at, number)
) with (fillfactor = 80);

-- The natural keys of receipts. Not partitioned and without the member in its keys: a receipt is the same one
-- whichever month or member it is sent for.
create table ledger.receipt (
    receipt_id     uuid   primary key,
    fn             bigint not null check (fn between 0 and 9999999999999999),
    fd             bigint not null check (fd between 1 and 9999999999),
    fpd            bigint not null check (fpd between 0 and 4294967295),
    total          bigint not null check (total >= 0),
    ruleset        bigint not null,
    member_id      uuid   not null,
    transaction_id uuid   not null,
    store          text   not null,
    constraint receipt_fiscal_triple unique (fn, fd, fpd)
);

-- Receipts that came again with other content, kept whole as evidence; the first one stands.
create table ledger.refused_receipt (
    id         bigint      generated always as identity primary key,
    receipt_id uuid        not null,
    member_id  uuid        not null,
    -- the receipt in the books that has the same id or the same fiscal triple
    standing   uuid        not null,
    refused_at timestamptz not null,
    said       jsonb       not null
);

create type ledger.hold_state as enum ('open', 'captured', 'voided', 'expired', 'refused');

-- The natural key of holds: whose hold an id is.
create table ledger.hold_key (
    hold_id   uuid primary key,
    member_id uuid not null
);

-- A hold that was refused is a row too: the same answer is given again, and its id stays burnt.
create table ledger.hold (
    member_id      uuid              not null,
    hold_id        uuid              not null,
    points         bigint            not null check (points > 0),
    captured       bigint            not null default 0 check (captured between 0 and points),
    -- what was available when it was asked for
    available      bigint            not null check (available >= 0),
    placed_by      uuid,
    settled_by     uuid,
    placed_at      timestamptz       not null,
    expires_at     timestamptz       not null,
    settled_at     timestamptz,
    purpose        text              not null references ledger.hold_purpose,
    state          ledger.hold_state not null,
    check (state <> 'refused' or (placed_by is null and settled_by is null and points > available)),
    check (state = 'refused' or placed_by is not null),
    check ((state in ('captured', 'voided', 'expired')) = (settled_by is not null and settled_at is not null)),
    check ((state = 'captured') = (captured > 0)),
    primary key (member_id, hold_id)
) with (fillfactor = 70);

create index hold_deadline on ledger.hold (expires_at, member_id) where state = 'open';

create function ledger.refuse_change() returns trigger
language plpgsql set search_path = ledger, pg_temp
as $$
begin
    raise exception 'ledger.% refuses %', tg_table_name, tg_op using errcode = 'object_not_in_prerequisite_state';
end
$$;

-- A lot may lose and regain points, a hold may be settled once; nothing else about them changes.
-- `is distinct from` on whole rows: a null on either side is a difference, not an unknown.
create function ledger.guard_lot() returns trigger
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

create function ledger.guard_hold() returns trigger
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

create trigger refuse_change before update or delete on ledger.transaction
    for each row execute function ledger.refuse_change();
create trigger refuse_change before update or delete on ledger.posting
    for each row execute function ledger.refuse_change();
create trigger refuse_change before update or delete on ledger.receipt
    for each row execute function ledger.refuse_change();
create trigger refuse_change before update or delete on ledger.refused_receipt
    for each row execute function ledger.refuse_change();
create trigger refuse_change before update or delete on ledger.hold_key
    for each row execute function ledger.refuse_change();
create trigger refuse_delete before delete on ledger.member
    for each row execute function ledger.refuse_change();
create trigger refuse_delete before delete on ledger.lot
    for each row execute function ledger.refuse_change();
create trigger refuse_delete before delete on ledger.hold
    for each row execute function ledger.refuse_change();
create trigger guard_lot before update on ledger.lot
    for each row execute function ledger.guard_lot();
create trigger guard_hold before update on ledger.hold
    for each row execute function ledger.guard_hold();

-- Row triggers do not see TRUNCATE. (Partitions get theirs from make_partitions.)
do $$
declare
    name text;
begin
    foreach name in array array[
        'account', 'lot_policy', 'hold_purpose', 'member', 'transaction', 'posting', 'lot', 'receipt',
        'refused_receipt', 'hold_key', 'hold'
    ] loop
        execute format(
            'create trigger refuse_truncate before truncate on ledger.%I '
            'for each statement execute function ledger.refuse_change()', name);
    end loop;
end
$$;

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

select ledger.make_partitions(now(), 4);
