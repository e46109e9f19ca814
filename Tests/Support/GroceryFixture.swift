internal import FoundationEssentials
internal import Kernel

/// Grocery data of our own in the Complete Journey's format, the same in every run, with the real data's dirt: lines of
/// quantity 0, weights as large quantities, residues of binary arithmetic, discounts, baskets that earn nothing, and
/// numbers of baskets on both sides of what a fiscal document's number holds.
public struct GroceryFixture: Sendable {
    /// The folder with transactions.csv.gz and products.csv.gz.
    public let folder: String
    /// Baskets.
    public let receipts: Int
    /// Lines of all baskets.
    public let lines: Int

    /// Has the files for as long as the body runs.
    public static func run<R>(
        households: Int, basketsEach: Int, _ body: (GroceryFixture) async throws -> R
    ) async throws -> R {
        let folder = FileManager.default.temporaryDirectory.path + "/club-grocery-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let result: Result<R, any Error>
        do {
            let transactions = Self.transactions(households: households, basketsEach: basketsEach)
            try await Self.write(transactions, to: "\(folder)/transactions.csv")
            try await Self.write(Self.products(), to: "\(folder)/products.csv")
            let fixture = GroceryFixture(
                folder: folder, receipts: households * basketsEach, lines: transactions.count - 1)
            result = .success(try await body(fixture))
        } catch {
            result = .failure(error)
        }
        try FileManager.default.removeItem(atPath: folder)
        return try result.get()
    }

    private static func write(_ lines: [String], to path: String) async throws {
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: path))
        let result = try await ClubShell(data: "/nonexistent").run("gzip", [path])
        guard result.code == 0 else { throw NeverHappened(description: "gzip \(path): \(result)") }
    }

    private static let productNumbers = 25_671..<25_711

    private static func products() -> [String] {
        ["product_id,manufacturer_id,department,brand,product_category,product_type,package_size"]
            + Self.productNumbers.map { number in
                let department = ["GROCERY", "PRODUCE", "SPIRITS", "ELECT &PLUMBING", ""][number % 5]
                return "\(number),2,\(department),National,FRZN ICE,\"ICE - CRUSHED, CUBED\",22 LB"
            }
    }

    private static func transactions(households: Int, basketsEach: Int) -> [String] {
        var random = SplitMix64(seed: 2017)
        var lines = [
            "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,"
                + "transaction_timestamp"
        ]
        // The middle one is the first whose number does not fit a fiscal document's.
        var basket = 10_000_000_000 - households * basketsEach / 2
        for number in 0..<basketsEach {
            for household in 1...households {
                basket += 1
                let store = Int.random(in: 280...300, using: &random)
                let at = Timestamp(secondsSince1970: 1_483_228_800 + Int64(number * 3600 + household * 7))
                let time = at.description.dropLast()
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    let goods = Self.goods(&random)
                    lines.append("\(household),\(store),\(basket),\(goods),0.0,0.0,\(time)")
                }
            }
        }
        return lines
    }

    /// Product, quantity, price and discount of a line.
    private static func goods(_ random: inout SplitMix64) -> String {
        let product = Self.productNumbers.randomElement(using: &random) ?? 0
        let cents = Int.random(in: 5...900, using: &random)
        let value = "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)"
        switch Int.random(in: 0..<20, using: &random) {
        case 0: return "\(product),0,0.0,0.0"
        case 1: return "\(product),0,1.776357e-15,0.5"
        case 2: return "\(product),14226,\(value),2.14"
        case 3: return "\(product),2,\(cents / 100).5,0.25"
        default: return "\(product),1,\(value),0.0"
        }
    }
}
