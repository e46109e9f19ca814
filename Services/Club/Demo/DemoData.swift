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

    static let shops: [StoreRecord] = [
        ("demo-1", "Перекрёсток у дома", "Москва", "ул. Академика Королёва, 12", 55_820_000, 37_611_000),
        ("demo-2", "Перекрёсток на набережной", "Санкт-Петербург", "наб. реки Фонтанки, 5", 59_935_000, 30_344_000),
    ].compactMap { id, title, city, address, latitude, longitude in
        StoreID(id).map { id in
            StoreRecord(
                id: id, title: title, city: city, address: address,
                position: .init(latitudeE6: latitude, longitudeE6: longitude),
                features: [.init(key: "priem-batareek", title: "Приём батареек")])
        }
    }

    static let shelves: [CategoryRecord] = [
        CategoryRecord(id: "moloko-syr-ajca", title: "Молоко, сыр, яйца", position: 0),
        CategoryRecord(id: "hleb-i-vypecka", title: "Хлеб и выпечка", position: 1),
        CategoryRecord(id: "maso-i-ptica", title: "Мясо и птица", position: 2),
        CategoryRecord(id: "ovosi-frukty-griby", title: "Овощи, фрукты, грибы", position: 3),
    ]

    static let products: [ProductRecord] = [
        ("demo-101", "Молоко 3,2 %, 930 мл", "moloko-syr-ajca", 9490),
        ("demo-102", "Творог 5 %, 200 г", "moloko-syr-ajca", 12_990),
        ("demo-103", "Яйцо куриное С1, 10 шт", "moloko-syr-ajca", 11_990),
        ("demo-201", "Хлеб бородинский, 400 г", "hleb-i-vypecka", 5990),
        ("demo-301", "Филе куриное охлаждённое, 1 кг", "maso-i-ptica", 42_990),
        ("demo-401", "Яблоки сезонные, 1 кг", "ovosi-frukty-griby", 13_990),
        ("demo-402", "Томаты на ветке, 1 кг", "ovosi-frukty-griby", 24_990),
    ].map { sku, title, category, price in
        ProductRecord(sku: sku, title: title, category: category, unit: "шт", price: Kopecks(price))
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
            let product = Self.products[(member * 2 + number * 3 + index) % Self.products.count]
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
