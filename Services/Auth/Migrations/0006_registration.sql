-- 0006: the other ways to become a member: support's drafts, paper forms, printed cards. New tables, one column.

-- Filled in by a colleague of the support line, confirmed by whoever has the phone. Sealed by the master key, because
-- there is no member yet; a draft that nobody confirms is deleted.
create table auth.registration_draft (
    draft_id    uuid primary key,
    phone_index bytea not null unique check (length(phone_index) = 32),
    full_name   bytea not null,
    staff_id    uuid not null,
    created_at  timestamptz not null,
    expires_at  timestamptz not null
);
create index registration_draft_expires on auth.registration_draft (expires_at);

grant select, insert, update, delete on auth.registration_draft to club_auth;

-- A paper form that a clerk entered. Its member's card earns at once; spending waits for the confirmation: by a code to
-- the phone, or by itself twenty calendar days later.
create table auth.paper_form (
    member_id    uuid primary key references auth.member,
    form_number  text collate "C" not null unique check (length(form_number) between 1 and 32),
    store        text not null check (length(store) between 1 and 32),
    staff_id     uuid not null,
    entered_at   timestamptz not null,
    confirm_at   timestamptz not null,
    confirmed_at timestamptz,
    confirmed_by text check (confirmed_by in ('sms', 'time')),
    check ((confirmed_at is null) = (confirmed_by is null)),
    check (confirmed_by <> 'time' or confirmed_at >= confirm_at)
);
create index paper_form_waiting on auth.paper_form (confirm_at) where confirmed_at is null;

grant select, insert, update on auth.paper_form to club_auth;

-- Printed cards that are nobody's yet.
create table auth.card_stock (
    card      text primary key check (card ~ '^[0-9]{16}$'),
    batch     text collate "C" not null check (length(batch) between 1 and 64),
    loaded_at timestamptz not null,
    taken_at  timestamptz
);

grant select, insert, update on auth.card_stock to club_auth;

-- Whoever holds a ticket may name a printed card; a few wrong ones, and the ticket takes no more.
alter table auth.registration_ticket add column card_failures smallint not null default 0;
