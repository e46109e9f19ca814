-- 0011: members who have a card add a printed one. Locks nothing in use.

-- Each number that a member has named, whether it was a card or not; a few a day, and no more are looked at.
create table auth.card_attempt (
    attempt_id bigint generated always as identity primary key,
    member_id  uuid not null references auth.member,
    tried_at   timestamptz not null
);
create index card_attempt_member on auth.card_attempt (member_id, tried_at);

grant select, insert, delete on auth.card_attempt to club_auth;
