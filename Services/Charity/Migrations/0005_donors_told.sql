-- 0005: which donors have been told that their fund has the money.
-- Adds columns without a default. Donors of what was acknowledged before are not told months later.

alter table charity.batch add column donors_told_at timestamptz;
update charity.batch set donors_told_at = acknowledged_at where state = 'acknowledged';
create index batch_to_tell on charity.batch (batch_id) where state = 'acknowledged' and donors_told_at is null;

alter table charity.donation add column told_at timestamptz;
