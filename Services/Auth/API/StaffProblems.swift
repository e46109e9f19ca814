import HTTPTypes
import Web

extension ProblemKind {
    /// Wrong login, password or code, a used code, a locked or disabled account: one answer for all of them.
    static let staffLoginRefused = ProblemKind(
        .unauthorized, "staff-login-refused", ru: "Логин, пароль или код не подошли",
        en: "The login, the password or the code is wrong")
    static let samePerson = ProblemKind(
        .conflict, "same-person", ru: "Решать должен другой человек", en: "Another person must decide")
    static let recoveryWaiting = ProblemKind(
        .conflict, "recovery-waiting", ru: "Смена телефона этого участника уже ждёт решения",
        en: "A change of this member's phone waits for a decision already")
    static let roleThere = ProblemKind(
        .conflict, "role-there", ru: "Роль уже есть или уже предложена", en: "The role is there or proposed already")
    static let passwordTooWeak = ProblemKind(
        .unprocessableContent, "password-too-weak", ru: "Пароль должен быть от 12 до 128 символов",
        en: "A password has 12 to 128 characters")
    static let lookUpUnclear = ProblemKind(
        .unprocessableContent, "look-up-unclear",
        ru: "Нужно одно из трёх: телефон, карта или участник, и причина до 200 символов",
        en: "One of phone, card and member is needed, and a reason of at most 200 characters")
    static let staffNotAllowed = ProblemKind(
        .forbidden, "staff-not-allowed", ru: "Для этого нужна роль sysadmin", en: "The role sysadmin is needed")
}

extension Problem {
    init(_ refusal: StaffRefusal) {
        switch refusal {
        case .credentials: self.init(.staffLoginRefused)
        case .samePerson: self.init(ProblemKind.samePerson)
        case .roleThere: self.init(ProblemKind.roleThere)
        case .password: self.init(.passwordTooWeak)
        case .notAllowed: self.init(.staffNotAllowed)
        case .unknown, .name, .loginTaken: self.init(.notFound)
        }
    }
}
