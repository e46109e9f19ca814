-- 0012: in which zone a member lives, so that nobody is woken at three in the morning. A constant default: no row is
-- rewritten. The check of profile_change is made anew: its rows are read once under a lock.

alter table auth.member add column time_zone text not null default 'Europe/Moscow' check (time_zone in (
    'Europe/Kaliningrad', 'Europe/Moscow', 'Europe/Samara', 'Asia/Yekaterinburg', 'Asia/Omsk', 'Asia/Krasnoyarsk',
    'Asia/Irkutsk', 'Asia/Yakutsk', 'Asia/Vladivostok', 'Asia/Magadan', 'Asia/Kamchatka'));

alter table auth.profile_change drop constraint profile_change_field_check;
alter table auth.profile_change add constraint profile_change_field_check check (field in (
    'full-name', 'phone', 'birthday', 'email', 'favourite-store', 'language', 'time-zone'));
