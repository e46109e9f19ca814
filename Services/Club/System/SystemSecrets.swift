import FoundationEssentials
import Glibc
import JobQueue
import Kernel

/// The secrets of a system: one file each below `secrets/`, readable by their owner only, made when they are first asked
/// for. Services are told the files, never the values.
struct SystemSecrets: Sendable {
    let folder: String
    private let random: RandomBytes

    init(_ folder: SystemFolder, random: RandomBytes = .system) {
        self.folder = folder.secretsFolder
        self.random = random
    }

    func path(_ name: String) -> String { "\(self.folder)/\(name)" }

    /// The secret of that name; nil when there is none yet.
    func read(_ name: String) -> Secret? {
        guard let bytes = FileManager.default.contents(atPath: self.path(name)) else { return nil }
        return Secret(Array(bytes))
    }

    /// The secret of that name, made of random bytes when there is none: base64 without line ends.
    func readOrMake(_ name: String, bytes: Int) throws -> Secret {
        if let secret = self.read(name) { return secret }
        let secret = Secret(Data(self.random.next(bytes)).base64EncodedString())
        try self.write(secret, to: name)
        return secret
    }

    /// The name of the secret with the keys of encrypted queues.
    static let queueKeysName = "club_queue_keys"

    /// The keys of encrypted queues; nil when none were made yet.
    func queueKeys() throws -> Keyring? {
        try self.read(Self.queueKeysName).map { try Keyring($0) }
    }

    /// One key of 32 random bytes, unless there are keys already.
    func makeQueueKeys() throws {
        guard self.read(Self.queueKeysName) == nil else { return }
        let secret = Data(self.random.next(Keyring.secretLength)).base64EncodedString()
        try self.write(Secret("1:" + secret), to: Self.queueKeysName)
    }

    /// Keeps a secret, in a file that is complete and closed to others from its first moment on.
    func write(_ secret: Secret, to name: String) throws {
        let temporary = self.path(".\(name).\(getpid())")
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw CommandFailure(.cannotCreate, "\(self.folder) cannot be written to.") }
        let bytes = secret.reveal()
        let isWritten = Glibc.write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten, rename(temporary, self.path(name)) == 0 else {
            unlink(temporary)
            throw CommandFailure(.cannotCreate, "\(self.path(name)) cannot be written.")
        }
    }
}
