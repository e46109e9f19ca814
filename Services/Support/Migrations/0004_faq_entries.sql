-- 0004: the first questions and answers, and other words for the same things.
-- Rows only.

insert into support.faq_article (
    article_id, category, position, question_ru, answer_ru, question_en, answer_en, keywords
)
values
    (
        'join', 'card', 10,
        'Как вступить в программу?',
        'Зарегистрируйтесь на сайте или в приложении: укажите имя и телефон и введите код из SMS. Виртуальная '
        || 'карта появится сразу. Можно также заполнить анкету в магазине или позвонить в поддержку '
        || '8-800-200-95-55.',
        'How do I join the programme?',
        'Register on the site or in the app: give your name and phone and enter the code from the SMS. A '
        || 'virtual card is there at once. You can also fill in a form in a store or call support, '
        || '8-800-200-95-55.',
        'зарегистрироваться регистрация стать участником'
    ),
    (
        'activate-card', 'card', 20,
        'Как активировать пластиковую карту?',
        'В приложении или на сайте выберите «Активировать карту», введите 16 цифр номера и личные данные и '
        || 'подтвердите телефон кодом из SMS.',
        'How do I activate a plastic card?',
        'In the app or on the site choose «Activate a card», enter its 16 digits and your data, and confirm '
        || 'your phone with the code from the SMS.',
        'активация номер карты'
    ),
    (
        'lost-card', 'card', 30,
        'Что делать, если карта потеряна или украдена?',
        'Сразу включите блокировку списания в профиле или позвоните в поддержку. Баллы сохранятся, а новую '
        || 'карту мы выпустим бесплатно.',
        'What do I do if my card is lost or stolen?',
        'Lock spending in your profile at once, or call support. Your points stay, and a new card is free.',
        'утеряна кража заблокировать'
    ),
    (
        'two-cards', 'card', 40,
        'Можно ли объединить две карты?',
        'Да, если обе карты ваши. Напишите в поддержку с причиной «Объединить две карты»: баллы и история '
        || 'перейдут на одну из них.',
        'Can I merge two cards?',
        'Yes, if both are yours. Write to support with the reason «Merge two cards»: points and history go to '
        || 'one of them.',
        'слияние вторая карта'
    ),
    (
        'paper-form', 'card', 50,
        'Я заполнил бумажную анкету. Когда заработает карта?',
        'Копить баллы можно сразу. Списывать их можно после подтверждения по SMS, а без него — через 20 '
        || 'календарных дней.',
        'I filled in a paper form. When does my card work?',
        'You can collect points at once. You can spend them after you confirm by SMS, or else after 20 '
        || 'calendar days.',
        'анкета магазин подтверждение'
    ),
    (
        'family', 'card', 60,
        'Можно ли пользоваться одной картой всей семьёй?',
        'Да. Копить баллы по номеру карты может каждый, а списывает владелец: на кассе нужен код с экрана его '
        || 'телефона.',
        'Can my whole family use one card?',
        'Yes. Everybody can collect with the cards number, and its owner spends: the till needs the code on '
        || 'the owners screen.',
        'родственники супруг дети'
    ),
    (
        'earn-rate', 'points', 70,
        'Сколько баллов я получу за покупку?',
        'За каждые 10 рублей в чеке начисляется 1 балл; действующие акции добавляют баллы сверху. Сколько '
        || 'начислено за каждую строку, видно в истории операций.',
        'How many points do I get for a purchase?',
        'One point for every 10 roubles; offers add to that. The history of operations says what every line '
        || 'has earned.',
        'начисление курс бонусы'
    ),
    (
        'point-worth', 'points', 80,
        'Сколько стоит один балл?',
        '10 баллов — это 1 рубль. Баллами можно оплатить до 99 % чека.',
        'What is a point worth?',
        '10 points are 1 rouble. You can pay up to 99 % of a receipt with points.',
        'цена балла рубль'
    ),
    (
        'balance', 'points', 90,
        'Где посмотреть количество баллов?',
        'В приложении и в личном кабинете — на главной странице, а также внизу каждого чека. Баланс '
        || 'обновляется через несколько секунд после покупки.',
        'Where do I see how many points I have?',
        'On the first page of the app and of your account, and at the bottom of every receipt. The balance '
        || 'changes some seconds after a purchase.',
        'баланс остаток счёт'
    ),
    (
        'missing-points', 'points', 100,
        'Почему не начислены баллы за покупку?',
        'Чаще всего карту не показали на кассе или чек ещё не дошёл: магазин без связи передаёт его до 30 '
        || 'дней. Напишите нам с причиной «Не начислены баллы» и укажите ФН, ФД и ФПД с чека — система проверит '
        || 'его за несколько секунд.',
        'Why are points missing for my purchase?',
        'Mostly the card was not shown, or the receipt is still on its way: a store without a connection has '
        || '30 days. Write to us with the reason «Points are missing» and the FN, FD and FPD of the receipt: the '
        || 'system checks it in seconds.',
        'не пришли пропали нет баллов'
    ),
    (
        'spend-points', 'points', 110,
        'Как оплатить покупку баллами?',
        'Откройте «Моя карта» и покажите кассиру код с экрана. Он меняется каждую минуту и действует один '
        || 'раз, поэтому снимок экрана не подойдёт.',
        'How do I pay with points?',
        'Open «My card» and show the code on your screen to the cashier. It changes every minute and is good '
        || 'once, so a screenshot does not work.',
        'списать потратить касса'
    ),
    (
        'no-points-for', 'points', 120,
        'За какие товары нельзя получать и тратить баллы?',
        'За табак баллы не начисляются, и оплатить его баллами нельзя. Исключения каждой акции перечислены в '
        || 'её описании.',
        'Which goods give no points?',
        'Tobacco gives no points and cannot be paid with them. What an offer leaves out stands in its '
        || 'description.',
        'исключения сигареты алкоголь'
    ),
    (
        'expiry', 'points', 130,
        'Когда сгорают баллы?',
        'За покупки — через полгода, в конце месяца; по акциям, за любимые продукты и в подарок — через 30 дней. '
        || 'За 30, 7 и 1 день мы напомним. Даты по каждому начислению видны в разделе «Баллы».',
        'When do points expire?',
        'Earned by buying: half a year later, at the end of the month; from offers, favourites and gifts: after 30 days. '
        || 'We remind you 30, 7 and 1 day before. The page «Points» shows the date of each.',
        'срок действия сгорание пропадут'
    ),
    (
        'return-goods', 'points', 140,
        'Что будет с баллами, если вернуть товар?',
        'Начисленные за товар баллы снимаются, а потраченные на него возвращаются на счёт. Если срок '
        || 'потраченных баллов уже истёк, они вернутся ещё на 14 дней.',
        'What happens to points when I return goods?',
        'Points earned by the goods are taken back, and points spent on them come back. If these have expired '
        || 'meanwhile, they live another 14 days.',
        'возврат чек'
    ),
    (
        'spend-lock', 'points', 150,
        'Как защитить баллы от списания?',
        'В профиле включите «Блокировку списания»: копить баллы можно, а потратить их никто не сможет, пока '
        || 'вы её не снимете кодом из SMS.',
        'How do I protect my points?',
        'Turn on the spend lock in your profile: you go on collecting, and nobody can spend until you unlock '
        || 'with a code from an SMS.',
        'безопасность мошенники украли'
    ),
    (
        'history', 'points', 160,
        'Где посмотреть историю операций?',
        'В разделе «История операций»: там каждая покупка, начисление и списание. Выписку можно скачать в PDF '
        || 'и CSV.',
        'Where is the history of operations?',
        'Under «History»: every purchase, what it earned and what you spent. You can download it as PDF and '
        || 'CSV.',
        'выписка операции чеки'
    ),
    (
        'favourites', 'offers', 170,
        'Что такое «Любимые продукты»?',
        'Раз в месяц вы выбираете категории, за которые баллов начисляется больше. Выбор действует со '
        || 'следующего чека до конца месяца.',
        'What are «Favourite products»?',
        'Once a month you choose categories that earn more. Your choice holds from the next receipt until the '
        || 'end of the month.',
        'категории повышенные выбор'
    ),
    (
        'coupons', 'offers', 180,
        'Как использовать купон?',
        'Соберите купон в приложении и покажите его QR-код на кассе. Код живёт минуту и срабатывает один раз.',
        'How do I use a coupon?',
        'Collect it in the app and show its QR code at the till. The code lives for a minute and works once.',
        'скидка qr промокод'
    ),
    (
        'stickers', 'offers', 190,
        'Как накопить и обменять наклейки?',
        'Наклейки начисляются за покупки во время акции и видны в разделе «Наклейки». Там же их можно '
        || 'обменять на купон. После окончания акции наклейки сгорают.',
        'How do I collect and exchange stickers?',
        'Purchases during a campaign earn stickers, shown under «Stickers», where you exchange them for a '
        || 'coupon. They end with the campaign.',
        'фишки кампания'
    ),
    (
        'price-differs', 'offers', 200,
        'Цена на кассе отличается от ценника. Что делать?',
        'Скажите об этом кассиру: товар продадут по цене на ценнике. Если вы заметили это дома, напишите нам '
        || 'и приложите фотографии ценника и чека.',
        'The price at the till differs from the label. What can I do?',
        'Tell the cashier: you pay what the label says. If you notice at home, write to us with photos of '
        || 'label and receipt.',
        'ценник стоимость обман'
    ),
    (
        'levels', 'offers', 210,
        'От чего зависит мой уровень?',
        'От суммы покупок за прошлый месяц. Уровень пересчитывается первого числа и решает, сколько любимых '
        || 'категорий можно выбрать.',
        'What decides my level?',
        'What you spent in the month before. It is counted anew on the first and decides how many favourite '
        || 'categories you may choose.',
        'статус оборот'
    ),
    (
        'exchange', 'rewards', 220,
        'Как обменять баллы на мили, книги или косметику?',
        'В разделе «Обмен баллов» выберите партнёра, один раз укажите его номер участника и подтвердите обмен '
        || 'кодом из SMS. Курс закрепляется на 10 минут.',
        'How do I turn points into miles, books or cosmetics?',
        'Under «Exchange» choose a partner, give your number there once and confirm with a code from an SMS. '
        || 'The rate holds for 10 minutes.',
        'партнёр s7 авиамили конвертация'
    ),
    (
        'exchange-time', 'rewards', 230,
        'Когда придут мили или промокод партнёра?',
        'Обычно за несколько минут, у некоторых партнёров — до трёх рабочих дней. Каждый шаг виден в обмене. '
        || 'Если партнёр откажет, баллы вернутся на счёт.',
        'When do the miles or the partners code come?',
        'Mostly within minutes, with some partners within three working days. You see every step. If the '
        || 'partner refuses, the points come back.',
        'задержка не пришли мили'
    ),
    (
        'donate', 'rewards', 240,
        'Как пожертвовать баллы?',
        'В разделе «Благотворительность» выберите фонд и сумму от 10 баллов. Магазин удвоит пожертвование, '
        || 'пока не исчерпан бюджет акции. Отменить можно в течение 30 минут.',
        'How do I donate points?',
        'Under «Charity» choose a fund and 10 points or more. The shop doubles it while the budget lasts. You '
        || 'have 30 minutes to undo it.',
        'фонд линия жизни помощь детям'
    ),
    (
        'certificate-buy', 'rewards', 250,
        'Как подарить сертификат?',
        'В разделе «Подарочный сертификат» выберите дизайн, номинал от 200 до 3000 рублей, получателя и время '
        || 'доставки. Оплата — баллами, 10 баллов за рубль.',
        'How do I give a gift certificate?',
        'Under «Gift certificate» choose a design, a value from 200 to 3000 roubles, the recipient and the '
        || 'time. You pay with points, 10 for a rouble.',
        'подарок номинал'
    ),
    (
        'certificate-use', 'rewards', 260,
        'Как потратить подарочный сертификат?',
        'Привяжите его к своей карте по ссылке из SMS и покажите код на кассе. Тратить можно частями, остаток '
        || 'сохраняется.',
        'How do I spend a gift certificate?',
        'Add it to your card by the link in the SMS and show the code at the till. You may spend it in parts, '
        || 'the rest stays.',
        'остаток части активировать'
    ),
    (
        'no-sms', 'account', 270,
        'Не приходит SMS с кодом. Что делать?',
        'Подождите 30 секунд и запросите код ещё раз: придёт тот же код. Проверьте номер и связь. Если кода '
        || 'нет, напишите нам с причиной «Не приходит код».',
        'No SMS with the code comes. What can I do?',
        'Wait 30 seconds and ask again: the same code is sent. Check the number and your connection. If there '
        || 'is still none, write to us with the reason «Cannot log in».',
        'войти вход пароль смс'
    ),
    (
        'change-phone', 'account', 280,
        'Как изменить номер телефона?',
        'В профиле выберите «Изменить телефон»: понадобятся коды на старый и на новый номер. Если старого '
        || 'номера больше нет, обратитесь в поддержку. После смены обмен баллов недоступен 72 часа.',
        'How do I change my phone number?',
        'In your profile choose «Change phone»: you need codes on the old and on the new number. If the old '
        || 'one is gone, ask support. For 72 hours afterwards points cannot be exchanged.',
        'сменить телефон симка'
    ),
    (
        'unsubscribe', 'account', 290,
        'Как отказаться от рассылки?',
        'В профиле снимите согласия на SMS, письма или уведомления — отдельно для каждой цели. Сообщения о '
        || 'самой карте продолжат приходить.',
        'How do I stop messages?',
        'In your profile take back your consents to SMS, e-mail or push, each for its purpose. Messages about '
        || 'the card itself go on.',
        'спам согласие подписка'
    ),
    (
        'my-data', 'account', 300,
        'Как получить или удалить мои данные?',
        'В профиле есть «Выгрузить мои данные» и «Удалить мои данные». После удаления баллы и обращения '
        || 'восстановить нельзя.',
        'How do I get or erase my data?',
        'Your profile has «Export my data» and «Erase my data». Points and tickets cannot be restored '
        || 'afterwards.',
        'персональные 152-фз'
    ),
    (
        'devices', 'account', 310,
        'Как выйти со всех устройств?',
        'В профиле откройте «Устройства»: там видны все входы и есть кнопка «Выйти везде». Она срабатывает за '
        || 'несколько секунд.',
        'How do I log out everywhere?',
        'Open «Devices» in your profile: it lists every login and has the button «Log out everywhere», which '
        || 'works within seconds.',
        'сеанс взломали аккаунт'
    ),
    (
        'nearest-store', 'stores', 320,
        'Как найти ближайший магазин?',
        'Откройте «Магазины» и разрешите доступ к геолокации: мы покажем ближайшие и открытые сейчас. '
        || 'Координаты мы не сохраняем.',
        'How do I find the nearest store?',
        'Open «Stores» and allow your position: we show the nearest ones and which are open. We do not keep '
        || 'your position.',
        'адрес карта часы работы режим'
    ),
    (
        'shopping-list', 'stores', 330,
        'Как составить список покупок?',
        'В разделе «Список покупок» добавьте товары и поделитесь списком с семьёй. Отмечать купленное можно и '
        || 'без связи.',
        'How do I make a shopping list?',
        'Add goods under «Shopping list» and share it with your family. You can tick off without a '
        || 'connection.',
        'семейный общий'
    ),
    (
        'answer-time', 'support', 340,
        'Как быстро отвечает поддержка?',
        'Срок ответа и решения указан в обращении и зависит от причины: от 30 минут до трёх рабочих дней. '
        || 'Пока мы ждём вашего ответа, время не идёт. Праздники учитываются по производственному календарю.',
        'How fast does support answer?',
        'Your ticket says by when; it depends on the reason, from 30 minutes to three working days. The clock '
        || 'stands still while we wait for you. Holidays follow the production calendar.',
        'sla срок ответа долго'
    ),
    (
        'reopen', 'support', 350,
        'Решение мне не подошло. Что делать?',
        'Напишите в то же обращение в течение 14 дней после решения — оно откроется снова. Позже создайте '
        || 'новое.',
        'The solution did not help. What now?',
        'Write into the same ticket within 14 days after its solution, and it opens again. Later please make '
        || 'a new one.',
        'повторно открыть обращение закрыто'
    ),
    (
        'receipt-details', 'support', 360,
        'Где на чеке ФН, ФД и ФПД?',
        'Внизу чека, рядом с QR-кодом: ФН — 16 цифр, ФД — номер документа, ФПД (или ФП) — до 10 цифр.',
        'Where on the receipt are FN, FD and FPD?',
        'At its bottom, beside the QR code: FN has 16 digits, FD is the documents number, FPD (or FP) has up '
        || 'to 10 digits.',
        'фискальный признак реквизиты'
    );

