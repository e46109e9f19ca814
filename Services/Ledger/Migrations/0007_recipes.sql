-- 0007: what the other recipes keep: points that wait, captures in parts, returns, adjustments, merges, reversals,
-- stickers, money. New tables, and short locks on hold and hold_purpose.

-- The whole chart. Accounts of partners, funds and campaigns are opened when these come.
insert into ledger.account (id, code, asset, holder, meaning) values
    (22,  'issued:favourite',         'PTS', 'house', 'printed for favourite products'),
    (23,  'issued:birthday',          'PTS', 'house', 'printed for birthdays'),
    (24,  'issued:welcome',           'PTS', 'house', 'printed to welcome new members'),
    (25,  'issued:goodwill',          'PTS', 'house', 'printed by support, with an approval'),
    (26,  'issued:migration',         'PTS', 'house', 'taken over from the programme before'),
    (41,  'redeemed:online',          'PTS', 'house', 'burnt for goods of an online order'),
    (50,  'certificate:funding',      'PTS', 'house', 'points turned into gift certificates'),
    (63,  'breakage:favourite',       'PTS', 'house', 'expired: points for favourite products'),
    (64,  'breakage:birthday',        'PTS', 'house', 'expired: points for birthdays'),
    (65,  'breakage:welcome',         'PTS', 'house', 'expired: points of a welcome'),
    (66,  'breakage:goodwill',        'PTS', 'house', 'expired: points given by support'),
    (67,  'breakage:migration',       'PTS', 'house', 'expired: points of the programme before'),
    (68,  'breakage:adjustment',      'PTS', 'house', 'expired: points of corrections'),
    (70,  'clawback',                 'PTS', 'house', 'taken back for returned goods'),
    (71,  'adjustment',               'PTS', 'house', 'corrections that two people have agreed to'),
    (72,  'merge',                    'PTS', 'house', 'on the way between two cards of one person; returns to zero'),
    (100, 'rub:points-funded',        'RUB', 'house', 'money that the shop owes for points'),
    (101, 'rub:charity-match',        'RUB', 'house', 'money that the shop adds to donations'),
    (102, 'rub:certificate',          'RUB', 'house', 'money on gift certificates'),
    (103, 'rub:certificate:funding',  'RUB', 'house', 'money paid for gift certificates'),
    (104, 'rub:certificate:redeemed', 'RUB', 'house', 'money of gift certificates spent for goods');

-- `adjustment` has no issuer among earnings: only an approved adjustment makes it, as `grace` is made by holds.
insert into ledger.lot_policy (lot_class, in_force_from, months, days, lasts_to_end_of, issued_by, breakage) values
    ('favourite',  '-infinity', 0, 30, 'day',   22,   63),
    ('birthday',   '-infinity', 0, 30, 'day',   23,   64),
    ('welcome',    '-infinity', 0, 30, 'day',   24,   65),
    ('goodwill',   '-infinity', 6, 0,  'month', 25,   66),
    ('migration',  '-infinity', 6, 0,  'month', 26,   67),
    ('adjustment', '-infinity', 6, 0,  'month', null, 68);

-- What a capture does beside burning points. Money legs go from `funded_by` (the points' worth) and `matched_by` (what
-- the shop adds) to `payable`. Where `settled` is named the destination is a clearing account, which returns to zero.
alter table ledger.hold_purpose
    drop constraint hold_purpose_purpose_check,
    add constraint hold_purpose_purpose_check
        check (purpose ~ '^[a-z][a-z0-9-]{0,31}(:[a-z0-9][a-z0-9-]{0,31})?$'),
    add column settled    smallint references ledger.account,
    add column funded_by  smallint references ledger.account,
    add column matched_by smallint references ledger.account,
    add column payable    smallint references ledger.account,
    add column paid       smallint references ledger.account,
    add check (funded_by is null or payable is not null),
    add check (matched_by is null or payable is not null);

insert into ledger.hold_purpose (purpose, destination, funded_by, payable) values
    ('online',      41, null, null),
    ('certificate', 50, 100,  102);

-- Numbers of the accounts that are opened later.
create sequence ledger.account_id as smallint start 1000;

-- A hold can be captured in parts while it is open, and captured points can come back with returned goods.
alter table ledger.hold add column returned bigint not null default 0;
do $$
declare
    v_check name;
begin
    select conname into strict v_check from pg_constraint
    where conrelid = 'ledger.hold'::regclass and pg_get_constraintdef(oid) like '%(captured > 0)%';
    execute format('alter table ledger.hold drop constraint %I', v_check);
end
$$;
alter table ledger.hold
    add check (state <> 'captured' or captured > 0),
    add check (state <> 'refused' or captured = 0),
    add check (returned between 0 and captured);

