-- 0002: one-time codes by SMS: challenges, what throttles them, and the messages sent. Every lock is on new tables.

-- The random secret that codes are derived with, sealed by the master key. A new one is taken into use every day and an
-- old one is deleted once no code derived with it can be valid: from then on nothing can recompute those codes.
create table auth.code_pepper (
    pepper_id  integer generated always as identity primary key,
    sealed     bytea not null,
    created_at timestamptz not null
);

grant select, insert, update, delete on auth.code_pepper to club_auth;

-- A code asked for. The code itself is nowhere: it is derived from challenge_id and the pepper when it is sent and
-- when it is checked. Challenges are kept for the longest window of the quotas, then deleted.
create table auth.challenge (
    challenge_id  uuid primary key,
    purpose       text not null check (purpose in ('login', 'step-up')),
    pepper_id     integer not null,
    phone_index   bytea not null,
    phone         bytea not null,
    prefix        text not null check (prefix ~ '^[0-9]{7}$'),
    network_index bytea not null,
    digits        smallint not null check (digits in (4, 6)),
    attempts      smallint not null default 0,
    sends         smallint not null default 1,
    created_at    timestamptz not null,
    sent_at       timestamptz not null,
    expires_at    timestamptz not null,
    verified_at   timestamptz
);
create index challenge_phone on auth.challenge (phone_index, created_at);
create index challenge_network on auth.challenge (network_index, created_at);
create index challenge_prefix on auth.challenge (prefix, created_at);
create index challenge_created on auth.challenge (created_at);
comment on column auth.challenge.phone is 'The number, sealed with a key of auth: an unknown phone has no member key.';
comment on column auth.challenge.network_index is 'HMAC of the asking /24 or /64, never the address.';

grant select, insert, update, delete on auth.challenge to club_auth;

-- One row per phone, network and prefix that asked lately. Its row lock makes admissions of the same key follow each
-- other, so that quotas hold under concurrency.
create table auth.throttle (
    scope            text not null check (scope in ('phone', 'network', 'prefix')),
    key              bytea not null,
    failures         integer not null default 0,
    restricted_until timestamptz,
    touched_at       timestamptz not null,
    primary key (scope, key)
);
create index throttle_touched on auth.throttle (touched_at);
comment on column auth.throttle.failures is
    'phone: code checks since the last right one, over all challenges; counted before each comparison.';
comment on column auth.throttle.restricted_until is
    'phone: 4-digit codes are neither issued nor accepted until then; prefix: no message is sent to it until then.';

grant select, insert, update, delete on auth.throttle to club_auth;

-- Code checks in buckets of five minutes: the failure rate and its baseline.
create table auth.code_check (
    bucket   timestamptz primary key,
    checks   bigint not null,
    failures bigint not null check (failures between 0 and checks)
);

grant select, insert, update, delete on auth.code_check to club_auth;

-- What the daily budget of messages is counted with.
create table auth.sms_budget (
    day  date primary key,
    sent integer not null
);

grant select, insert, update, delete on auth.sms_budget to club_auth;

-- Every sending of a code and how far it came. State only rises (0 queued, 1 accepted, 2 failed, 3 delivered), because
-- gateways report twice and out of order. The reference is what the gateway is given: it reveals no challenge.
create table auth.sms (
    reference    uuid primary key,
    challenge_id uuid not null references auth.challenge on delete cascade,
    sending      smallint not null,
    state        smallint not null default 0 check (state between 0 and 3),
    changed_at   timestamptz not null,
    unique (challenge_id, sending)
);

grant select, insert, update, delete on auth.sms to club_auth;

-- The development gateway's pigeonholes: `club sms` reads them. With a real gateway the table stays empty.
create table auth.sms_outbox (
    message_id bigint generated always as identity primary key,
    reference  uuid not null unique,
    recipient  text not null,
    body       text not null,
    sent_at    timestamptz not null
);
create index sms_outbox_recipient on auth.sms_outbox (recipient, message_id desc);

grant select, insert, delete on auth.sms_outbox to club_auth;

-- A phone that was proved by a code and is nobody's yet: good for one registration.
create table auth.registration_ticket (
    ticket_hash bytea primary key,
    phone_index bytea not null,
    phone       bytea not null,
    expires_at  timestamptz not null,
    used_at     timestamptz
);
create index registration_ticket_expires on auth.registration_ticket (expires_at);

grant select, insert, update, delete on auth.registration_ticket to club_auth;
