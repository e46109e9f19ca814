/// Why a private PostgreSQL could not be found, made, started or stopped.
///
/// The description is one sentence for the person at the terminal; it names paths and commands, never data or passwords.
public struct EmbeddedPostgresError: Error, Sendable, CustomStringConvertible {
    /// What went wrong; an open set.
    public struct Code: Hashable, Sendable {
        /// The stable name, in kebab case.
        public let name: String

        /// No usable PostgreSQL is on this machine.
        public static let notInstalled = Code(name: "not-installed")
        /// A PostgreSQL was named or found that is older than 15, or of another major version than the data.
        public static let wrongVersion = Code(name: "wrong-version")
        /// We are root, and there is no unprivileged account that the server could run under.
        public static let noAccount = Code(name: "no-account")
        /// Somebody else listens on the server's port.
        public static let portTaken = Code(name: "port-taken")
        /// A command of PostgreSQL, or the system, refused.
        public static let commandFailed = Code(name: "command-failed")
    }

    /// What went wrong.
    public let code: Code
    /// A sentence that says what to do about it.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
