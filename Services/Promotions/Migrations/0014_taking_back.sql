-- 0014: goods that come back take stickers and coupons with them. New things only, and a check of coupons made anew: its
-- rows are read once under a lock.

-- What the rules knew of the member when a receipt brought stickers or coupons: with it the receipt's own ruleset says what
-- the goods that were kept would have brought. Goes with the member.
create table promotions.receipt_gift (
    receipt_id uuid        primary key,
    member_id  uuid        not null,
    sold_at    timestamptz not null,
    facts      jsonb       not null
);
create index receipt_gift_by_member on promotions.receipt_gift (member_id);
-- Updating is for the row's lock only.
grant select, insert, update, delete on promotions.receipt_gift to club_promotions;

create index coupon_by_receipt on promotions.coupon (receipt_id) where receipt_id is not null;
alter table promotions.coupon
    drop constraint coupon_state_check,
    add constraint coupon_state_check check (state in ('claimed', 'used', 'withdrawn'));

-- Stickers that were to be taken back and had been spent: the next ones pay for them.
create index sticker_move_owed on promotions.sticker_move (member_id, campaign)
    where state = 'refused' and count < 0 and refusal = 'insufficient-stickers';
