import FoundationEssentials
import Kernel
import TestSupport
import Testing

@Suite struct IdentifierTests {
    @Test func `an identifier is written in lower case and read in both`() throws {
        let id = try #require(Member.ID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"))
        #expect(id.description == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
        #expect(Member.ID(id.description) == id)
        let json = try JSONEncoder().encode([id])
        #expect(String(decoding: json, as: UTF8.self) == #"["017f22e2-79b0-7cc3-98c4-dc0c0c07398f"]"#)
        #expect(try JSONDecoder().decode([Member.ID].self, from: json) == [id])
    }

    @Test(arguments: [
        "", "1", "017f22e279b07cc398c4dc0c0c07398f", "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f ",
    ])
    func `anything else is no identifier`(text: String) {
        #expect(Member.ID(text) == nil)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([Member.ID].self, from: JSONEncoder().encode([text]))
        }
    }

    /// RFC 9562, A.6: the test vector of version 7.
    @Test func `a version 7 begins with the milliseconds and has the bits of its version and variant`() throws {
        let moment = try #require(Timestamp("2022-02-22T14:22:22-05:00"))
        let id = IDGenerator.uuidV7(clock: ManualClock(moment), random: .seeded(7)).uuid()
        #expect(id.uuidString.lowercased().hasPrefix("017f22e2-79b0-7"))
        #expect(id.uuid.8 & 0b1100_0000 == 0b1000_0000)
    }

    @Test func `whatever the random bytes are, version and variant stay`() {
        for byte: UInt8 in [0x00, 0xFF] {
            let ids = IDGenerator.uuidV7(
                clock: ManualClock(), random: RandomBytes { .init(repeating: byte, count: $0) })
            let id = ids.uuid()
            #expect(id.uuid.6 >> 4 == 7)
            #expect(id.uuid.8 >> 6 == 0b10)
        }
    }

    @Test func `identifiers rise within a millisecond, also when its counter runs over`() {
        let clock = ManualClock()
        let ids = IDGenerator.uuidV7(clock: clock, random: .seeded())
        let made = (0..<10_000).map { _ in ids.next(Member.self) }
        #expect(zip(made, made.dropFirst()).allSatisfy { $0 < $1 })
        clock.advance(by: .seconds(10))
        #expect(ids.next() > made[made.count - 1])
    }

    @Test func `identifiers rise when the clock goes backwards`() {
        let clock = ManualClock()
        let ids = IDGenerator.uuidV7(clock: clock, random: .seeded())
        let before = ids.next(Member.self)
        clock.advance(by: .seconds(-3600))
        #expect(ids.next() > before)
    }

    @Test func `many tasks at once get identifiers of their own`() async {
        let ids = IDGenerator.uuidV7(clock: ManualClock(), random: .system)
        let made = await withTaskGroup(of: [Member.ID].self) { group in
            for _ in 0..<8 { group.addTask { (0..<500).map { _ in ids.next() } } }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(made).count == 4000)
    }

    @Test func `a moment before 1970 does no harm`() {
        let ids = IDGenerator.uuidV7(clock: ManualClock(Timestamp(microseconds: -1)), random: .seeded())
        #expect(ids.uuid().uuidString.hasPrefix("00000000-0000-7"))
    }

    @Test func `the system's random bytes are as many as asked for and differ`() {
        let (one, other) = (RandomBytes.system.next(32), RandomBytes.system.next(32))
        #expect(one.count == 32)
        #expect(one != other)
        #expect(RandomBytes.system.next(0).isEmpty)
        #expect(RandomBytes { .init(repeating: 1, count: $0) }.nextUInt64() == 0x0101_0101_0101_0101)
    }
}
