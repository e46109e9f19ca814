import FoundationEssentials
import TestSupport
import Testing

@testable import Photos
@testable import Support

@Suite struct PhotoHeaderTests {
    @Test func `a header says what a picture is and how large`() throws {
        for (name, kind) in [("gps.jpg", PhotoHeader.Kind.jpeg), ("gps.png", .png), ("gps.webp", .webp)] {
            let header = try #require(PhotoHeader(try SupportWorld.fixture(name)))
            #expect(header.kind == kind && header.width == 240 && header.height == 160, "\(name)")
            #expect(!header.isTooLarge)
        }
        #expect(PhotoHeader(try SupportWorld.fixture("bomb.png"))?.isTooLarge == true)
    }

    @Test func `what is none of the three kinds is none`() {
        let texts = [
            "", "GIF89a....", "<svg xmlns='http://www.w3.org/2000/svg'/>", "%PDF-1.7", "BM000000", "RIFF0000WAVEfmt ",
        ]
        for text in texts { #expect(PhotoHeader(Array(text.utf8)) == nil, "\(text)") }
        #expect(PhotoHeader([0xFF, 0xD8, 0xFF, 0xE0]) == nil)
    }

    /// Whatever a stranger sends, it is judged without a crash.
    @Test func `broken and cut pictures are judged without a crash`() throws {
        var generator = SplitMix64(seed: 5)
        for name in ["gps.jpg", "gps.png", "gps.webp"] {
            let whole = try SupportWorld.fixture(name)
            for length in 0..<min(whole.count, 900) {
                _ = PhotoHeader(Array(whole.prefix(length)))
                _ = BarePicture.isBare(Array(whole.prefix(length)), .jpeg)
                _ = BarePicture.isBare(Array(whole.prefix(length)), .png)
            }
            for _ in 0..<2000 {
                var bytes = whole
                for _ in 0..<8 {
                    bytes[Int.random(in: 2..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
                }
                if let header = PhotoHeader(bytes) { #expect(header.width > 0 && header.height > 0) }
                for kind in PhotoHeader.Kind.allCases { _ = BarePicture.isBare(bytes, kind) }
            }
        }
    }

    @Test func `a picture with a camera, a place, words or a tail is not bare`() throws {
        for (name, kind) in [
            ("gps.jpg", PhotoHeader.Kind.jpeg), ("polyglot.jpg", .jpeg), ("gps.png", .png), ("gps.webp", .webp),
        ] {
            #expect(!BarePicture.isBare(try SupportWorld.fixture(name), kind), "\(name)")
        }
    }
}

/// Real pictures through the real program; without it there is nothing to test.
@Suite(.enabled(if: LibVips.isInstalled)) struct PhotoCleanerTests {
    /// What the fixtures carry beside the picture (Fixtures/photos.py).
    private static let secrets = ["SecretCamera", "SecretComment", "Exif", "2026:11:27", "<script"]

    private func cleaned(_ name: String, _ clean: PhotoCleaner = PhotoCleaner()) async throws -> PhotoCleaner.Cleaned {
        let bytes = try SupportWorld.fixture(name)
        return try await clean(bytes, try #require(PhotoHeader(bytes)))
    }

    @Test(arguments: ["gps.jpg", "gps.png", "gps.webp", "polyglot.jpg"])
    func `camera, place, words and what is behind the picture do not come out again`(name: String) async throws {
        let before = String(decoding: try SupportWorld.fixture(name), as: UTF8.self)
        #expect(Self.secrets.contains { before.contains($0) })
        let photo = try await self.cleaned(name)
        let after = String(decoding: photo.bytes, as: UTF8.self)
        for secret in Self.secrets { #expect(!after.contains(secret), "\(name): \(secret)") }
        #expect(BarePicture.isBare(photo.bytes, photo.header.kind))
        // The orientation was a word of EXIF; now the picture itself is turned.
        #expect(photo.header.width == 160 && photo.header.height == 240)
        #expect(photo.header.kind == (name == "gps.png" ? .png : .jpeg))
    }

    @Test func `a picture whose data is longer than its header says is cut to its header`() async throws {
        let photo = try await self.cleaned("liar.png")
        #expect(photo.header.width == 64 && photo.header.height == 64)
        #expect(photo.bytes.count < 10_000)
    }

    @Test func `what only looks like a picture is refused`() async throws {
        var bytes = try SupportWorld.fixture("gps.png")
        for index in 60..<bytes.count { bytes[index] = 0 }
        let header = try #require(PhotoHeader(bytes))
        await #expect(throws: PhotoCleaner.Failure.unreadable) { _ = try await PhotoCleaner()(bytes, header) }
    }

    @Test func `without the program it is said that there is none`() async throws {
        await #expect(throws: PhotoCleaner.Failure.notInstalled) {
            _ = try await self.cleaned("gps.jpg", PhotoCleaner(program: "no-such-program"))
        }
    }

    /// Whoever breaks into the decoder finds no secret in its environment.
    @Test func `the program gets nothing of our environment, and limits`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "club-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (program, seen) = ("\(folder)/program", "\(folder)/seen")
        let text = "#!/bin/sh\nenv | sed 's/=.*//' > \(seen)\nulimit -v >> \(seen)\nulimit -t >> \(seen)\nexit 1\n"
        try #require(
            FileManager.default.createFile(
                atPath: program, contents: Data(text.utf8), attributes: [.posixPermissions: 0o700]))
        await #expect(throws: PhotoCleaner.Failure.unreadable) {
            _ = try await self.cleaned("gps.jpg", PhotoCleaner(program: program))
        }
        let lines = try String(contentsOfFile: seen, encoding: .utf8).split(separator: "\n").map(String.init)
        let names = Set(lines.dropLast(2))
        #expect(
            names.subtracting(["PATH", "TMPDIR", "LC_ALL", "PWD", "OLDPWD", "SHLVL", "_"])
                == ["VIPS_BLOCK_UNTRUSTED", "VIPS_CONCURRENCY"])
        #expect(lines.suffix(2) == ["1048576", "20"])
    }
}

/// Whether the program of libvips is here.
enum LibVips {
    static var isInstalled: Bool {
        ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/vipsthumbnail")
        }
    }
}
