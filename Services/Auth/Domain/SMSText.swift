/// The texts that members get by SMS. Cyrillic travels as UCS-2: 70 characters fit one segment, and one segment is
/// paid.
enum SMSText {
    static let segmentUTF16Units = 70

    /// The code comes first, so that a phone's notification shows it; the warning is why people do not read it out.
    static func login(_ code: LoginCode) -> String { "\(code.reveal()) — код для входа. Никому его не сообщайте." }
}
