/// How far a long job is.
public struct JobProgress: Sendable, Hashable, Codable {
    /// Of the same unit as `total`: rows, pages, messages.
    public let done: Int64
    /// nil when it is not known.
    public let total: Int64?
    /// A few words for the person who watches. Nothing personal.
    public let note: String?

    /// A state of affairs.
    public init(done: Int64, of total: Int64? = nil, note: String? = nil) {
        self.done = done
        self.total = total
        self.note = note
    }
}
