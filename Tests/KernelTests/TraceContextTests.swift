import Kernel
import TestSupport
import Testing

@Suite struct TraceContextTests {
    private static let example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test func `the recommendation's example is read and written`() throws {
        let trace = try #require(TraceContext(traceparent: Self.example))
        #expect(trace.traceIDText == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(trace.spanID == [0x00, 0xF0, 0x67, 0xAA, 0x0B, 0xA9, 0x02, 0xB7])
        #expect(trace.isSampled)
        #expect(trace.traceparent == Self.example)
    }

    @Test(arguments: [
        ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-brings", true),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01what", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", true),
        ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
        ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
        ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g", false),
        ("00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
        ("", false), ("00", false),
    ])
    func `what the recommendation calls invalid is ignored`(text: String, isValid: Bool) {
        #expect((TraceContext(traceparent: text) != nil) == isValid)
    }

    @Test func `a child is of the same trace and has a span of its own`() throws {
        let parent = try #require(TraceContext(traceparent: Self.example))
        let child = parent.child(random: .seeded())
        #expect(child.traceID == parent.traceID)
        #expect(child.spanID != parent.spanID)
        #expect(child.isSampled)
        #expect(TraceContext(traceparent: child.traceparent) == child)
    }

    @Test func `a root is valid even when the random bytes are zero`() {
        let root = TraceContext.root(random: RandomBytes { .init(repeating: 0, count: $0) })
        #expect(TraceContext(traceparent: root.traceparent) == root)
        #expect(!root.isSampled)
    }

    @Test(arguments: [(15, 8), (16, 7), (17, 8), (16, 9), (0, 0)])
    func `only 16 and 8 bytes make a trace`(trace: Int, span: Int) {
        let bytes = { (count: Int) in [UInt8](repeating: 1, count: count) }
        #expect(TraceContext(traceID: bytes(trace), spanID: bytes(span), isSampled: true) == nil)
        #expect(TraceContext(traceID: bytes(16), spanID: bytes(8), isSampled: true) != nil)
    }

    @Test func `the present trace belongs to the task`() async throws {
        let trace = try #require(TraceContext(traceparent: Self.example))
        #expect(TraceContext.current == nil)
        await TraceContext.$current.withValue(trace) {
            async let child = TraceContext.current
            #expect(await child == trace)
        }
        #expect(TraceContext.current == nil)
    }
}
