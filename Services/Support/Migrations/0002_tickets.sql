-- 0002: tickets, their threads and photos, and the log of what happened to each, from which the clocks are computed.
-- Creates only new things, so it locks nothing that anybody uses.

create table support.ticket (
    ticket_id          uuid        primary key,
    -- What people call it.
    number             bigint      generated always as identity (start with 1001) unique,
    -- null: the asker did not log in.
    member_id          uuid,
    -- Where answers go; null: the ways that auth knows of the member, or nowhere.
    email              text,
    source             text        not null check (source in ('web', 'app', 'phone', 'email')),
    -- A leaf of Domain/ReasonTree.swift.
    reason             text        not null,
    subject            text        not null,
    language           text        not null check (language in ('ru', 'en')),
    store_id           text,
    receipt_fn         text,
    receipt_fd         bigint,
    receipt_fpd        bigint,
    operation_id       uuid,
    state              text        not null check (
        state in ('new', 'open', 'waiting-for-customer', 'waiting-for-partner', 'resolved', 'closed', 'reopened')
    ),
    assignee           uuid,
    team               text        not null,
    tags               text[]      not null default '{}',
    escalation         smallint    not null default 0,
    created_at         timestamptz not null,
    changed_at         timestamptz not null,
    first_response_at  timestamptz,
    resolved_at        timestamptz,
    -- When the clocks run out as they run now; computed from ticket_event, kept here to be looked for.
    first_response_due timestamptz,
    solution_due       timestamptz,
    -- Who has it in hand, until when.
    lease_holder       uuid,
    lease_until        timestamptz,
    satisfaction       smallint    check (satisfaction between 1 and 5),
    erased_at          timestamptz,
    check ((receipt_fn is null) = (receipt_fd is null) and (receipt_fn is null) = (receipt_fpd is null)),
    check ((lease_holder is null) = (lease_until is null))
);
create index on support.ticket (member_id, ticket_id) where member_id is not null;
create index on support.ticket (email, created_at) where email is not null;
-- The queue of colleagues, and what the escalation and the closing look for.
create index on support.ticket (ticket_id) where state not in ('resolved', 'closed');
create index on support.ticket (first_response_due) where first_response_due is not null;
create index on support.ticket (solution_due) where solution_due is not null;
create index on support.ticket (resolved_at) where state = 'resolved';

-- Inserts only, and nothing personal: it outlives an erasure.
create table support.ticket_event (
    ticket_id uuid        not null references support.ticket,
    event_id  bigint      generated always as identity,
    kind      text        not null,
    state     text        not null,
    staff_id  uuid,
    detail    text,
    at        timestamptz not null,
    primary key (ticket_id, event_id)
);

create table support.message (
    message_id uuid        primary key,
    ticket_id  uuid        not null references support.ticket,
    author     text        not null check (author in ('customer', 'staff', 'system')),
    -- Notes are for colleagues only.
    is_note    boolean     not null,
    staff_id   uuid,
    body       text        not null,
    -- What the system has looked up: for colleagues only.
    evidence   jsonb,
    -- The name of the letter that brought it or that carried it away (RFC 5322, 3.6.4).
    letter_id  text,
    created_at timestamptz not null,
    check (not is_note or author <> 'customer')
);
create index on support.message (ticket_id, message_id);

-- Photos are rows and no large objects: at most 2560 pixels wide they take a megabyte or two, go with their ticket in one
-- transaction and one backup, and need neither a right nor a sweep of their own. External: they are compressed already.
create table support.photo (
    photo_id     uuid        primary key,
    ticket_id    uuid        not null references support.ticket,
    content_type text        not null check (content_type in ('image/jpeg', 'image/png', 'image/webp')),
    width        integer     not null,
    height       integer     not null,
    content      bytea       not null check (octet_length(content) <= 10485760),
    created_at   timestamptz not null
);
alter table support.photo alter column content set storage external;
create index on support.photo (ticket_id, photo_id);

-- What was told to whom of which message, and what became of it.
create table support.notice (
    notice_id  uuid        primary key,
    ticket_id  uuid        not null references support.ticket,
    message_id uuid        not null,
    state      text        not null default 'sending',
    channel    text,
    changed_at timestamptz not null
);
create index on support.notice (ticket_id);

