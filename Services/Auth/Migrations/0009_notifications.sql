-- 0009: what is told to people by SMS, e-mail and push, and how far it came. All locks are on new tables.

-- One row for each thing told. Texts, phones and addresses stand in the job only, which is encrypted. State only rises, because
-- gateways report twice and out of order: 0 waiting, 1 sent, 2 undelivered, 3 delivered; 4 suppressed, from waiting only.
create table auth.notification (
    notice_id  uuid primary key,
    member_id  uuid references auth.member,
    purpose    text not null check (purpose in ('service', 'reminder', 'advertising', 'security')),
    channel    text check (channel in ('sms', 'email', 'push')),
    state      smallint not null default 0 check (state between 0 and 4),
    reason     text check (reason in ('expired', 'unreachable', 'no-consent', 'cap', 'erased')),
    created_at timestamptz not null,
    chosen_at  timestamptz,
    changed_at timestamptz not null,
    check ((channel is null) = (chosen_at is null)),
    check ((state = 4) = (reason is not null)),
    check (state in (0, 4) or channel is not null)
);
create index notification_caps on auth.notification (member_id, purpose, chosen_at) where chosen_at is not null;
create index notification_created on auth.notification (created_at);
comment on column auth.notification.chosen_at is
    'When its way was chosen, in the transaction in which the caps were judged under the lock of the member''s row.';

grant select, insert, update, delete on auth.notification to club_auth;

-- Where pushes go: the token that the device's system gave the app, sealed, with the session that it belongs to.
create table auth.device_token (
    session_id uuid primary key references auth.session on delete cascade,
    platform   text not null check (platform in ('ios', 'android', 'web')),
    token      bytea not null,
    set_at     timestamptz not null
);

grant select, insert, update, delete on auth.device_token to club_auth;

-- The pigeonholes of the development gateways, as auth.sms_outbox: `club mail` reads the first.
create table auth.mail_outbox (
    message_id  bigint generated always as identity primary key,
    reference   uuid not null unique,
    recipient   text not null,
    subject     text not null,
    body        text not null,
    reply_to    text,
    in_reply_to text,
    sent_at     timestamptz not null
);
create index mail_outbox_recipient on auth.mail_outbox (recipient, message_id desc);

create table auth.push_outbox (
    message_id bigint generated always as identity primary key,
    reference  uuid not null,
    device     text not null,
    title      text not null,
    body       text not null,
    sent_at    timestamptz not null,
    unique (reference, device)
);

grant select, insert, delete on auth.mail_outbox, auth.push_outbox to club_auth;
