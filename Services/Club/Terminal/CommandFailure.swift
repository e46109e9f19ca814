/// Why a command ends without having done what it was asked to: a sentence for a person and a code for a script.
///
/// The codes are those of BSD's sysexits(3); `club help` lists them.
struct CommandFailure: Error, Equatable, CustomStringConvertible {
    /// The exit codes of `club`.
    enum Code: Int32, CaseIterable, Sendable {
        /// A check found something wrong: the ledger does not verify, a replay had errors.
        case checkFailed = 1
        /// The command line is not understood (EX_USAGE; also what the argument parser itself uses).
        case usage = 64
        /// An input file does not hold what it should (EX_DATAERR).
        case dataError = 65
        /// An input file is missing or cannot be read (EX_NOINPUT).
        case noInput = 66
        /// The system does not run or does not answer (EX_UNAVAILABLE).
        case unavailable = 69
        /// Something went wrong inside (EX_SOFTWARE).
        case software = 70
        /// A file or folder cannot be written (EX_CANTCREAT).
        case cannotCreate = 73
        /// A setting is unknown or invalid (EX_CONFIG).
        case configuration = 78

        /// What the code means, for the help.
        var meaning: String {
            switch self {
            case .checkFailed: "a check found something wrong"
            case .usage: "the command line is not understood"
            case .dataError: "an input file does not hold what it should"
            case .noInput: "an input file is missing"
            case .unavailable: "the system does not run or does not answer"
            case .software: "something went wrong inside"
            case .cannotCreate: "a file or folder cannot be written"
            case .configuration: "a setting is unknown or invalid"
            }
        }
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    var description: String { self.message }
}
