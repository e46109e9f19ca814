-- 0003: the directory of stores and the catalogue, filled by imports that can be run again without harm.

create table promotions.store (
    store_id     text   primary key,
    title        text,
    city         text,
    address      text,
    -- Millionths of a degree, WGS 84; null where nobody knows (the source writes 0, 0).
    latitude_e6  integer check (latitude_e6 between -90000000 and 90000000),
    longitude_e6 integer check (longitude_e6 between -180000000 and 180000000),
    -- [{"key": "kafe", "title": "Кафе"}]
    features     jsonb  not null default '[]',
    constraint store_whole_position check ((latitude_e6 is null) = (longitude_e6 is null))
);
grant select, insert, update on promotions.store to club_promotions;

create table promotions.category (
    category text    primary key,
    slug     text,
    title    text    not null,
    parent   text,
    position integer not null,
    tags     text[]  not null default '{}'
);
create index category_by_parent on promotions.category (parent);
grant select, insert, update on promotions.category to club_promotions;

create table promotions.product (
    sku       text   primary key,
    title     text   not null,
    category  text   not null,
    unit      text,
    -- Kopecks; null where the source names no price.
    price     bigint check (price >= 0),
    old_price bigint check (old_price >= 0)
);
create index product_by_category on promotions.product (category, sku);
grant select, insert, update on promotions.product to club_promotions;
