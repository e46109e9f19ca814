/// Targets that take hours, or a test with an oracle.
enum LongCases {
    /// Target L: nothing lost, nothing double, nothing out of order, whatever is killed.
    static func chaos(_ world: World) async throws {
        world.report.remark("L", "chaos is proven by deploy/test chaos, which counts losses and doubles")
    }
}
