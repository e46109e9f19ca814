-- 0007: rules that know the member, limits, budgets, and the review of rulesets.

-- Draft → review → active by a second person, or rejected by one. Small tables: the checks are made again at once.
alter table promotions.ruleset
    drop constraint ruleset_state_check,
    drop constraint ruleset_activated,
    add column submitted_at timestamptz,
    add column rejected_by text,
    add column note text,
    add constraint ruleset_state_check check (state in ('draft', 'review', 'active', 'retired', 'rejected')),
    add constraint ruleset_activated
        check ((state in ('draft', 'review', 'rejected')) = (activated_by is null)),
    add constraint ruleset_rejected check ((state = 'rejected') = (rejected_by is not null)),
    add constraint ruleset_rejected_by_another check (rejected_by <> drafted_by);
grant update (state, submitted_at, rejected_by, note) on promotions.ruleset to club_promotions;

-- What the rules know of a member beside the card. A member without a row is known by nothing.
create table promotions.member_profile (
    member_id   uuid        primary key,
    segments    text[]      not null default '{}',
    birth_month smallint    check (birth_month between 1 and 12),
    birth_day   smallint    check (birth_day between 1 and 31),
    birthday_at timestamptz,
    -- false: what the member buys is not looked at (Federal Law 152-FZ).
    is_profiled boolean     not null default true,
    -- auth's: false while a paper form waits.
    is_active   boolean     not null default true,
    is_locked   boolean     not null default false,
    language    text        not null default 'ru',
    standing_at timestamptz,
    constraint member_profile_whole_birthday check ((birth_month is null) = (birth_day is null))
);
create index member_profile_segments on promotions.member_profile using gin (segments);
grant select, insert, update, delete on promotions.member_profile to club_promotions;

-- What a counted rule gave a member in a calendar period (Moscow) of the sale.
create table promotions.rule_use (
    member_id uuid   not null,
    rule      text   not null,
    period    text   not null check (period in ('day', 'week', 'month', 'year', 'ever')),
    starts_on date   not null,
    points    bigint not null check (points >= 0),
    times     bigint not null check (times > 0),
    primary key (member_id, rule, period, starts_on)
) with (fillfactor = 80);
grant select, insert, update, delete on promotions.rule_use to club_promotions;

-- A budget is spent in slices, so that tills do not wait for each other on one row.
create table promotions.budget (
    budget  text   primary key,
    granted bigint not null check (granted > 0)
);
grant select, insert, update on promotions.budget to club_promotions;
create table promotions.budget_slice (
    budget text    not null references promotions.budget,
    slice  integer not null,
    points bigint  not null check (points >= 0),
    primary key (budget, slice)
) with (fillfactor = 50);
grant select, insert, update on promotions.budget_slice to club_promotions;

-- Stickers that receipts earned or that were exchanged, on their way into the books.
create table promotions.sticker_move (
    transfer_id uuid        primary key,
    member_id   uuid        not null,
    campaign    text        not null,
    count       bigint      not null check (count <> 0),
    receipt_id  uuid,
    rule        text,
    state       text        not null check (state in ('posting', 'done', 'refused')),
    refusal     text,
    created_at  timestamptz not null,
    constraint sticker_move_refused check ((state = 'refused') = (refusal is not null))
);
create index sticker_move_by_receipt on promotions.sticker_move (receipt_id) where receipt_id is not null;
grant select, insert, update on promotions.sticker_move to club_promotions;

-- The zone of a shop, in minutes east of Greenwich: Russia keeps no summer time.
alter table promotions.store add column utc_offset smallint not null default 180 check (utc_offset between -720 and 840);
