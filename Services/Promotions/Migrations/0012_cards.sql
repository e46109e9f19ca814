-- 0012: cards that end: replaced ones earn nothing for what is bought from then on, those of the erased are forgotten.
-- Adds a column without rewriting rows. The index holds writes of cards up while it is built: about a second a million.

alter table promotions.member_card add column blocked_at timestamptz;
create index member_card_by_member on promotions.member_card (member_id);
grant delete on promotions.member_card to club_promotions;
comment on column promotions.member_card.blocked_at is
    'Another card has taken its place. What was bought before still counts, however late its receipt comes.';
