-- 0004: codes that confirm one action of a member, codes for a new phone, and log-in by card number.
-- Locks auth.challenge for a moment: its rows are few and a day old at most.

alter table auth.challenge drop constraint challenge_purpose_check;
alter table auth.challenge add constraint challenge_purpose_check check (purpose in ('login', 'step-up', 'phone'));
alter table auth.challenge alter column network_index drop not null;
alter table auth.challenge add column binding bytea check (length(binding) = 32);
alter table auth.challenge add column is_decoy boolean not null default false;
alter table auth.challenge add column by_card boolean not null default false;
alter table auth.challenge add constraint challenge_decoy check (by_card or not is_decoy);
alter table auth.challenge add constraint challenge_bound check ((purpose = 'step-up') = (binding is not null));
comment on column auth.challenge.network_index is
    'HMAC of the asking /24 or /64, never the address; null where a service asked over the bus.';
comment on column auth.challenge.binding is
    'SHA-256 of who confirms what: a part of what the code is derived from, so that it confirms nothing else.';
comment on column auth.challenge.is_decoy is
    'Asked for by a card number that is nobody''s, or whose phone has no quota left: no message, no right answer.';
comment on column auth.challenge.by_card is
    'Asked for by card number: how far the message came is not told, since of a decoy there is none.';

-- What a code confirms, sealed by the master key: the message says it, and targets may name people.
create table auth.step_up (
    challenge_id uuid primary key references auth.challenge on delete cascade,
    member_id    uuid not null references auth.member,
    subject      bytea not null,
    created_at   timestamptz not null
);
create index step_up_member on auth.step_up (member_id, created_at);

grant select, insert, delete on auth.step_up to club_auth;

-- A phone that is to become a member's: a code to the old one (the step-up) and a code to the new one (the challenge).
create table auth.phone_change (
    change_id    uuid primary key references auth.step_up on delete cascade,
    member_id    uuid not null references auth.member,
    challenge_id uuid not null unique references auth.challenge on delete cascade,
    created_at   timestamptz not null
);

grant select, insert, delete on auth.phone_change to club_auth;

-- How a member stands beside the state.
alter table auth.member add column is_spending_locked boolean not null default false;
alter table auth.member add column phone_changed_at timestamptz;
alter table auth.member add column language text not null default 'ru' check (language in ('ru', 'en'));
