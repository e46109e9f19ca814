import Contracts
import Kernel

/// What people are told about gifts, in both languages.
enum GiftMessages {
    /// To the recipient. Short, because an SMS in Cyrillic has room for 70 characters; the link shows the rest.
    static func gift(
        _ value: FaceValue, from giver: String, link: String
    ) -> (russian: Notify.Text, english: Notify.Text) {
        let from = giver.isEmpty ? ("", "") : (" от \(giver)", " from \(giver)")
        return (
            Notify.Text(
                subject: "Вам подарок\(from.0): сертификат на \(value.roubles)\u{A0}₽",
                body: "Вам подарок\(from.0): \(value.roubles)\u{A0}₽ \(link)"),
            Notify.Text(
                subject: "A gift for you\(from.1): a certificate of ₽\(value.roubles)",
                body: "A gift for you\(from.1): ₽\(value.roubles) \(link)")
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
