import Contracts
import Kernel
import Promotions

/// The demo's people, shop, shelves and baskets: the same in every run.
enum DemoData {
    static let referencePrefix = "demo:member:"

    static let people: [EnrolMembers.Person] = [
        ("Соколова", "Анна", "Сергеевна"), ("Кузнецов", "Дмитрий", "Игоревич"), ("Павлова", "Мария", "Андреевна"),
        ("Волков", "Алексей", "Петрович"), ("Лебедева", "Ольга", "Викторовна"),
    ].enumerated().compactMap { index, name in
        guard let fullName = FullName(last: name.0, first: name.1, middle: name.2),
            let phone = try? PhoneNumber(parsing: "+7999000000\(index + 1)")
        else { return nil }
        return EnrolMembers.Person(reference: "\(Self.referencePrefix)\(index + 1)", fullName: fullName, phone: phone)
    }

    /// The programme's line, in every record of a shop.
    static let phone = "88002009555"

    static let shops: [StoreRecord] = [
        ("demo-1", "Перекрёсток у дома", "Москва", "ул. Академика Королёва, 12", 55_820_000, 37_611_000),
        ("demo-2", "Перекрёсток на набережной", "Санкт-Петербург", "наб. реки Фонтанки, 5", 59_935_000, 30_344_000),
        ("demo-3", "Перекрёсток на Полянке", "Москва", "ул. Большая Полянка, 28", 55_736_000, 37_619_000),
        ("demo-4", "Перекрёсток на Малышева", "Екатеринбург", "ул. Малышева, 51", 56_836_000, 60_614_000),
    ].compactMap { id, title, city, address, latitude, longitude in
        StoreID(id).map { id in
            StoreRecord(
                id: id, title: title, city: city, address: address,
                position: .init(latitudeE6: latitude, longitudeE6: longitude),
                features: [
                    .init(key: "priem-batareek", title: "Приём батареек"), .init(key: "kafe", title: "Кафе"),
                ])
        }
    }

    /// Minutes east of Greenwich, of shops that are not on Moscow's time.
    static let utcOffsets: [String: Int64] = ["demo-4": 300]

    /// The shelves of the chain's own catalogue, those at the top.
    static let shelves: [CategoryRecord] = [
        ("moloko-syr-ajca", "Молоко, сыр, яйца"), ("hleb-i-vypecka", "Хлеб и выпечка"),
        ("maso-i-ptica", "Мясо и птица"), ("ovosi-frukty-griby", "Овощи, фрукты, грибы"),
        ("gotovaa-eda", "Готовая еда"), ("makarony-krupy-maslo-specii", "Макароны, крупы, масло, специи"),
        ("cipsy-sneki-popkorn", "Чипсы, снеки, попкорн"), ("sokolad-konfety-sladosti", "Шоколад, конфеты, сладости"),
        ("soki-vody-napitki", "Соки, воды, напитки"), ("kolbasnye-izdelia", "Колбасные изделия"), ("ryba", "Рыба"),
        ("moreprodukty", "Морепродукты"), ("zamorozennye-produkty", "Замороженные продукты"),
        ("tovary-dla-mam-i-detej", "Товары для мам и детей"), ("sousy-ketcupy-majonezy", "Соусы, кетчупы, майонезы"),
        ("kofe-caj-kakao-sahar", "Кофе, чай, какао, сахар"), ("suhie-zavtraki-musli", "Сухие завтраки, мюсли"),
        ("konservacia", "Консервация"), ("zdorove", "Здоровье"),
        ("orehi-semecki-suhofrukty", "Орехи, семечки, сухофрукты"),
        ("med-varene-dzemy-siropy", "Мёд, варенье, джемы, сиропы"), ("zootovary", "Зоотовары"),
        ("krasota-gigiena-apteka", "Красота, гигиена, аптека"), ("uborka", "Уборка"), ("posuda", "Посуда"),
        ("dla-doma-i-daci", "Для дома и дачи"),
    ].enumerated().map { position, shelf in
        CategoryRecord(id: shelf.0, slug: shelf.0, title: shelf.1, position: Int32(position))
    }

