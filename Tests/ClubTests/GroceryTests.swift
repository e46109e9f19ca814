import Kernel
import Testing

@testable import Club

@Suite struct GroceryTests {
    private func receipt(store: Int64, basket: Int64, cents: [Int64] = []) -> GroceryReceipt {
        var receipt = GroceryReceipt(household: 1, store: store, basket: basket, at: Timestamp(microseconds: 0))
        receipt.lines = cents.map { GroceryLine(product: 1, quantity: 1, cents: $0, discountCents: 0) }
        return receipt
    }

    /// The expected triples were computed by other means: FNV-1a in Python.
    @Test(
        arguments: [
            (346, 31_198_970_033, "9900000346000003", 1_198_970_036, 871_704_782),
            (1, 1, "9900000001000000", 1, 1_680_131_417),
            (1, 9_999_999_999, "9900000001000000", 9_999_999_999, 3_732_356_816),
            (1, 10_000_000_000, "9900000001000001", 1, 1_676_447_233),
        ] as [(Int64, Int64, String, Int64, Int64)])
    func `a basket has one fiscal triple`(store: Int64, basket: Int64, fn: String, fd: Int64, fpd: Int64) throws {
        let fiscal = try #require(self.receipt(store: store, basket: basket).fiscal)
        #expect(fiscal.fn == fn)
        #expect(fiscal.fd == fd)
        #expect(fiscal.fpd == fpd)
    }

    @Test func `baskets and stores next to each other have different triples`() {
        let receipts = [1, 2, 3].flatMap { store in
            [1, 9_999_999_999, 10_000_000_000, 19_999_999_998, 19_999_999_999].map {
                self.receipt(store: store, basket: $0)
            }
        }
        #expect(Set(receipts.map(\.fiscal)).count == receipts.count)
    }

    @Test func `a basket whose numbers do not fit has no triple`() {
        #expect(self.receipt(store: 100_000_000, basket: 1).fiscal == nil)
        #expect(self.receipt(store: 1, basket: 0).fiscal == nil)
        #expect(self.receipt(store: 1, basket: .max).fiscal == nil)
    }

    @Test func `kopecks are the cents of each line times the rate`() {
        #expect(self.receipt(store: 1, basket: 1, cents: [161, 0, 19]).kopecks(rate: 60) == 10_800)
        #expect(self.receipt(store: 1, basket: 1, cents: [.max]).kopecks(rate: 60) == nil)
        #expect(self.receipt(store: 1, basket: 1, cents: [.max, 1]).kopecks(rate: 1) == nil)
    }

    @Test func `a household's reference, phone and name are its own and always the same`() throws {
        let households = (1...3000).map { Household($0) }
        #expect(Set(households.compactMap(\.phone)).count == households.count)
        #expect(households.allSatisfy { $0.fullName != nil && Household(reference: $0.reference) == $0 })
        #expect(Household(17).reference == "grocery:household:17")
        #expect(try #require(Household(17).phone).e164 == "+79991000017")
        #expect(Household(1_000_000).phone == nil)
        #expect(Household(reference: "grocery:household:") == nil)
        #expect(Household(reference: "demo:member:1") == nil)
    }

    @Test(arguments: [
        ("DRUG GM", "grocery-drug-gm"), ("ELECT &PLUMBING", "grocery-elect-plumbing"), ("", "grocery"),
        ("MEAT-PCKGD", "grocery-meat-pckgd"),
    ])
    func `a department's code is lower-case words`(department: String, code: String) {
        #expect(GroceryProduct.categoryCode(department: department) == code)
    }

    @Test func `a till's receipt has the sums of its lines, and weights and nothing at all are quantities`() throws {
        var receipt = self.receipt(store: 346, basket: 7)
        receipt.lines = [
            GroceryLine(product: 5, quantity: 0, cents: 0, discountCents: 0),
            GroceryLine(product: 6, quantity: 2, cents: 300, discountCents: 50),
            GroceryLine(product: 7, quantity: 14_230, cents: 2006, discountCents: 1),
        ]
        let card = CardNumber.make(random: .system)
        let product = GroceryProduct(id: 6, department: "GROCERY", category: "MILK", type: "FLUID MILK", size: "1 GA")
        let body = try #require(TillReceiptBody(receipt, card: card, rate: 60, products: [6: product]))
        #expect(body.total == 138_360)
        #expect(body.lines.map(\.sum) == [0, 18_000, 120_360])
        #expect(body.lines.map(\.quantity) == [0, 2000, 14_230_000])
        #expect(body.lines.map(\.price) == [0, 10_500, 8])
        #expect(body.lines.map(\.discount) == [0, 3000, 60])
        #expect(body.lines.map(\.position) == [1, 2, 3])
        #expect(body.lines.map(\.category) == [nil, "grocery-grocery", nil])
        #expect(body.lines[1].name == "FLUID MILK, 1 GA")
        #expect(body.store.text == "grocery-346")
    }
}
