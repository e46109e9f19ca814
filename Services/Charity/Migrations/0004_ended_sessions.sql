-- 0004: sessions that were logged out, so that their tokens give nothing away any more. New table only.

create table charity.ended_session (
    session_id uuid        primary key,
    forget_at  timestamptz not null
);
create index on charity.ended_session (forget_at);
grant select, insert, update, delete on charity.ended_session to club_charity;
