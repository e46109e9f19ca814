-- 0005: sessions that were logged out, so that tokens of a lost phone's screen buy nothing. Locks nothing in use.

create table promotions.ended_session (
    session_id uuid        primary key,
    forget_at  timestamptz not null
);
create index on promotions.ended_session (forget_at);
grant select, insert, update, delete on promotions.ended_session to club_promotions;
