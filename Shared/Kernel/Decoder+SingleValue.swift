extension Decoder {
    /// Decodes one plain value and makes a richer one of it.
    /// - Parameters:
    ///   - requirement: what a valid value looks like; never quotes the value, so that the error may be logged.
    ///   - make: nil refuses the value with `DecodingError.dataCorrupted`.
    func singleValue<Plain: Decodable, Rich>(
        as plain: Plain.Type, _ requirement: String, _ make: (Plain) -> Rich?
    ) throws -> Rich {
        let container = try self.singleValueContainer()
        guard let rich = make(try container.decode(plain)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: requirement)
        }
        return rich
    }
}
