internal import FoundationEssentials

/// Makes the files of a new cluster, with its owner and its database.
struct ClusterMaker {
    let installation: PostgresInstallation
    let place: ClusterPlace
    let state: ClusterState

    /// Made under another name and renamed at the end: a cluster that exists is a whole one.
    func make() async throws {
        let draft = "\(self.state.home)/data.new"
        for leftover in [draft, self.state.data] where FileManager.default.fileExists(atPath: leftover) {
            try FileManager.default.removeItem(atPath: leftover)
        }
        try await self.initialise(draft)
        try self.includeOurSettings(in: draft)
        try await self.makeDatabase(in: draft)
        try FileManager.default.moveItem(atPath: draft, toPath: self.state.data)
    }

    private func initialise(_ folder: String) async throws {
        var arguments = [
            "--pgdata=\(folder)", "--username=\(EmbeddedPostgres.owner)", "--encoding=UTF8", "--data-checksums",
            "--auth=\(self.state.authentication.method)", "--no-instructions",
        ]
        // Ordering by code point, case rules of Unicode: the same on every machine. Before 17 only the C library has it.
        if self.installation.major >= 17 {
            arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        } else {
            arguments.append("--locale=C.UTF-8")
        }
        if self.state.profile == .volatile { arguments.append("--no-sync") }
        let passwordFile = "\(self.state.home)/initdb.password"
        if self.state.authentication == .password {
            let password = try self.place.makeOwnerPassword()
            try ClusterPlace.write(password + "\n", to: passwordFile, mode: 0o600, owner: self.place.account)
            arguments.append("--pwfile=\(passwordFile)")
        }
        defer { try? FileManager.default.removeItem(atPath: passwordFile) }
        try await Command(
            program: self.installation.program("initdb"), arguments: arguments, account: self.place.account
        ).runOrThrow(purpose: "Making the database cluster in \(self.state.home)")
    }

    private func includeOurSettings(in folder: String) throws {
        let file = "\(folder)/postgresql.conf"
        let handle = try String(contentsOfFile: file, encoding: .utf8)
        let text = handle + "\n# Ours, last, so that it wins.\ninclude_if_exists = '\(ServerSettingsFile.name)'\n"
        try ClusterPlace.write(text, to: file, mode: 0o600, owner: self.place.account)
    }

    private func makeDatabase(in folder: String) async throws {
        try await Command(
            program: self.installation.program("postgres"),
            arguments: ["--single", "-D", folder, "-c", "log_min_messages=warning", "postgres"],
            account: self.place.account, input: "create database \(EmbeddedPostgres.database)\n"
        ).runOrThrow(purpose: "Making the database \(EmbeddedPostgres.database)")
    }
}
