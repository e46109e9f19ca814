-- 0006: what partner managers change about offers and addresses, with a second pair of eyes, and the record of all of it.
-- Creates only new things and grants, so it locks nothing that anybody uses.

create table partners_exchange.change (
    change_id  uuid        primary key,
    kind       text        not null check (
        kind in ('add-offer', 'change-offer', 'set-address', 'pause-offer', 'end-offer', 'change-partner')),
    partner    text        not null references partners_exchange.partner,
    -- No foreign key: an offer that is asked for does not exist yet.
    offer      text        check (offer ~ '^[a-z][a-z0-9-]{0,47}$'),
    -- What is wanted, and how the offer stood when that was decided.
    wanted     jsonb       not null,
    before     jsonb,
    reason     text        not null check (char_length(reason) between 1 and 1000),
    state      text        not null check (state in ('pending', 'approved', 'rejected', 'done')),
    made_by    uuid        not null,
    made_at    timestamptz not null,
    decided_by uuid,
    decided_at timestamptz,
    comment    text,
    constraint change_four_eyes check (decided_by <> made_by),
    constraint change_decided check (
        (state in ('approved', 'rejected')) = (decided_by is not null) and (decided_by is null) = (decided_at is null)),
    -- Only what takes something away is done by one person alone.
    constraint change_alone check (state <> 'done' or kind in ('pause-offer', 'end-offer', 'change-partner')),
    constraint change_about check (
        (offer is not null) = (kind in ('add-offer', 'change-offer', 'pause-offer', 'end-offer')))
);
-- Two colleagues who want different things must talk to each other first.
create unique index change_offer_pending on partners_exchange.change (offer) where state = 'pending' and offer is not null;
create unique index change_address_pending on partners_exchange.change (partner)
    where state = 'pending' and kind = 'set-address';
create index change_of_partner on partners_exchange.change (partner, change_id);
grant select, insert on partners_exchange.change to club_partners_exchange;
grant update (before, state, decided_by, decided_at, comment) on partners_exchange.change to club_partners_exchange;

create function partners_exchange.change_stays() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.state <> 'pending' then
        raise exception 'partners_exchange.change: what is decided stays as it is'
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    return new;
end
$$;
create trigger change_stays before update on partners_exchange.change
    for each row execute function partners_exchange.change_stays();

grant insert on partners_exchange.offer to club_partners_exchange;
