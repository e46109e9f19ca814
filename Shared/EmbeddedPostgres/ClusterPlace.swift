internal import FoundationEssentials
internal import Glibc
internal import Logging

/// The folders and small files of a cluster, and who may enter them.
struct ClusterPlace: Sendable {
    /// Longest path of a Unix socket on Linux, without the closing zero.
    static let socketPathLimit = 107

    let folder: String
    let account: ServerAccount?

    init(folder: String, account: ServerAccount?) {
        self.folder = URL(filePath: folder).standardizedFileURL.path.droppingLastSlash()
        self.account = account
    }

    /// Where a cluster lives unless the server's account cannot get there.
    static func home(in folder: String) -> String { "\(folder)/postgres" }

    var home: String { Self.home(in: self.folder) }
    var stateFile: String { "\(self.home)/cluster.json" }
    var passwordFile: String { "\(self.home)/owner.password" }
    /// Where the wheel of PyPI is put when nothing else is there.
    var wheelFolder: String { "\(self.folder)/python" }

    func loadState() throws -> ClusterState? {
        guard let state = try ClusterState.load(from: self.stateFile) else { return nil }
        // Data in /var/tmp may have been tidied away; without them there is no cluster.
        return FileManager.default.fileExists(atPath: "\(state.data)/PG_VERSION") ? state : nil
    }

    func save(_ state: ClusterState) throws {
        try state.save(to: self.stateFile)
    }

    /// Makes the folders and returns the one that the data go to, owned by the server's account.
    func prepareHome(known: ClusterState?, logger: Logger) async throws -> String {
        try FileManager.default.createDirectory(atPath: self.home, withIntermediateDirectories: true)
        guard let account else {
            try Self.change(self.home, mode: 0o700)
            return known?.home ?? self.home
        }
        if let known, known.home != self.home { return known.home }
        try Self.allowPassing(self.folder)
        try Self.change(self.home, mode: 0o711, owner: account)
        if try await account.canEnter(self.home) { return self.home }
        let elsewhere = try Self.temporaryFolder("/var/tmp/club-postgres-XXXXXX", owner: account)
        logger.notice(
            "The database server's user cannot enter this folder, so the data are kept elsewhere",
            metadata: ["user": "\(account.name)", "folder": "\(self.folder)", "elsewhere": "\(elsewhere)"])
        return elsewhere
    }

    /// The cluster's home when a socket's path fits there, else a short folder in /tmp.
    func socketFolder(home: String, known: ClusterState?) throws -> String {
        if home.utf8.count + "/.s.PGSQL.65535".utf8.count <= Self.socketPathLimit { return home }
        if let known, known.home == home, FileManager.default.fileExists(atPath: known.socketFolder) {
            return known.socketFolder
        }
        let folder = try Self.temporaryFolder("/tmp/club-socket-XXXXXX", owner: self.account)
        try Self.change(folder, mode: 0o711)
        return folder
    }

    /// The owner's password, as ``makeOwnerPassword()`` wrote it.
    func ownerPassword() throws -> String {
        try String(contentsOfFile: self.passwordFile, encoding: .utf8).trimmingSpaces()
    }

    /// Makes a random password and keeps it in a file that only we can read.
    func makeOwnerPassword() throws -> String {
        var random = SystemRandomNumberGenerator()
        let password = (0..<4).map { _ in String(random.next() as UInt64, radix: 36) }.joined()
        try Self.write(password + "\n", to: self.passwordFile, mode: 0o600, owner: nil)
        return password
    }

    /// Writes a small file with its final mode from the first moment on.
    static func write(_ text: String, to file: String, mode: mode_t, owner: ServerAccount?) throws {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw Self.refused("Writing \(file)") }
        defer { close(descriptor) }
        if let owner, fchown(descriptor, owner.user, owner.group) != 0 { throw Self.refused("Writing \(file)") }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw Self.refused("Writing \(file)") }
    }

    private static func temporaryFolder(_ template: String, owner: ServerAccount?) throws -> String {
        var name = Array(template.utf8CString)
        guard mkdtemp(&name) != nil else { throw Self.refused("Making a folder like \(template)") }
        let folder = name.withUnsafeBufferPointer { bytes in
            String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        if let owner { try Self.change(folder, mode: 0o711, owner: owner) }
        return folder
    }

    private static func change(_ folder: String, mode: mode_t, owner: ServerAccount? = nil) throws {
        if let owner, chown(folder, owner.user, owner.group) != 0 {
            throw Self.refused("Giving \(folder) to \(owner.name)")
        }
        guard chmod(folder, mode) == 0 else { throw Self.refused("Opening \(folder)") }
    }

    /// Lets other users pass through a folder without seeing what is in it.
    private static func allowPassing(_ folder: String) throws {
        var status = stat()
        guard stat(folder, &status) == 0 else { throw Self.refused("Reading \(folder)") }
        guard status.st_mode & S_IXOTH == 0 else { return }
        try Self.change(folder, mode: (status.st_mode & 0o7777) | S_IXOTH)
    }

    static func refused(_ action: String) -> EmbeddedPostgresError {
        EmbeddedPostgresError(.commandFailed, "\(action) failed: \(String(cString: strerror(errno)))")
    }
}

extension String {
    fileprivate func droppingLastSlash() -> String {
        self.count > 1 && self.hasSuffix("/") ? String(self.dropLast()) : self
    }
}