    /// What the demo's members buy; their baskets are made of these, so the list only grows at its end, in ``products``.
    private static let staples: [ProductRecord] = Self.records([
        ("demo-101", "Молоко 3,2 %, 930 мл", "moloko-syr-ajca", 9490, 10_990),
        ("demo-102", "Творог 5 %, 200 г", "moloko-syr-ajca", 12_990, nil),
        ("demo-103", "Яйцо куриное С1, 10 шт", "moloko-syr-ajca", 11_990, nil),
        ("demo-201", "Хлеб бородинский, 400 г", "hleb-i-vypecka", 5990, nil),
        ("demo-301", "Филе куриное охлаждённое, 1 кг", "maso-i-ptica", 42_990, 49_990),
        ("demo-401", "Яблоки сезонные, 1 кг", "ovosi-frukty-griby", 13_990, nil),
        ("demo-402", "Томаты на ветке, 1 кг", "ovosi-frukty-griby", 24_990, 32_990),
    ])

    static let products: [ProductRecord] =
        Self.staples
        + Self.records([
            ("demo-302", "Фарш говяжий охлаждённый, 400 г", "maso-i-ptica", 32_990, 41_990),
            ("demo-501", "Кофе в зёрнах, 1 кг", "kofe-caj-kakao-sahar", 129_900, 169_900),
            ("demo-601", "Форель слабосолёная, 150 г", "ryba", 45_990, 59_990),
            ("demo-701", "Шоколад тёмный, 90 г", "sokolad-konfety-sladosti", 11_990, 15_990),
            ("demo-801", "Вода негазированная, 1,5 л", "soki-vody-napitki", 5990, nil),
        ])

    private typealias Goods = (sku: String, title: String, category: String, price: Int64, oldPrice: Int64?)

    private static func records(_ goods: [Goods]) -> [ProductRecord] {
        goods.map { goods in
            ProductRecord(
                sku: goods.sku, title: goods.title, category: goods.category, unit: "шт", price: Kopecks(goods.price),
                oldPrice: goods.oldPrice.flatMap { Kopecks($0) })
        }
    }

    // MARK: What colleagues set up

    static let stickers = "posuda"
    static let coupon = "osen"
    static let stickerCoupon = "skovoroda"
    static let favouritesRule = "lyubimye"
    static let fund = "teply-dom"
    /// Codes of the bookshop.
    static let bookCodes = 1000

    /// Cards that a shop hands out and that nobody has activated yet.
    static let printedCards: [CardNumber] = (0..<20).compactMap { number in
        let payload = "7000000" + String(10_000_000 + number)
        return CardNumber.checkDigit(of: payload).flatMap { CardNumber("\(payload)\($0)") }
    }

    /// Receipts for each member.
    static let receiptsEach = 3

    /// When the first receipt was: a fixed day, since the same triple with another time would be another receipt.
    private static let firstDay = Timestamp(secondsSince1970: 1_748_768_400)

    /// A receipt of the demo: the fiscal triple tells members and receipts apart, the basket follows from both.
    static func receipt(_ number: Int, of member: Int, card: CardNumber) -> TillReceiptBody? {
        let document = Int64(member * Self.receiptsEach + number + 1)
        guard let fiscal = FiscalID(fn: "9800000000000001", fd: document, fpd: document * 7919),
            let shop = Self.shops.first?.id
        else { return nil }
        // Two or three goods, other ones for each receipt, one to three pieces of each.
        let lines = (0..<(2 + (member + number) % 2)).map { index -> TillReceiptBody.Line in
            let product = Self.staples[(member * 2 + number * 3 + index) % Self.staples.count]
            let pieces = Int64(1 + (member + number + index) % 3)
            let price = product.price?.amount ?? 0
            return TillReceiptBody.Line(
                position: index + 1, sku: product.sku, name: product.title, category: product.category,
                quantity: pieces * 1000, price: price, discount: 0, sum: price * pieces)
        }
        return TillReceiptBody(
            fiscal: fiscal, store: shop, at: Self.firstDay + .seconds(86_400 * number + 3600 * member), card: card,
            lines: lines, total: lines.reduce(0) { $0 + $1.sum })
    }
}
