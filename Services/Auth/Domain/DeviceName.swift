/// What a session is called in the member's list of devices: the client's own User-Agent, cut and cleaned.
struct DeviceName: Hashable, Sendable {
    static let lengthMax = 120

    let text: String

    init(userAgent: String?) {
        let printable = (userAgent ?? "").unicodeScalars.filter { scalar in
            scalar.value >= 0x20 && scalar.value != 0x7f && !(0x80...0x9f).contains(scalar.value)
        }
        var name = ""
        // By scalars, because the column counts code points and a User-Agent may be one long combining sequence.
        name.unicodeScalars.append(contentsOf: printable.prefix(Self.lengthMax))
        self.text = name
    }
}
