public import Kernel

/// Why a process cannot run; the description is one sentence for the operator.
public struct HostError: Error, Sendable, CustomStringConvertible {
    /// What is wrong.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// What happens in a host, for whoever started it.
public enum HostEvent: Sendable, Hashable {
    /// A service accepts connections; it may still wait for its database.
    case listening(ServiceName, port: Int)
    /// A service does its work.
    case ready(ServiceName)
}
