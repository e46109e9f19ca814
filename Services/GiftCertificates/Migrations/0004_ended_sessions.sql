-- 0004: sessions that were logged out, so that their tokens give nothing away any more. New table only.

create table gift_certificates.ended_session (
    session_id uuid        primary key,
    forget_at  timestamptz not null
);
create index on gift_certificates.ended_session (forget_at);
grant select, insert, update, delete on gift_certificates.ended_session to club_gift_certificates;