-- Parts that were captured of a hold before it was closed. The id is made by the caller: the part's natural key.
create table ledger.part_capture (
    capture_id     uuid   primary key,
    member_id      uuid   not null,
    hold_id        uuid   not null,
    points         bigint not null check (points > 0),
    transaction_id uuid   not null
);

create index part_capture_hold on ledger.part_capture (member_id, hold_id);

-- Points that were earned and wait. The lot is made when they mature, and its life counts from then.
create table ledger.maturing (
    member_id      uuid        not null,
    transaction_id uuid        not null,
    matures_at     timestamptz not null,
    points         bigint      not null check (points > 0),
    remaining      bigint      not null,
    receipt_id     uuid        not null,
    matured_by     uuid,
    line           smallint    not null,
    lot_class      text        not null,
    check (remaining between 0 and points),
    primary key (member_id, transaction_id, line)
);

create index maturing_due on ledger.maturing (matures_at, member_id) where remaining > 0;

-- Who has something to expire: the sweep finds them without looking at everybody. Spending and earning leave
-- next_expiry as it is, so that these updates stay HOT.
create index member_due on ledger.member (next_expiry, member_id) where next_expiry < 'infinity';

-- What was asked under an id that the caller made, and what was answered: refusals as well. Receipts, holds and parts
-- of captures are kept by what they are; everything else is here.
create table ledger.operation (
    operation_id uuid        primary key,
    member_id    uuid        not null,
    decided_at   timestamptz not null,
    kind         text        not null,
    asked        jsonb       not null,
    answer       jsonb       not null
);

create index operation_refused on ledger.operation (decided_at) where answer ? 'refusal';

-- A receipt's lines from its first return on: its points, allocated, and what has been undone of them.
create table ledger.receipt_line (
    member_id  uuid    not null,
    receipt_id uuid    not null,
    line       integer not null check (line > 0),
    sum        bigint  not null check (sum >= 0),
    earned     bigint  not null check (earned >= 0),
    spent      bigint  not null check (spent >= 0),
    returned   bigint  not null default 0,
    clawed     bigint  not null default 0,
    restored   bigint  not null default 0,
    check (returned between 0 and sum),
    check (clawed between 0 and earned),
    check (restored between 0 and spent),
    primary key (member_id, receipt_id, line)
);

-- Which holds paid for a receipt: a hold pays for one.
create table ledger.receipt_payment (
    hold_id    uuid primary key,
    member_id  uuid not null,
    receipt_id uuid not null
);

create index receipt_payment_receipt on ledger.receipt_payment (receipt_id);

-- What becomes of points for goods that come back. Versioned like lot_policy; a return goes by what was in force when
-- its receipt was posted. debt_floor: how deep a debt can become, below zero.
create table ledger.clawback_policy (
    in_force_from timestamptz primary key,
    policy        text   not null check (policy in ('only_pending', 'within_balance', 'debt')),
    debt_floor    bigint not null default 0 check (debt_floor <= 0)
);

insert into ledger.clawback_policy (in_force_from, policy, debt_floor) values ('-infinity', 'debt', -5000);

create type ledger.adjustment_state as enum ('requested', 'approved', 'rejected');

-- Corrections. What one person asks for another person decides.
create table ledger.adjustment (
    adjustment_id  uuid                    primary key,
    member_id      uuid                    not null,
    points         bigint                  not null check (points <> 0),
    maker          uuid                    not null,
    checker        uuid,
    transaction_id uuid,
    asked_at       timestamptz             not null,
    decided_at     timestamptz,
    cause          text                    not null check (cause in ('correction', 'goodwill')),
    ticket         text                    not null check (ticket <> ''),
    reason         text                    not null check (reason <> ''),
    state          ledger.adjustment_state not null default 'requested',
    constraint adjustment_four_eyes check (maker <> checker),
    check (cause <> 'goodwill' or points > 0),
    check ((state = 'requested') = (checker is null)),
    check ((state = 'requested') = (decided_at is null)),
    check ((state = 'approved') = (transaction_id is not null))
);

-- Two cards of one person made one.
create table ledger.merge (
    merge_id  uuid        primary key,
    source    uuid        not null,
    target    uuid        not null,
    left_by   uuid        not null,
    came_by   uuid        not null,
    merged_at timestamptz not null,
    check (source <> target)
);

create index merge_source on ledger.merge (source);

-- Which lot of the other card a lot was before.
create table ledger.merged_lot (
    member_id   uuid    not null,
    number      integer not null,
    from_member uuid    not null,
    from_number integer not null,
    primary key (member_id, number)
);

-- A transaction is undone once.
create table ledger.reversal (
    reversal_id    uuid                    primary key,
    member_id      uuid                    not null,
    reverses       uuid                    not null,
    transaction_id uuid                    not null,
    kind           ledger.transaction_kind not null,
    constraint reversal_once unique (reverses, kind)
);