do $$
begin
    perform support.add_synonym('бонусы', 'баллы');
    perform support.add_synonym('кэшбэк', 'баллы');
    perform support.add_synonym('кешбек', 'баллы');
    perform support.add_synonym('карточка', 'карта');
    perform support.add_synonym('пластик', 'карта');
    perform support.add_synonym('смс', 'SMS');
    perform support.add_synonym('лк', 'личный кабинет', 'профиль');
    perform support.add_synonym('аккаунт', 'профиль');
    perform support.add_synonym('забрали', 'списать');
    perform support.add_synonym('сняли', 'списать');
    perform support.add_synonym('исчезли', 'сгорают');
    perform support.add_synonym('пропали', 'не начислены', 'сгорают');
    perform support.add_synonym('подарок', 'сертификат');
    perform support.add_synonym('деньги', 'рубль');
    perform support.add_synonym('скидка', 'купон', 'акция');
    perform support.add_synonym('промокод', 'купон');
    perform support.add_synonym('фишки', 'наклейки');
    perform support.add_synonym('мобильный', 'телефон');
    perform support.add_synonym('симка', 'телефон');
    perform support.add_synonym('сотовый', 'телефон');
    perform support.add_synonym('пароль', 'код');
    perform support.add_synonym('мили', 'обмен');
    perform support.add_synonym('авиа', 'мили');
    perform support.add_synonym('благотворительность', 'пожертвовать');
    perform support.add_synonym('помочь', 'пожертвовать');
    perform support.add_synonym('спам', 'рассылка');
    perform support.add_synonym('потерял', 'потеряна');
    perform support.add_synonym('украли', 'украдена');
    perform support.add_synonym('вернуть', 'возврат');
    perform support.add_synonym('супермаркет', 'магазин');
    perform support.add_synonym('график', 'часы работы');
    perform support.add_synonym('заявка', 'обращение');
    perform support.add_synonym('жалоба', 'обращение');
    perform support.add_synonym('тикет', 'обращение');
    perform support.refresh_faq_words();
end
$$;
