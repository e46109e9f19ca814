-- 0001: the schema of auth, its role, and who the members are. Every lock is on new tables.

create schema auth;

do $$
begin
    if not exists (select from pg_roles where rolname = 'club_auth') then
        create role club_auth login;
    end if;
end
$$;

grant club_bus to club_auth;
grant usage on schema auth to club_auth;

-- A member as the rest of the house knows one: a pseudonymous id and a state. Who it is stands in personal_data.
create table auth.member (
    member_id      uuid primary key,
    state          text not null check (state in ('pending', 'active', 'erased')),
    registered_via text not null check (registered_via in ('web', 'import', 'support', 'paper', 'plastic-card')),
    reference      text collate "C" unique check (length(reference) between 1 and 64),
    registered_at  timestamptz not null
);
comment on column auth.member.reference is
    'The name an importer knows the member by; makes a second import of the same people change nothing.';

grant select, insert, update on auth.member to club_auth;

-- Personal fields, each sealed with the member's own key; that key is wrapped by the master key. Destroying wrapped_key
-- (and the phone's look-up value) is what erasure does: whatever a backup still holds cannot be read any more.
create table auth.personal_data (
    member_id   uuid primary key references auth.member,
    wrapped_key bytea,
    full_name   bytea not null,
    phone       bytea,
    phone_index bytea unique check (length(phone_index) = 32),
    changed_at  timestamptz not null,
    check (phone_index is null or phone is not null)
);
comment on column auth.personal_data.phone_index is
    'HMAC-SHA256 of the number under the look-up secret: finds a member by phone without the phone being readable.';

grant select, insert, update on auth.personal_data to club_auth;

create table auth.card (
    card      text primary key check (card ~ '^[0-9]{16}$'),
    member_id uuid not null references auth.member,
    kind      text not null check (kind in ('virtual', 'plastic')),
    state     text not null check (state in ('active', 'blocked')),
    issued_at timestamptz not null
);
create index card_member on auth.card (member_id);

grant select, insert, update on auth.card to club_auth;

-- What each member agreed to or refused, when, where, and which wording was shown. A withdrawal is another row.
create table auth.consent (
    consent_id   bigint generated always as identity primary key,
    member_id    uuid not null references auth.member,
    purpose      text not null check (purpose in ('terms', 'personal-data', 'marketing')),
    channel      text not null check (channel in ('any', 'sms', 'email', 'push')),
    text_version text not null check (length(text_version) between 1 and 32),
    granted      boolean not null,
    source       text not null check (source in ('web', 'import', 'support', 'paper', 'cabinet')),
    recorded_at  timestamptz not null
);
create index consent_member on auth.consent (member_id, purpose, channel, consent_id desc);

create function auth.refuse_change() returns trigger
    language plpgsql as $$
begin
    raise exception 'the consent ledger is append-only' using errcode = 'restrict_violation';
end
$$;

create trigger consent_append_only
    before update or delete on auth.consent
    for each row execute function auth.refuse_change();
create trigger consent_never_emptied
    before truncate on auth.consent
    for each statement execute function auth.refuse_change();

grant select, insert on auth.consent to club_auth;
