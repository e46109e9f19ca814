-- 0008: colleagues: their accounts, their roles by four eyes, their sessions, and what they saw. All locks are on new tables.

-- A colleague. The password is a PHC string of scrypt; the secret of the time codes is sealed by the master key. An attempt
-- is counted in failures before anything is compared.
create table auth.staff (
    staff_id     uuid primary key,
    login        text collate "C" not null unique check (login ~ '^[a-z][a-z0-9.-]{2,31}$'),
    name         text not null check (length(name) between 1 and 120),
    state        text not null check (state in ('active', 'disabled')),
    password     text not null check (password like '$scrypt$%'),
    time_secret  bytea not null,
    time_step    bigint not null default 0,
    failures     integer not null default 0,
    locked_until timestamptz,
    added_at     timestamptz not null,
    changed_at   timestamptz not null
);
comment on column auth.staff.time_step is
    'The step of the last time code that was accepted. A code of this step or an earlier one is not accepted again.';

grant select, insert, update on auth.staff to club_auth;

-- That somebody shall have a role: proposed by one, decided by another. The proposer is null when it is the operator at the
-- machine, who has no account; nobody decides on what they proposed, or on roles of their own. The first two accounts
-- could not exist that way: each may be given sysadmin as a founder, and there are two founders' places in all.
create table auth.staff_role_change (
    change_id  uuid primary key,
    staff_id   uuid not null references auth.staff,
    role       text not null check (role in (
        'support', 'supervisor', 'promo-editor', 'promo-approver', 'finance-operator', 'finance-approver',
        'partner-manager', 'store-clerk', 'auditor', 'data-protection-officer', 'sysadmin')),
    maker      uuid references auth.staff,
    made_at    timestamptz not null,
    checker    uuid references auth.staff,
    decided_at timestamptz,
    approved   boolean,
    founder    smallint unique check (founder in (1, 2)),
    check (checker <> maker),
    check (checker <> staff_id),
    check (maker <> staff_id),
    check ((approved is null) = (decided_at is null)),
    check (founder is null or (role = 'sysadmin' and maker is null and checker is null and approved)),
    check (founder is not null or (approved is null) = (checker is null)),
    unique (change_id, staff_id, role, approved)
);
create unique index staff_role_change_open on auth.staff_role_change (staff_id, role) where approved is null;

grant select, insert, update on auth.staff_role_change to club_auth;

-- The roles that are in force. The key into the changes is why there is none that was not approved.
create table auth.staff_role (
    staff_id  uuid not null,
    role      text not null,
    change_id uuid not null,
    approved  boolean not null default true check (approved),
    given_at  timestamptz not null,
    primary key (staff_id, role),
    foreign key (change_id, staff_id, role, approved)
        references auth.staff_role_change (change_id, staff_id, role, approved)
);

grant select, insert, delete on auth.staff_role to club_auth;

create table auth.staff_session (
    session_id uuid primary key,
    staff_id   uuid not null references auth.staff,
    device     text not null check (length(device) <= 120),
    created_at timestamptz not null,
    used_at    timestamptz not null,
    ends_at    timestamptz not null,
    revoked_at timestamptz
);
create index staff_session_staff on auth.staff_session (staff_id) where revoked_at is null;
comment on column auth.staff_session.ends_at is 'However much it is used: then both factors are asked for again.';

grant select, insert, update, delete on auth.staff_session to club_auth;

-- As auth.refresh_token.
create table auth.staff_refresh_token (
    token_hash bytea primary key,
    session_id uuid not null references auth.staff_session on delete cascade,
    issued_at  timestamptz not null,
    expires_at timestamptz not null,
    rotated_at timestamptz,
    successor  bytea,
    check ((rotated_at is null) = (successor is null))
);
create index staff_refresh_token_session on auth.staff_refresh_token (session_id);

grant select, insert, update, delete on auth.staff_refresh_token to club_auth;

-- What happened to accounts. Only ever appended to; the actor is null for the operator at the machine.
create table auth.staff_event (
    event_id bigint generated always as identity primary key,
    at       timestamptz not null,
    actor    uuid references auth.staff,
    staff_id uuid not null references auth.staff,
    what     text not null check (what in (
        'added', 'role-proposed', 'role-given', 'role-refused', 'role-taken', 'disabled', 'time-code-reset',
        'password-changed', 'logged-in', 'locked', 'token-reused')),
    role     text
);
create index staff_event_staff on auth.staff_event (staff_id, event_id desc);

-- Who looked at whose personal data, and why. Only ever appended to.
create table auth.access_log (
    access_id bigint generated always as identity primary key,
    at        timestamptz not null,
    staff_id  uuid not null references auth.staff,
    member_id uuid not null references auth.member,
    what      text not null check (length(what) between 1 and 64),
    reason    text not null check (length(reason) between 1 and 200)
);
create index access_log_member on auth.access_log (member_id, access_id desc);
create index access_log_staff on auth.access_log (staff_id, access_id desc);

create function auth.refuse_log_change() returns trigger
    language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end
$$;

create trigger staff_event_append_only
    before update or delete or truncate on auth.staff_event
    for each statement execute function auth.refuse_log_change();
create trigger access_log_append_only
    before update or delete or truncate on auth.access_log
    for each statement execute function auth.refuse_log_change();

grant select, insert on auth.staff_event, auth.access_log to club_auth;
