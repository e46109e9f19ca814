-- 0009: levels, favourites, offers, shared shopping lists.

-- Levels by turnover of a calendar month; the most expensive that is reached counts.
create table promotions.level (
    level           text     primary key,
    title_ru        text     not null,
    title_en        text     not null,
    -- Kopecks spent in the month before.
    turnover_from   bigint   not null unique check (turnover_from >= 0),
    -- How many favourite categories a month.
    favourites      smallint not null check (favourites between 0 and 20)
);
insert into promotions.level (level, title_ru, title_en, turnover_from, favourites) values
    ('start', 'Стартовый', 'Starter', 0, 3),
    ('silver', 'Серебряный', 'Silver', 1000000, 5),
    ('gold', 'Золотой', 'Gold', 3000000, 8);
grant select on promotions.level to club_promotions;

create table promotions.member_level (
    member_id uuid   primary key,
    level     text   not null references promotions.level,
    -- The month whose turnover decided it.
    month     date   not null,
    turnover  bigint not null check (turnover >= 0)
) with (fillfactor = 80);
grant select, insert, update, delete on promotions.member_level to club_promotions;

create table promotions.favourite_category (
    member_id uuid not null,
    month     date not null check (extract(day from month) = 1),
    category  text not null,
    chosen_at timestamptz not null,
    primary key (member_id, month, category)
);
grant select, insert, delete on promotions.favourite_category to club_promotions;

create table promotions.favourite_product (
    member_id  uuid        not null,
    sku        text        not null,
    added_at   timestamptz not null,
    -- The price that the member knows: a lower one is news. Null until the catalogue names one.
    price_seen bigint      check (price_seen >= 0),
    primary key (member_id, sku)
);
create index favourite_product_by_sku on promotions.favourite_product (sku);
grant select, insert, update, delete on promotions.favourite_product to club_promotions;

-- Offers: both prices as they were when the offer was made, days in the zone of each shop, half-open.
create table promotions.offer (
    offer_id    uuid   primary key,
    sku         text   not null references promotions.product,
    title_ru    text   not null,
    title_en    text   not null,
    old_price   bigint not null check (old_price > 0),
    price       bigint not null check (price >= 0),
    from_day    date   not null,
    to_day      date   not null,
    -- null: every shop, every member.
    stores      text[],
    segment     text,
    drafted_by  uuid   not null,
    approved_by uuid,
    constraint offer_cheaper check (price < old_price),
    constraint offer_days check (from_day < to_day),
    constraint offer_four_eyes check (approved_by <> drafted_by)
);
create index offer_by_sku on promotions.offer (sku);
create index offer_by_end on promotions.offer (to_day) where approved_by is not null;
grant select, insert on promotions.offer to club_promotions;
grant update (approved_by) on promotions.offer to club_promotions;

-- Shopping lists. Items carry the list's version at which they last changed, so that a device that was offline asks for
-- what changed since the version it knows.
create table promotions.shopping_list (
    list_id    uuid        primary key,
    owner_id   uuid        not null,
    title      text        not null check (length(title) between 1 and 100),
    version    bigint      not null default 0,
    created_at timestamptz not null
);
create index shopping_list_by_owner on promotions.shopping_list (owner_id);
grant select, insert, update, delete on promotions.shopping_list to club_promotions;

create table promotions.shopping_list_member (
    list_id   uuid not null references promotions.shopping_list on delete cascade,
    member_id uuid not null,
    primary key (list_id, member_id)
);
create index shopping_list_member_by_member on promotions.shopping_list_member (member_id);
grant select, insert, delete on promotions.shopping_list_member to club_promotions;

-- The code that lets somebody in: its SHA-256, for a day, once.
create table promotions.shopping_list_invitation (
    code_hash  bytea       primary key,
    list_id    uuid        not null references promotions.shopping_list on delete cascade,
    expires_at timestamptz not null
);
create index shopping_list_invitation_by_list on promotions.shopping_list_invitation (list_id);
grant select, insert, delete on promotions.shopping_list_invitation to club_promotions;

create table promotions.shopping_list_item (
    list_id    uuid        not null references promotions.shopping_list on delete cascade,
    -- Made by the device, so that adding twice adds once.
    item_id    uuid        not null,
    text       text        not null check (length(text) between 1 and 200),
    sku        text,
    is_done    boolean     not null,
    is_deleted boolean     not null,
    -- When the member did it, by the device's clock: the later change wins.
    changed_at timestamptz not null,
    version    bigint      not null,
    primary key (list_id, item_id)
);
create index shopping_list_item_by_version on promotions.shopping_list_item (list_id, version);
grant select, insert, update, delete on promotions.shopping_list_item to club_promotions;
