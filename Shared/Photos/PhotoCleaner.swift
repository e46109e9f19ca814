internal import FoundationEssentials
internal import NIOConcurrencyHelpers
internal import Subprocess
internal import SystemPackage

/// Decodes a picture and writes it anew with libvips, in a process of its own with limits of its own: what is no part
/// of the picture (EXIF, GPS, a script behind the last pixel) is not in what comes out, and a picture that kills the
/// decoder kills nobody else. The process gets no environment of ours, in which secrets may stand.
public struct PhotoCleaner: Sendable {
    /// Why there is no picture.
    public enum Failure: Error, Hashable {
        /// The program is not installed: Debian's package libvips-tools has it.
        case notInstalled
        /// No picture could be made of it.
        case unreadable
        /// Enough are being made already.
        case busy
    }

    /// A picture as it was made.
    public struct Cleaned: Sendable {
        /// What it is now.
        public let header: PhotoHeader
        /// The file.
        public let bytes: [UInt8]
    }

    /// Seconds of processor time, and of waiting.
    private static let (processorLimit, timeLimit) = (20, 40)
    /// Forty megapixels of a progressive JPEG take 250 MB; the rest is libraries.
    private static let memoryLimit = 1 << 30
    /// Decoders that run at the same time in this process.
    private static let runningMax = 2

    private let program: String
    private let side: Int
    private let running = NIOLockedValueBox(0)

    /// - Parameters:
    ///   - program: a name that is looked up in PATH, or a path.
    ///   - side: the longer side of what is made, in pixels; with 2560 a price tag can still be read.
    public init(program: String = "vipsthumbnail", side: Int = 2560) {
        (self.program, self.side) = (program, side)
    }

    /// Makes it anew: PNG stays PNG, everything else becomes JPEG.
    /// - Parameter header: what the bytes say of themselves, checked.
    /// - Throws: ``Failure``
    public func callAsFunction(_ bytes: [UInt8], _ header: PhotoHeader) async throws -> Cleaned {
        let isFree = self.running.withLockedValue { running in
            guard running < Self.runningMax else { return false }
            running += 1
            return true
        }
        guard isFree else { throw Failure.busy }
        defer { self.running.withLockedValue { $0 -= 1 } }
        let folder = FileManager.default.temporaryDirectory.appending(path: "club-photo-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let input = "\(folder)/in.\(header.kind.suffix)"
        guard FileManager.default.createFile(atPath: input, contents: Data(bytes)) else { throw Failure.unreadable }
        return try await self.convert(input, header.kind, in: folder)
    }

    private func convert(_ input: String, _ kind: PhotoHeader.Kind, in folder: String) async throws -> Cleaned {
        // WebP becomes JPEG: the writer of WebP in libvips 8.14 leaves EXIF and XMP in, whatever it is told.
        let made = kind == .png ? PhotoHeader.Kind.png : .jpeg
        let output = "\(folder)/out.\(made.suffix)"
        let options = made == .png ? "[strip]" : "[strip,Q=85,background=255]"
        let arguments = [
            "-k", "1", "\(Self.timeLimit)", "prlimit", "--as=\(Self.memoryLimit)", "--cpu=\(Self.processorLimit)",
            "--fsize=\(4 * PhotoHeader.bytesMax)", "--nofile=64", "--core=0", "--", self.program,
            "--size=\(self.side)x\(self.side)>", "--export-profile=srgb", "-o", output + options, input,
        ]
        do {
            let result = try await Subprocess.run(
                .name("timeout"), arguments: Arguments(arguments),
                environment: .custom([
                    "PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": folder, "LC_ALL": "C.UTF-8",
                    // Loaders that libvips itself does not trust with strangers' files are off.
                    "VIPS_BLOCK_UNTRUSTED": "1", "VIPS_CONCURRENCY": "1",
                ]),
                workingDirectory: FilePath(folder), input: .none, output: .discarded, error: .string(limit: 1 << 14))
            if case .exited(let code) = result.terminationStatus, code == 127 { throw Failure.notInstalled }
            guard result.terminationStatus.isSuccess else { throw Failure.unreadable }
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw Failure.notInstalled
        } catch let error as SubprocessError where error.code != .executableNotFound {
            // More words of complaint than we listen to.
            throw Failure.unreadable
        }
        guard let data = FileManager.default.contents(atPath: output) else { throw Failure.unreadable }
        let bytes = Array(data)
        // What another version may leave in is not kept either.
        guard bytes.count <= PhotoHeader.bytesMax, let header = PhotoHeader(bytes), header.kind == made,
            !header.isTooLarge, BarePicture.isBare(bytes, made)
        else { throw Failure.unreadable }
        return Cleaned(header: header, bytes: bytes)
    }
}
