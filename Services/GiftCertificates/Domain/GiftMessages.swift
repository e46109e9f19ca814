import Contracts
import Kernel

/// What people are told about gifts, in both languages.
enum GiftMessages {
    /// An SMS in Cyrillic has room for so many characters (UCS-2, one segment).
    private static let smsLength = 70

    /// To the recipient. When giver and link do not fit into one SMS the giver is left to the page behind the link.
    static func gift(
        _ value: FaceValue, from giver: String, link: String
    ) -> (russian: Notify.Text, english: Notify.Text) {
        let (russian, english) = ("\(giver) дарит вам", "\(giver) gives you")
        let (plainRussian, plainEnglish) = ("Вам подарок", "A gift for you")
        func body(_ beginning: String, _ plain: String, _ worth: String) -> String {
            let text = "\(beginning) \(worth) \(link)"
            return giver.isEmpty || text.utf16.count > Self.smsLength ? "\(plain) \(worth) \(link)" : text
        }
        let (roubles, worth) = ("\(value.roubles)\u{A0}₽", "₽\(value.roubles)")
        return (
            Notify.Text(
                subject: "\(giver.isEmpty ? plainRussian : russian) \(roubles)",
                body: body(russian, plainRussian, roubles)),
            Notify.Text(
                subject: "\(giver.isEmpty ? plainEnglish : english) \(worth)", body: body(english, plainEnglish, worth))
        )
    }

    /// To the giver, when it does not arrive. `to` is masked.
    static func undelivered(to hint: String) -> (russian: Notify.Text, english: Notify.Text) {
        (
            Notify.Text(
                subject: "Подарочный сертификат не доставлен",
                body: "Подарок для \(hint) не доставлен. Адрес можно изменить в личном кабинете."),
            Notify.Text(
                subject: "Your gift certificate has not arrived",
                body: "The gift to \(hint) has not arrived. You can change the address in your account.")
        )
    }
}
