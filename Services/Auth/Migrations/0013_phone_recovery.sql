-- 0013: a member who has lost the old phone gets another by two colleagues, and spends nothing for a while. Adds a column
-- without rewriting rows; one new table.

alter table auth.member add column value_held_until timestamptz;
create index member_value_held on auth.member (value_held_until) where value_held_until is not null;
comment on column auth.member.value_held_until is
    'Colleagues have changed the phone: nothing of value leaves until then. Housekeeping takes it away and tells the others.';

-- The new phone, sealed by the master key, stands here until it is decided.
create table auth.phone_recovery (
    recovery_id uuid primary key,
    member_id   uuid not null references auth.member,
    phone       bytea,
    phone_index bytea check (length(phone_index) = 32),
    reason      text not null check (length(reason) between 1 and 200),
    maker       uuid not null references auth.staff,
    made_at     timestamptz not null,
    expires_at  timestamptz not null,
    checker     uuid references auth.staff,
    decided_at  timestamptz,
    approved    boolean,
    check (checker <> maker),
    check ((phone is null) = (phone_index is null)),
    check ((approved is null) = (phone is not null)),
    check ((approved is null) = (decided_at is null) and (decided_at is null) = (checker is null))
);
create unique index phone_recovery_open on auth.phone_recovery (member_id) where approved is null;
create index phone_recovery_expires on auth.phone_recovery (expires_at) where approved is null;

grant select, insert, update, delete on auth.phone_recovery to club_auth;
