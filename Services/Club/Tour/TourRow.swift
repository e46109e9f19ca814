/// A row of the programme's list: what the programme promises, in its own words, and how to see it kept.
struct TourRow: Sendable {
    /// Stable: tests and the table of features use it as well.
    let number: Int
    let words: String
    let walk: @Sendable (TourWalk) async throws -> Void

    private init(_ number: Int, _ words: String, _ walk: @escaping @Sendable (TourWalk) async throws -> Void) {
        (self.number, self.words, self.walk) = (number, words, walk)
    }

    /// The online supermarket comes after the others.
    static let later = 55

    /// All rows that there are, in the order of the list.
    static let all: [TourRow] = Self.accountAndOffers + Self.partnersAndGifts + Self.joining + Self.app + Self.help

    private static let accountAndOffers = [
        TourRow(1, "Последние операции") { try await $0.lastOperations() },
        TourRow(2, "Наиболее «популярные» товары покупателя") { try await $0.popular() },
        TourRow(3, "История операций") { try await $0.history() },
        TourRow(4, "Накопленные баллы") { try await $0.balance() },
        TourRow(5, "Акции и предложения «Перекрёстка»") { try await $0.offersOfTheShop() },
        TourRow(6, "Потратить накопленные баллы в магазине") { try await $0.payInTheShop() },
        TourRow(7, "Тратить баллы в других сервисах (Л'Этуаль, Litres)") { try await $0.spendElsewhere() },
        TourRow(8, "Главная: наиболее привлекательные акции") { try await $0.homePage() },
        TourRow(9, "Профиль: отредактировать информацию о себе") { try await $0.editProfile() },
        TourRow(10, "Настроить SMS-оповещение для получения рекламы") { try await $0.consents() },
        TourRow(11, "Сменить контактные данные") { try await $0.changePhone() },
        TourRow(12, "История поступления") { try await $0.incoming() },
        TourRow(13, "История списания накопленных баллов") { try await $0.outgoing() },
        TourRow(14, "Отследить срок действия полученных баллов") { try await $0.expiryCalendar() },
        TourRow(15, "Полный перечень акций и предложений") { try await $0.allOffers() },
        TourRow(16, "Разбит на категории: «Мясо и птица»") { try await $0.offersByCategory() },
        TourRow(17, "Помимо обновлённой цены — прежняя") { try await $0.bothPrices() },
        TourRow(18, "Срок действия акции") { try await $0.validity() },
        TourRow(19, "Обозначение всех магазинов на карте") { try await $0.shopsOnTheMap() },
        TourRow(20, "С режимом работы") { try await $0.openingHours() },
        TourRow(21, "И контактами") { try await $0.contacts() },
    ]

    private static let partnersAndGifts = [
        TourRow(22, "Привилегии: особые акции партнёров") { try await $0.privileges() },
        TourRow(23, "5000 баллов обменять на 500 рублей (Litres)") { try await $0.books() },
        TourRow(24, "Путешествия, косметика, книги, бытовая техника") { try await $0.partnersByCategory() },
        TourRow(25, "Вписываем свой уникальный номер в программе партнёра (S7)") { try await $0.linkNumber() },
        TourRow(26, "Вводим количество баллов и получаем бесплатные мили") { try await $0.miles() },
        TourRow(27, "Благотворительность: деньги, удвоенные за счёт «Перекрёстка»") { try await $0.donate() },
        TourRow(28, "Подарочный сертификат от 200 до 3000 рублей") { try await $0.certificate() },
        TourRow(29, "Уникальный дизайн") { try await $0.design() },
        TourRow(30, "Номинал") { try await $0.faceValue() },
        TourRow(31, "Получатель") { try await $0.recipient() },
        TourRow(32, "Время доставки") { try await $0.deliveryTime() },
    ]

    private static let joining = [
        TourRow(33, "Регистрация через интернет: ФИО, телефон, код SMS") { try await $0.joinOnTheWeb() },
        TourRow(34, "Регистрация через службу поддержки") { try await $0.joinByPhone() },
        TourRow(35, "Регистрация через анкету, подтверждается спустя 20 дней") { try await $0.joinOnPaper() },
        TourRow(36, "Регистрация через мобильное приложение") { try await $0.joinInTheApp() },
        TourRow(37, "Вход по номеру телефона (подтверждаем SMS)") { try await $0.logInByPhone() },
        TourRow(38, "Вход по номеру карты") { try await $0.logInByCard() },
        TourRow(39, "Настройки профиля") { try await $0.settings() },
        TourRow(40, "Через браузер и через мобильное приложение") { try await $0.devices() },
    ]

    private static let app = [
        TourRow(41, "Отслеживать баланс") { try await $0.watchBalance() },
        TourRow(42, "Получать баллы за «Любимые продукты»") { try await $0.favouriteCategories() },
        TourRow(43, "Узнавать об актуальных акциях") { try await $0.latestOffers() },
        TourRow(44, "Собирать купоны") { try await $0.collectCoupons() },
        TourRow(45, "Находить ближайшие магазины") { try await $0.nearestShops() },
        TourRow(46, "Общаться с техподдержкой через мобильное устройство") { try await $0.talkToSupport() },
        TourRow(47, "Активировать карту через приложение") { try await $0.activateCard() },
        TourRow(48, "Вводим 4-значный код") { try await $0.fourDigits() },
        TourRow(49, "Посмотреть количество баллов") { try await $0.seePoints() },
        TourRow(50, "Собирать наклейки") { try await $0.stickers() },
        TourRow(51, "Предъявлять купоны в виде QR-кода на кассе") { try await $0.showCoupon() },
        TourRow(52, "Отслеживать последние акции") { try await $0.latestOffers() },
        TourRow(53, "Добавлять товары в «Избранное»") { try await $0.favouriteProducts() },
        TourRow(54, "Создавать список покупок") { try await $0.shoppingList() },
    ]

    private static let help = [
        TourRow(56, "Поддержка: выбрать причину") { try await $0.reasons() },
        TourRow(57, "Указать почту для обратной связи") { try await $0.addressForTheAnswer() },
        TourRow(58, "Добавить фотографию") { try await $0.photo() },
        TourRow(59, "Указать супермаркет") { try await $0.shopOfTheTicket() },
        TourRow(60, "И текст сообщения") { try await $0.textOfTheTicket() },
        TourRow(61, "Позвонить (8-800-200-95-55)") { try await $0.call() },
        TourRow(62, "Форма для обратной связи на сайте") { try await $0.openForm() },
        TourRow(63, "Связаться с консультантами по телефону") { try await $0.consultant() },
        TourRow(64, "Готовые вопросы и ответы — прочтите перед звонком") { try await $0.questionsAndAnswers() },
        TourRow(65, "Ссылки на приложения") { try await $0.apps() },
    ]
}