-- A correction of points that a ticket needs: drafted by the system or by a colleague, asked for by one, decided by another.
create table support.correction (
    -- Also the natural key of the request in the ledger.
    correction_id uuid        primary key,
    ticket_id     uuid        not null references support.ticket,
    member_id     uuid        not null,
    points        bigint      not null check (points <> 0 and abs(points) <= 1000000),
    reason        text        not null,
    state         text        not null check (
        state in ('draft', 'requesting', 'requested', 'deciding', 'approved', 'rejected', 'refused')
    ),
    maker         uuid,
    checker       uuid,
    approves      boolean,
    -- The natural key of the decision in the ledger.
    decision_id   uuid,
    refusal       text,
    created_at    timestamptz not null,
    changed_at    timestamptz not null,
    constraint correction_four_eyes check (checker is null or (maker is not null and checker <> maker)),
    check (state = 'draft' or maker is not null),
    check (state not in ('deciding', 'approved', 'rejected') or (checker is not null and approves is not null))
);
-- One at a time, or a ticket would be paid twice.
create unique index correction_open on support.correction (ticket_id)
    where state in ('draft', 'requesting', 'requested', 'deciding');
create index on support.correction (state, correction_id);

create table support.canned_answer (
    code       text        primary key,
    title      text        not null,
    russian    text        not null,
    english    text        not null,
    changed_at timestamptz not null,
    changed_by uuid
);

-- Solved puzzles of the anonymous form: each is good once.
create table support.used_challenge (
    nonce      bytea       primary key,
    expires_at timestamptz not null
);

-- Letters by their names, hashed: a mail server delivers at least once.
create table support.inbound_letter (
    letter_hash bytea       primary key,
    ticket_id   uuid,
    received_at timestamptz not null
);

-- Sessions that were logged out (Shared/Web).
create table support.ended_session (
    session_id uuid        primary key,
    forget_at  timestamptz not null
);
create index on support.ended_session (forget_at);
grant select, insert, update, delete on support.ended_session to club_support;

-- Which colleague looked at whose ticket.
create table support.personal_view (
    view_id   bigint      generated always as identity primary key,
    staff_id  uuid        not null,
    ticket_id uuid        not null,
    member_id uuid,
    viewed_at timestamptz not null
);

grant select, insert on support.ticket, support.ticket_event, support.message, support.photo, support.notice,
    support.correction, support.canned_answer, support.used_challenge, support.inbound_letter to club_support;
grant update (
    email, subject, state, assignee, team, tags, escalation, changed_at, first_response_at, resolved_at,
    first_response_due, solution_due, lease_holder, lease_until, satisfaction, erased_at
) on support.ticket to club_support;
grant update (state, channel, changed_at) on support.notice to club_support;
grant update (points, reason, state, maker, checker, approves, decision_id, refusal, changed_at)
    on support.correction to club_support;
grant update (title, russian, english, changed_at, changed_by) on support.canned_answer to club_support;
grant delete on support.message, support.photo, support.used_challenge, support.inbound_letter to club_support;
-- The log of views is written by the service and read by nobody but the owner.
grant insert on support.personal_view to club_support;

insert into support.canned_answer (code, title, russian, english, changed_at)
values
    (
        'greeting', 'Приняли в работу',
        'Здравствуйте! Мы получили ваше обращение и уже разбираемся. Ответим в этом же обращении.',
        'Hello! We have your question and are looking into it. We will answer right here.', now()
    ),
    (
        'receipt-photo', 'Нужна фотография чека',
        'Пришлите, пожалуйста, фотографию чека целиком: нам нужны строки ФН, ФД и ФПД внизу чека.',
        'Please send a photo of the whole receipt: we need the lines FN, FD and FPD at its bottom.', now()
    ),
    (
        'points-soon', 'Баллы в пути',
        'Баллы за эту покупку уже рассчитаны и появятся на счёте в течение суток.',
        'The points for this purchase are counted and will be on your balance within a day.', now()
    ),
    (
        'card-blocked', 'Списание заблокировано',
        'Мы советуем включить блокировку списания в профиле. Баллы на счёте сохранятся, новая карта бесплатна.',
        'We advise you to lock spending in your profile. Your points stay, a new card is free.', now()
    ),
    (
        'store-asked', 'Спросили магазин',
        'Мы передали ваш вопрос директору магазина и ждём ответа. Обычно это занимает один рабочий день.',
        'We have passed your question to the store''s manager. It usually takes one working day.', now()
    ),
    (
        'thanks', 'Благодарим за отзыв',
        'Спасибо, что написали! Мы передали ваши слова команде магазина.',
        'Thank you for writing! We have passed your words to the store''s team.', now()
    );
