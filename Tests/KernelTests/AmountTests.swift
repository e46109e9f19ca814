import FoundationEssentials
import Kernel
import Testing

@Suite struct AmountTests {
    @Test(arguments: [Int64.min, -1])
    func `an amount below zero does not exist`(number: Int64) {
        #expect(Points(number) == nil)
        #expect(Kopecks(number) == nil)
        #expect(Quantity(thousandths: number) == nil)
    }

    @Test(
        arguments: [
            (0, 0, 0), (1, 2, 3), (.max - 1, 1, .max), (.max, 1, nil), (1, .max, nil), (.max, .max, nil),
        ] as [(Int64, Int64, Int64?)])
    func `adding gives nothing instead of running over`(left: Int64, right: Int64, sum: Int64?) throws {
        #expect(try #require(Points(left)).adding(#require(Points(right)))?.amount == sum)
        #expect(try #require(Kopecks(left)).adding(#require(Kopecks(right)))?.amount == sum)
    }

    @Test(
        arguments: [
            (3, 2, 1), (3, 3, 0), (2, 3, nil), (0, .max, nil), (.max, 0, .max),
        ] as [(Int64, Int64, Int64?)])
    func `subtracting gives nothing instead of going below zero`(left: Int64, right: Int64, rest: Int64?) throws {
        #expect(try #require(Points(left)).subtracting(#require(Points(right)))?.amount == rest)
        #expect(try #require(Kopecks(left)).subtracting(#require(Kopecks(right)))?.amount == rest)
    }

    @Test func `amounts are ordered by their number`() throws {
        #expect(try Points.zero < #require(Points(1)))
        #expect(try !(#require(Kopecks(2)) < #require(Kopecks(2))))
        #expect(try #require(Quantity(thousandths: 1)) < #require(Quantity(thousandths: 2)))
    }

    @Test func `an amount is a plain integer in JSON`() throws {
        let points = try #require(Points(9_007_199_254_740_993))
        let json = try JSONEncoder().encode([points])
        #expect(String(decoding: json, as: UTF8.self) == "[9007199254740993]")
        #expect(try JSONDecoder().decode([Points].self, from: json) == [points])
        #expect(try JSONDecoder().decode([Quantity].self, from: Data("[1500]".utf8)).first?.thousandths == 1500)
    }

    @Test(arguments: ["[-1]", "[1.5]", "[\"1\"]", "[9223372036854775808]", "[null]"])
    func `what is no whole number from zero is refused in JSON`(json: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([Points].self, from: Data(json.utf8)) }
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([Quantity].self, from: Data(json.utf8)) }
    }
}
