import Glibc

/// Makes QR codes by libqrencode, which is loaded when the first one is wanted: building needs nothing of it, and a
/// service without it prints certificates with their code in letters only.
///
/// The library is stateless (its `README`, thread safety), so any thread may call it.
struct QRCodes: Sendable {
    /// `QRcode_encodeString8bit(const char *, int version, QRecLevel level) → QRcode *`
    private typealias Encode = @convention(c) (UnsafePointer<CChar>, CInt, CInt) -> UnsafeMutableRawPointer?
    /// `QRcode_free(QRcode *)`
    private typealias Free = @convention(c) (UnsafeMutableRawPointer) -> Void

    /// Why there is no QR code.
    enum Failure: Error, Hashable {
        /// The library is not installed: the package libqrencode4 has it.
        case notInstalled
        /// The text does not fit into any QR code.
        case tooLong
    }

    /// `QR_ECLEVEL_M`: readable with 15 % of it gone, which a crease in the paper may be.
    private static let level: CInt = 1
    /// The smallest that holds the text.
    private static let anyVersion: CInt = 0

    private let library: String

    /// - Parameter library: looked for as the dynamic linker does.
    init(library: String = "libqrencode.so.4") { self.library = library }

    /// The squares for a text.
    /// - Throws: ``Failure``
    func callAsFunction(_ text: String) throws(Failure) -> QRModules {
        // Never closed: the process keeps one copy, however often it is opened.
        guard let handle = dlopen(self.library, RTLD_NOW | RTLD_LOCAL),
            let encodeSymbol = dlsym(handle, "QRcode_encodeString8bit"), let freeSymbol = dlsym(handle, "QRcode_free")
        else { throw .notInstalled }
        let encode = unsafeBitCast(encodeSymbol, to: Encode.self)
        let free = unsafeBitCast(freeSymbol, to: Free.self)
        guard let code = text.withCString({ encode($0, Self.anyVersion, Self.level) }) else { throw .tooLong }
        defer { free(code) }
        return Self.modules(of: code)
    }

    /// `struct { int version; int width; unsigned char *data; }`, a byte a square whose lowest bit says black
    /// (qrencode.h).
    private static func modules(of code: UnsafeMutableRawPointer) -> QRModules {
        let width = Int(code.load(fromByteOffset: 4, as: CInt.self))
        let data = code.load(fromByteOffset: 8, as: UnsafePointer<UInt8>?.self)
        let squares = UnsafeBufferPointer(start: data, count: data == nil ? 0 : width * width)
        return QRModules(width: width, isBlack: squares.map { $0 & 1 == 1 })
    }
}
