-- 0005: the profile that members keep themselves, who changed what in it, and the consents as they are asked for.
-- Adds columns without rewriting rows; new tables.

alter table auth.personal_data add column birthday bytea;
alter table auth.personal_data add column email bytea;
alter table auth.personal_data add column email_verified_at timestamptz;
alter table auth.personal_data add column identity_index bytea check (length(identity_index) = 32);
alter table auth.personal_data add constraint personal_data_email check ((email is null) = (email_verified_at is null));
create index personal_data_identity on auth.personal_data (identity_index) where identity_index is not null;
comment on column auth.personal_data.identity_index is
    'HMAC-SHA256 of name and birthday: finds the same person twice without either being readable.';

alter table auth.member add column favourite_store text check (length(favourite_store) between 1 and 32);
alter table auth.member add column birthday_changes smallint not null default 0
    check (birthday_changes between 0 and 2);
comment on column auth.member.birthday_changes is
    'Set once and corrected once: whoever may move the birthday has one every month.';

-- Every change of a field of a profile: which, when, by whom. The values are sealed with the member's key and go with it.
create table auth.profile_change (
    change_id  bigint generated always as identity primary key,
    member_id  uuid not null references auth.member,
    field      text not null check (field in ('full-name', 'phone', 'birthday', 'email', 'favourite-store', 'language')),
    before     bytea,
    after      bytea,
    source     text not null check (source in ('cabinet', 'staff', 'registration')),
    actor      uuid not null,
    changed_at timestamptz not null
);
create index profile_change_member on auth.profile_change (member_id, change_id);
comment on column auth.profile_change.actor is 'The session of the member, or the colleague.';

create function auth.refuse_profile_change() returns trigger
    language plpgsql as $$
begin
    raise exception 'the audit of profiles is append-only' using errcode = 'restrict_violation';
end
$$;

create trigger profile_change_append_only
    before update or delete on auth.profile_change
    for each row execute function auth.refuse_profile_change();
create trigger profile_change_never_emptied
    before truncate on auth.profile_change
    for each statement execute function auth.refuse_profile_change();

grant select, insert on auth.profile_change to club_auth;

-- Purposes beside the three of registration, and where else a choice may be made. 'code' is the second half of a double
-- opt-in: the choice was confirmed by a code to that very channel.
alter table auth.consent drop constraint consent_purpose_check;
alter table auth.consent add constraint consent_purpose_check
    check (purpose in ('terms', 'personal-data', 'marketing', 'reminders', 'profiling'));
alter table auth.consent drop constraint consent_source_check;
alter table auth.consent add constraint consent_source_check
    check (source in ('web', 'import', 'support', 'paper', 'cabinet', 'code', 'reply'));

-- Codes by e-mail: to prove an address, or to agree to advertising by it. As with SMS the code is nowhere.
create table auth.email_challenge (
    challenge_id uuid primary key,
    member_id    uuid not null references auth.member,
    purpose      text not null check (purpose in ('address', 'marketing')),
    email        bytea not null,
    pepper_id    integer not null,
    attempts     smallint not null default 0,
    created_at   timestamptz not null,
    expires_at   timestamptz not null,
    verified_at  timestamptz
);
create index email_challenge_member on auth.email_challenge (member_id, created_at);
create index email_challenge_created on auth.email_challenge (created_at);
comment on column auth.email_challenge.email is 'Sealed with the member''s key.';

grant select, insert, update, delete on auth.email_challenge to club_auth;

-- Agreeing to advertising by SMS: the code proves that it was the phone's holder who agreed.
alter table auth.challenge drop constraint challenge_purpose_check;
alter table auth.challenge add constraint challenge_purpose_check
    check (purpose in ('login', 'step-up', 'phone', 'consent'));
create table auth.consent_request (
    challenge_id uuid primary key references auth.challenge on delete cascade,
    member_id    uuid not null references auth.member,
    created_at   timestamptz not null
);

grant select, insert, delete on auth.consent_request to club_auth;