-- Points and money on a clearing account, until they are settled or come back.
create table ledger.clearing_item (
    member_id  uuid        not null,
    opened_by  uuid        not null,
    hold_id    uuid        not null,
    points     bigint      not null check (points > 0),
    kopecks    bigint      not null check (kopecks >= 0),
    settled_by uuid,
    paid_by    uuid,
    opened_at  timestamptz not null,
    settled_at timestamptz,
    purpose    text        not null references ledger.hold_purpose,
    check ((settled_by is null) = (settled_at is null)),
    check (paid_by is null or settled_by is not null),
    primary key (member_id, opened_by)
);

create index clearing_item_open on ledger.clearing_item (purpose, opened_at) where settled_at is null;
create index clearing_item_unpaid on ledger.clearing_item (purpose, opened_at) where paid_by is null;

-- Money that somebody may spend. What is outside of the face value the database refuses.
create table ledger.certificate (
    certificate_id uuid   primary key,
    member_id      uuid   not null,
    issued_by      uuid   not null,
    kopecks        bigint not null check (kopecks between 20000 and 300000),
    remaining      bigint not null,
    funding        text   not null check (funding in ('points', 'money')),
    check (remaining between 0 and kopecks)
);

-- A sticker campaign: an asset of its own, with its accounts.
create table ledger.campaign (
    campaign text        primary key check (campaign ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
    ends_at  timestamptz not null,
    owned    smallint    not null references ledger.account,
    issued   smallint    not null references ledger.account,
    redeemed smallint    not null references ledger.account,
    breakage smallint    not null references ledger.account,
    moving   smallint    not null references ledger.account
);

create table ledger.sticker (
    member_id uuid   not null,
    campaign  text   not null references ledger.campaign,
    balance   bigint not null check (balance >= 0),
    primary key (member_id, campaign)
);

create index sticker_left on ledger.sticker (campaign, member_id) where balance > 0;

-- Who was told of which day's expiry, and how many days before.
create table ledger.reminder (
    member_id   uuid        not null,
    expires_at  timestamptz not null,
    days_before smallint    not null check (days_before > 0),
    points      bigint      not null check (points > 0),
    primary key (member_id, expires_at, days_before)
);

-- Lets change only the columns that the trigger names. `is distinct from` sees nulls.
create function ledger.guard_columns() returns trigger
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

do $$
declare
    name text;
begin
    foreach name in array array[
        'part_capture', 'receipt_payment', 'merge', 'merged_lot', 'reversal', 'reminder'
    ] loop
        execute format(
            'create trigger refuse_change before update or delete on ledger.%I '
            'for each row execute function ledger.refuse_change()', name);
    end loop;
    foreach name in array array[
        'maturing', 'receipt_line', 'adjustment', 'clearing_item', 'certificate', 'sticker', 'campaign'
    ] loop
        execute format(
            'create trigger refuse_delete before delete on ledger.%I '
            'for each row execute function ledger.refuse_change()', name);
    end loop;
    foreach name in array array[
        'part_capture', 'operation', 'receipt_payment', 'merge', 'merged_lot', 'reversal', 'reminder', 'maturing',
        'receipt_line', 'adjustment', 'clearing_item', 'certificate', 'sticker', 'campaign', 'clawback_policy'
    ] loop
        execute format(
            'create trigger refuse_truncate before truncate on ledger.%I '
            'for each statement execute function ledger.refuse_change()', name);
    end loop;
end
$$;

-- A refusal may be forgotten in time; what has changed the books may not.
create trigger refuse_change before update on ledger.operation
    for each row execute function ledger.refuse_change();
create trigger refuse_delete before delete on ledger.operation
    for each row when (not old.answer ? 'refusal') execute function ledger.refuse_change();
create trigger guard_columns before update on ledger.maturing
    for each row execute function ledger.guard_columns('remaining', 'matured_by');
create trigger guard_columns before update on ledger.receipt_line
    for each row execute function ledger.guard_columns('returned', 'clawed', 'restored');
create trigger guard_columns before update on ledger.adjustment
    for each row when (old.state = 'requested')
    execute function ledger.guard_columns('checker', 'decided_at', 'state', 'transaction_id');
create trigger guard_decided before update on ledger.adjustment
    for each row when (old.state <> 'requested') execute function ledger.refuse_change();
create trigger guard_columns before update on ledger.clearing_item
    for each row execute function ledger.guard_columns('settled_by', 'settled_at', 'paid_by');
create trigger guard_columns before update on ledger.certificate
    for each row execute function ledger.guard_columns('remaining');
create trigger guard_columns before update on ledger.sticker
    for each row execute function ledger.guard_columns('balance');
create trigger guard_columns before update on ledger.campaign
    for each row execute function ledger.guard_columns('ends_at');

grant select on all tables in schema ledger to club_ledger;
