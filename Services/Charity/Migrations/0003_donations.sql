-- 0003: funds, campaigns with their budgets, donations, and the monthly batches that pay the funds. New tables only.

-- Whom members give to. Its name is also the purpose of holds in the ledger: charity:<fund>.
create table charity.fund (
    fund       text        primary key check (fund ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
    name       text        not null check (char_length(name) between 1 and 80),
    name_en    text        not null check (char_length(name_en) between 1 and 80),
    about      text        not null check (char_length(about) <= 1000),
    about_en   text        not null check (char_length(about_en) <= 1000),
    -- When the ledger had opened its accounts; donations begin then.
    opened_at  timestamptz,
    created_at timestamptz not null
);
grant select, insert, update on charity.fund to club_charity;

-- What a fund collects for, and how much the shop adds. Kopecks.
create table charity.campaign (
    campaign_id  uuid        primary key,
    fund         text        not null references charity.fund,
    title        text        not null check (char_length(title) between 1 and 120),
    title_en     text        not null check (char_length(title_en) between 1 and 120),
    begins_at    timestamptz not null,
    ends_at      timestamptz,
    match_budget bigint      not null check (match_budget >= 0),
    -- What of the budget is neither spent nor promised.
    match_left   bigint      not null,
    created_at   timestamptz not null,
    check (ends_at > begins_at),
    -- Whatever the code does, the shop never adds more than it has said.
    constraint campaign_match_left check (match_left between 0 and match_budget)
);
create index campaign_fund on charity.campaign (fund, campaign_id);
grant select, insert, update on charity.campaign to club_charity;

-- What a redemption is for. How it stands is said there; here is what the fund gets.
create table charity.donation (
    member_id    uuid        not null,
    donation_id  uuid        not null,
    campaign_id  uuid        not null references charity.campaign,
    fund         text        not null references charity.fund,
    points       bigint      not null check (points > 0 and points % 10 = 0),
    -- Kopecks: of the member and of the shop.
    worth        bigint      not null check (worth = points * 10),
    match        bigint      not null check (match in (0, worth)),
    -- Whether a code must confirm it.
    needs_code   boolean     not null,
    -- When the member confirmed it; null again when it was taken back.
    confirmed_at timestamptz,
    -- When the ledger took the points, by the ledger's clock; the donation is made.
    booked_at    timestamptz,
    batch_id     uuid,
    created_at   timestamptz not null,
    primary key (member_id, donation_id),
    check (batch_id is null or booked_at is not null)
) with (fillfactor = 70);
create unique index donation_id on charity.donation (donation_id);
create index donation_unpaid on charity.donation (fund, booked_at) where booked_at is not null and batch_id is null;
create index donation_batch on charity.donation (batch_id, donation_id) where batch_id is not null;
create index donation_recent on charity.donation (member_id, confirmed_at) where confirmed_at is not null;
grant select, insert, update on charity.donation to club_charity;

-- What a fund is paid for a month of Moscow: what was booked before `until` and in no batch before.
create table charity.batch (
    batch_id        uuid        primary key,
    fund            text        not null references charity.fund,
    month           date        not null check (extract(day from month) = 1),
    until           timestamptz not null,
    donations       bigint      not null check (donations > 0),
    points          bigint      not null check (points > 0),
    worth           bigint      not null check (worth > 0),
    match           bigint      not null check (match >= 0),
    -- The list that the fund gets, and the shop's word for it (Ed25519 over the bytes of the file).
    file            bytea       not null,
    file_hash       bytea       not null check (length(file_hash) = 32),
    signature       bytea       not null check (length(signature) = 64),
    key_id          text        not null,
    public_key      bytea       not null check (length(public_key) = 32),
    state           text        not null check (
        state in ('prepared', 'submitted', 'approved', 'paid', 'differs', 'acknowledged')),
    -- The ledger's transfer that pays it.
    transfer_id     uuid        not null unique,
    maker_id        uuid,
    checker_id      uuid,
    -- What the ledger said: kopecks that it paid, or why not.
    paid            bigint,
    refusal         text,
    -- Under which number the fund has confirmed the receipt.
    acknowledgement text        check (char_length(acknowledgement) between 1 and 64),
    acknowledged_by uuid,
    prepared_at     timestamptz not null,
    submitted_at    timestamptz,
    approved_at     timestamptz,
    paid_at         timestamptz,
    acknowledged_at timestamptz,
    constraint batch_once unique (fund, month),
    constraint batch_four_eyes check (maker_id <> checker_id),
    constraint batch_submitted check (state = 'prepared' or maker_id is not null),
    constraint batch_approved check (state in ('prepared', 'submitted') or checker_id is not null),
    constraint batch_acknowledged check ((state = 'acknowledged') = (acknowledgement is not null))
);
grant select, insert, update on charity.batch to club_charity;

-- The programme's first fund: https://www.life-line.ru pays for the treatment of children.
insert into charity.fund (fund, name, name_en, about, about_en, created_at) values (
    'line-of-life', 'Линия жизни', 'Line of Life',
    'Фонд спасения тяжелобольных детей: оплачивает операции и лечение, которые спасают жизнь.',
    'Saves gravely ill children: pays for operations and treatment that save lives.',
    '2026-01-01T00:00:00Z');
insert into charity.campaign (
    campaign_id, fund, title, title_en, begins_at, match_budget, match_left, created_at
) values (
    '01936f00-0000-7000-8000-000000000001', 'line-of-life', 'Чья-то жизнь — уже не мелочь',
    'A life is not small change', '2026-01-01T00:00:00Z', 50000000, 50000000, '2026-01-01T00:00:00Z');
