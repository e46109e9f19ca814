-- 0002: redemptions and their steps, as Shared/Redemption has them. New tables only.

create table charity.redemption (
    member_id     uuid        not null,
    redemption_id uuid        not null,
    purpose       text        not null,
    points        bigint      not null check (points > 0),
    worth         bigint      not null check (worth >= 0),
    match         bigint      not null check (match >= 0),
    target        text        not null check (char_length(target) between 1 and 100),
    pause         interval    not null,
    quoted_until  timestamptz not null,
    created_at    timestamptz not null,
    undo_id       uuid        not null,
    state         text        not null check (
        state in ('quoted', 'confirming', 'reserving', 'reserved', 'submitted', 'unknown', 'accepted', 'credited',
            'settled', 'rejected', 'cancelling', 'reversed', 'manual', 'expired')),
    step          integer     not null,
    tries         integer     not null,
    state_since   timestamptz not null,
    due_at        timestamptz,
    step_up_id    uuid,
    reason        text,
    reference     text,
    captured_by   uuid,
    primary key (member_id, redemption_id)
) with (fillfactor = 70);
create index on charity.redemption (due_at) where due_at is not null;
create index on charity.redemption (state_since) where state not in ('settled', 'reversed', 'expired');

create table charity.redemption_step (
    member_id     uuid        not null,
    redemption_id uuid        not null,
    step          integer     not null,
    state         text        not null,
    reason        text,
    at            timestamptz not null,
    primary key (member_id, redemption_id, step)
);

grant select, insert, update on charity.redemption to club_charity;
grant select, insert on charity.redemption_step to club_charity;
