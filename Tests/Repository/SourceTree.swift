import FoundationEssentials

/// The repository's own text, as the house rules read it.
struct SourceFile: Sendable {
    /// Relative to the repository's root: `Services/Ledger/Store/Balances.swift`.
    let path: String
    let lines: [Substring]

    init(path: String, text: String) {
        self.path = path
        self.lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    var folders: [Substring] { self.path.split(separator: "/").dropLast() }
    var name: Substring { self.path.split(separator: "/").last ?? "" }
    var isTest: Bool { self.path.hasPrefix("Tests/") }
}

enum SourceTree {
    static let root: String = {
        var parts = #filePath.split(separator: "/")
        parts.removeLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    /// Every file below the source folders whose name ends in one of `endings`.
    static func files(in folders: [String] = ["Shared", "Services", "Tests"], endings: [String]) throws -> [SourceFile]
    {
        var found: [SourceFile] = []
        for folder in folders {
            let below = try FileManager.default.subpathsOfDirectory(atPath: self.root + "/" + folder)
            for path in below.sorted() where endings.contains(where: { path.hasSuffix($0) }) {
                if path.contains(".build") || path.contains("__pycache__") { continue }
                let full = folder + "/" + path
                found.append(SourceFile(path: full, text: try self.text(full)))
            }
        }
        return found
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOfFile: self.root + "/" + path, encoding: .utf8)
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: self.root + "/" + path)
    }

    static func subfolders(of folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: self.root + "/" + folder).sorted().filter { name in
            var isFolder = false
            let path = self.root + "/" + folder + "/" + name
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
        }
    }
}
