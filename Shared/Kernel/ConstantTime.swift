/// Comparison whose duration tells nothing about where two secrets differ.
public enum ConstantTime {
    /// Whether both are the same bytes. The time depends on the lengths only.
    public static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (one, other) in zip(left, right) {
            difference |= one ^ other
        }
        return difference == 0
    }
}
