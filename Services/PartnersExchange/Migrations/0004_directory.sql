-- 0004: the partners that the programme begins with. Addresses and secrets come from a partner manager.
-- Writes new rows of new tables only.

insert into partners_exchange.partner (
    partner, kind, category, position, title_ru, title_en, about_ru, about_en, number_rule, promise
)
values
    ('s7', 'rest', 'travel', 1, 'S7 Airlines', 'S7 Airlines',
        'Мили программы «S7 Priority» за баллы: копите на билеты и повышение класса.',
        'Miles of S7 Priority for points: for tickets and upgrades.',
        '{"digits": [9, 9], "checksum": "luhn", "prefixes": []}', 3600),
    ('litres', 'codes', 'books', 2, 'Литрес', 'Litres',
        'Электронные и аудиокниги. Код вводится при оплате книги.',
        'E-books and audio books. The code is entered when a book is paid.', null, 60),
    ('letual', 'webhook', 'cosmetics', 3, 'Л''Этуаль', 'L''Etoile',
        'Бонусы на карту «Л''Этуаль»: косметика и парфюмерия.',
        'Bonuses for the card of L''Etoile: cosmetics and perfume.',
        '{"digits": [13, 13], "checksum": "ean", "prefixes": ["29"]}', 86400),
    ('tehnosila', 'file', 'electronics', 4, 'Техносила', 'Tehnosila',
        'Бонусные рубли на бытовую технику. Зачисляются раз в сутки.',
        'Bonus roubles for household appliances. Credited once a day.',
        '{"digits": [10, 12], "checksum": "mod97", "prefixes": []}', 172800);

insert into partners_exchange.offer (
    offer, partner, position, title_ru, title_en, unit_ru, unit_en, points_step, units_step, kopecks_step, points_min,
    points_max, is_special, valid_from, valid_to, stock, budget, low_stock
)
values
    ('s7-miles', 's7', 1, '100 баллов = 40 миль', '100 points = 40 miles', 'миль', 'miles', 100, 40, 1000, 1000,
        100000, false, '2026-01-01 00:00+03', null, null, null, 0),
    ('s7-summer', 's7', 2, 'Летом вдвое больше миль: 1000 баллов = 800 миль',
        'Twice the miles in summer: 1000 points = 800 miles', 'миль', 'miles', 1000, 800, 10000, 1000, 5000, true,
        '2026-06-01 00:00+03', '2027-09-01 00:00+03', 10000, 20000000, 0),
    ('litres-500', 'litres', 1, '5000 баллов = 500 рублей на книги', '5000 points = 500 roubles for books', 'рублей',
        'roubles', 5000, 500, 50000, 5000, 5000, true, '2026-01-01 00:00+03', null, null, null, 100),
    ('letual-bonus', 'letual', 1, '500 баллов = 50 бонусов', '500 points = 50 bonuses', 'бонусов', 'bonuses', 500, 50,
        5000, 500, 50000, false, '2026-01-01 00:00+03', null, null, null, 0),
    ('tehnosila-bonus', 'tehnosila', 1, '1000 баллов = 100 бонусных рублей', '1000 points = 100 bonus roubles',
        'бонусных рублей', 'bonus roubles', 1000, 100, 10000, 1000, 50000, false, '2026-01-01 00:00+03', null, null,
        null, 0);
