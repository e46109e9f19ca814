-- 0010: where stores are and when they are open.

alter table promotions.store
    add column phone text,
    -- [{"weekday": 1, "opens": 480, "closes": 1320}, …] in minutes since the shop's midnight; closes may be beyond 1440.
    -- null: nobody knows.
    add column schedule jsonb,
    -- A grid of a tenth of a degree: the nearest stores are looked for in squares around a place.
    add column grid_latitude integer generated always as (div(latitude_e6 + 90000000, 100000)) stored,
    add column grid_longitude integer generated always as (div(longitude_e6 + 180000000, 100000)) stored;
create index store_by_grid on promotions.store (grid_latitude, grid_longitude) where latitude_e6 is not null;

-- Days on which a shop keeps other hours; without hours it is closed.
create table promotions.store_exception (
    store_id text     not null references promotions.store,
    day      date     not null,
    opens    smallint check (opens between 0 and 1439),
    closes   smallint check (closes between 1 and 2880),
    primary key (store_id, day),
    constraint store_exception_hours check ((opens is null) = (closes is null) and (opens is null or opens < closes))
);
grant select, insert, update, delete on promotions.store_exception to club_promotions;
