/// Splits `amount` over `weights` in whole units: the largest remainder method (Hamilton's), so that the parts sum to
/// `amount` exactly and none is more than one unit away from its proportional share. Equal remainders go to the
/// earlier weight, which makes the answer a function of its input.
///
/// - Parameters:
///   - amount: at or above 0, and 0 where all weights are 0.
///   - weights: at or above 0, with a sum that fits.
func allocate(_ amount: Int64, over weights: [Int64]) -> [Int64] {
    let whole = weights.reduce(0, +)
    guard whole > 0 else {
        precondition(amount == 0, "an amount above zero needs a weight above zero to be given to")
        return weights.map { _ in 0 }
    }
    var shares: [Int64] = []
    var remainders: [(remainder: Int64, index: Int)] = []
    shares.reserveCapacity(weights.count)
    remainders.reserveCapacity(weights.count)
    for (index, weight) in weights.enumerated() {
        // A weight is at most the whole, so the quotient is at most the amount: the division cannot overflow.
        let (share, remainder) = whole.dividingFullWidth(amount.multipliedFullWidth(by: weight))
        shares.append(share)
        remainders.append((remainder, index))
    }
    let left = Int(amount - shares.reduce(0, +))
    guard left > 0 else { return shares }
    remainders.sort { ($1.remainder, $0.index) < ($0.remainder, $1.index) }
    for (_, index) in remainders.prefix(left) { shares[index] += 1 }
    return shares
}
