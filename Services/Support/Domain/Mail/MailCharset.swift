/// The character sets in which Russian letters are written today and were written yesterday.
enum MailCharset {
    /// The text of bytes; what is not of the character set becomes U+FFFD, and a character set that is unknown here is read
    /// as UTF-8.
    static func decode(_ bytes: some Sequence<UInt8>, _ name: String) -> String {
        switch name.lowercased() {
        case "windows-1251", "cp1251", "x-cp1251": Self.decode(bytes, by: Self.windows1251)
        case "koi8-r", "koi8-u", "koi8": Self.decode(bytes, by: Self.koi8)
        case "iso-8859-1", "latin1": String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
        default: String(decoding: Array(bytes), as: UTF8.self)
        }
    }

    private static func decode(_ bytes: some Sequence<UInt8>, by upperHalf: [Unicode.Scalar]) -> String {
        String(
            String.UnicodeScalarView(
                bytes.map { byte in byte < 0x80 ? Unicode.Scalar(byte) : upperHalf[Int(byte) - 0x80] }))
    }

    private static let windows1251 = Array(
        ("ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u{FFFD}™љ›њќћџ\u{A0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{AD}®"
            + "Ї°±Ііґµ¶·ё№є»јЅѕїАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмно"
            + "прстуфхцчшщъыьэюя")
            .unicodeScalars)

    private static let koi8 = Array(
        ("─│┌┐└┘├┤┬┴┼▀▄█▌▐░▒▓⌠■∙√≈≤≥\u{A0}⌡°²·÷═║╒ё╓╔╕╖╗╘╙╚╛╜╝╞╟╠╡Ё╢╣╤╥╦╧╨"
            + "╩╪╫╬©юабцдефгхийклмнопярстужвьызшэщчъЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬЫЗ"
            + "ШЭЩЧЪ")
            .unicodeScalars)
}
