/// The reasons there are.
enum ReasonTree {
    static let groups: [ReasonGroup] = [points, card, account, offers, rewards, stores, other]

    private static let byCode = Dictionary(
        groups.flatMap(\.reasons).map { ($0.code, $0) }, uniquingKeysWith: { first, _ in first })

    /// The reason with this name; nil when there is none.
    static func reason(_ code: String) -> Reason? { Self.byCode[code] }

    /// What a letter is filed under that answers no ticket.
    static let letter = Reason(
        code: "other", title: .init(ru: "Другой вопрос", en: "Something else"), team: .general,
        form: .init(store: .optional), targets: .standard)

    private static let points = ReasonGroup(
        code: "points", title: .init(ru: "Баллы", en: "Points"),
        reasons: [
            Reason(
                code: "points-missing", title: .init(ru: "Не начислены баллы за покупку", en: "Points are missing"),
                team: .points, form: .init(store: .optional, receipt: .required), targets: .soon, evidence: .receipt),
            Reason(
                code: "points-spent", title: .init(ru: "Баллы списали без меня", en: "Points were spent without me"),
                team: .security, form: .init(operation: .optional), targets: .urgent),
            Reason(
                code: "points-expired", title: .init(ru: "Сгорели баллы", en: "Points have expired"), team: .points,
                form: .init(operation: .optional), targets: .standard),
            Reason(
                code: "points-return", title: .init(ru: "Возврат товара и баллы", en: "A return and its points"),
                team: .points, form: .init(store: .optional, receipt: .optional), targets: .soon),
        ])

    private static let card = ReasonGroup(
        code: "card", title: .init(ru: "Карта", en: "Card"),
        reasons: [
            Reason(
                code: "card-lost", title: .init(ru: "Карта утеряна или украдена", en: "Card lost or stolen"),
                team: .security, form: .init(photos: .hidden), targets: .urgent),
            Reason(
                code: "card-activation", title: .init(ru: "Не активируется карта", en: "Card cannot be activated"),
                team: .general, form: .init(), targets: .soon),
            Reason(
                code: "card-merge", title: .init(ru: "Объединить две карты", en: "Merge two cards"), team: .general,
                form: .init(), targets: .standard),
            Reason(
                code: "card-declined", title: .init(ru: "Карту не приняли на кассе", en: "Card refused at the till"),
                team: .stores, form: .init(store: .required, receipt: .optional), targets: .standard),
        ])

    private static let account = ReasonGroup(
        code: "account", title: .init(ru: "Вход и профиль", en: "Login and profile"),
        reasons: [
            Reason(
                code: "login", title: .init(ru: "Не приходит код или не получается войти", en: "Cannot log in"),
                team: .digital, form: .init(), targets: .soon),
            Reason(
                code: "profile", title: .init(ru: "Изменить данные или телефон", en: "Change data or phone"),
                team: .general, form: .init(), targets: .standard),
            Reason(
                code: "consents", title: .init(ru: "Отказаться от рассылки", en: "Stop messages"), team: .general,
                form: .init(photos: .hidden), targets: .standard),
            Reason(
                code: "erasure", title: .init(ru: "Удалить мои данные", en: "Erase my data"), team: .security,
                form: .init(photos: .hidden), targets: .standard),
            Reason(
                code: "app", title: .init(ru: "Ошибка в приложении или на сайте", en: "The app or the site fails"),
                team: .digital, form: .init(), targets: .standard),
        ])

    private static let offers = ReasonGroup(
        code: "offers", title: .init(ru: "Акции, купоны и наклейки", en: "Offers, coupons and stickers"),
        reasons: [
            Reason(
                code: "price", title: .init(ru: "Цена на кассе другая", en: "Another price at the till"),
                team: .stores, form: .init(store: .required, receipt: .optional), targets: .soon),
            Reason(
                code: "coupon", title: .init(ru: "Не сработал купон", en: "A coupon did not work"), team: .points,
                form: .init(store: .optional, receipt: .optional), targets: .soon),
            Reason(
                code: "stickers", title: .init(ru: "Не начислены наклейки", en: "Stickers are missing"), team: .points,
                form: .init(store: .optional, receipt: .optional), targets: .soon),
            Reason(
                code: "favourites", title: .init(ru: "Любимые продукты", en: "Favourite products"), team: .points,
                form: .init(receipt: .optional), targets: .standard),
        ])

    private static let rewards = ReasonGroup(
        code: "rewards", title: .init(ru: "Обмен, сертификаты, благотворительность", en: "Exchange, gifts, charity"),
        reasons: [
            Reason(
                code: "exchange", title: .init(ru: "Обмен баллов у партнёра", en: "Exchange with a partner"),
                team: .partners, form: .init(operation: .optional), targets: .standard),
            Reason(
                code: "certificate", title: .init(ru: "Подарочный сертификат", en: "Gift certificate"),
                team: .partners, form: .init(store: .optional, operation: .optional), targets: .soon),
            Reason(
                code: "donation", title: .init(ru: "Пожертвование", en: "Donation"), team: .partners,
                form: .init(operation: .optional), targets: .standard),
        ])

    private static let stores = ReasonGroup(
        code: "stores", title: .init(ru: "Магазин", en: "Store"),
        reasons: [
            Reason(
                code: "quality", title: .init(ru: "Качество товара", en: "Quality of goods"), team: .stores,
                form: .init(store: .required, receipt: .optional), targets: .soon),
            Reason(
                code: "service", title: .init(ru: "Обслуживание в магазине", en: "Service in a store"), team: .stores,
                form: .init(store: .required), targets: .standard),
        ])

    private static let other = ReasonGroup(
        code: "other", title: .init(ru: "Другое", en: "Other"),
        reasons: [
            Reason(
                code: "thanks", title: .init(ru: "Поблагодарить или предложить идею", en: "Thanks and ideas"),
                team: .general, form: .init(store: .optional), targets: .standard),
            Self.letter,
        ])
}
